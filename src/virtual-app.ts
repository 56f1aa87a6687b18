// The composition root of virtual time: the server's own parts on a clock that jumps, for `outdial simulate`.

import { ratesOf } from './app.ts'
import type { Deps } from './batches/deps.ts'
import { SimulatedCarrier } from './carrier/simulated/simulated-carrier.ts'
import { withTrunkDefaults } from './carrier/trunk-defaults.ts'
import type { Config } from './config.ts'
import { type DispatcherFigures, startDispatcher } from './dispatcher/dispatcher.ts'
import { type Batch, finishedBatchStatuses } from './domain/batch.ts'
import { silentLogger } from './runtime/logger.ts'
import { VirtualClock } from './runtime/virtual-clock.ts'
import { openSqliteStore } from './store/sqlite/sqlite-store.ts'
import type { Store } from './store/store.ts'

/** A batch on virtual time. */
export interface Simulation {
  deps: Deps
  workspaceId: number
  /** Calls until the batch has ended, or nothing is left to happen (it paused itself). */
  run(batch: Batch): Promise<{ ended: Batch; openAtMost: number }>
  close(): Promise<void>
}

export interface SimulationOptions {
  seed: number
  /** Epoch ms: when the simulated day begins. */
  startAt: number
  /** Settings of the simulated trunk. */
  telephones: Readonly<Record<string, unknown>>
  config: Config
}

/** The server's own store, dispatcher and carrier, on a clock that jumps from event to event. Nothing is kept. */
export async function openSimulation(options: SimulationOptions): Promise<Simulation> {
  const { seed, startAt, telephones, config } = options
  const clock = new VirtualClock(startAt)
  const store = await openSqliteStore({ path: ':memory:', schedule: queueMicrotask, now: () => clock.now() })
  const logger = silentLogger
  const workspace = await store.createWorkspace('simulation', startAt)
  const simulated = new SimulatedCarrier({ clock, seed, remembersAll: true })
  const carrier = withTrunkDefaults(simulated, telephones)
  return {
    deps: { store, clock, config, logger },
    workspaceId: workspace.id,
    async run(batch) {
      const dispatcher = startDispatcher({
        store,
        carrier,
        clock,
        logger,
        nodeId: 'simulation',
        rates: ratesOf(config),
        sweepEveryMs: null,
      })
      const figures = () => dispatcher.figures()
      const ended = await runUntilEnded({ clock, store, batch, figures })
      await dispatcher.stop({ graceMs: 0 })
      return { ended, openAtMost: simulated.seen().maxConcurrent }
    },
    async close() {
      await carrier.close()
      await store.close()
    },
  }
}

interface SimulatedRun {
  clock: VirtualClock
  store: Store
  batch: Batch
  figures(): DispatcherFigures
}

/** Virtual time runs while the batch lives; returns it as it stands afterwards. */
async function runUntilEnded({ clock, store, batch, figures }: SimulatedRun): Promise<Batch> {
  const read = async () => (await store.getBatch(batch.workspaceId, batch.id)) ?? batch
  let hasEnded = false
  const unsubscribe = store.onEvents(() => {
    if (figures().running > 0) return
    void read().then(({ status }) => {
      hasEnded = finishedBatchStatuses.has(status)
    })
  })
  // On a clock that jumps, asking a store that fails again and again would never end.
  await clock.run({ done: () => hasEnded || figures().storeFailure !== null })
  unsubscribe()
  const { storeFailure } = figures()
  if (storeFailure !== null) throw new Error(`The simulation's store failed: ${storeFailure}`)
  return read()
}

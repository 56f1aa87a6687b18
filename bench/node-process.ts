// One node of several, as a process: the store, the dispatcher and a simulated carrier, without the HTTP server.
// Started by bench/ with the address of a database, or the path of an SQLite file.
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { CarrierRouter } from '../src/carrier/simulated/carrier-router.ts'
import { SimulatedCarrier } from '../src/carrier/simulated/simulated-carrier.ts'
import { type Dispatcher, startDispatcher } from '../src/dispatcher/dispatcher.ts'
import { realClock } from '../src/runtime/clock.ts'
import { createLogger } from '../src/runtime/logger.ts'
import { SynchronisedClock } from '../src/runtime/synchronised-clock.ts'
import { version } from '../src/runtime/version.ts'
import type { DispatchStore } from '../src/store/dispatch-store.ts'
import { openPostgresStore } from '../src/store/postgres/postgres-store.ts'
import { openSqliteStore } from '../src/store/sqlite/sqlite-store.ts'
import type { Store } from '../src/store/store.ts'
import { answerParent } from './bench-process.ts'
import type { NodeSight } from './node-crew.ts'
import type { SeededBatch } from './seed-batch.ts'
import type { SlotChange } from './slot-watch.ts'
import { WatchedCarrier } from './watched-carrier.ts'

const [address = '', watching = ''] = process.argv.slice(2)
const isShared = address.startsWith('postgresql://')
const clock = isShared ? new SynchronisedClock(realClock) : realClock
let claimsMs: number[] = []
let slots: SlotChange[] = []
const opened = open()

answerParent({
  /** Resolves when the node calls. */
  open: async () => (await opened).dispatcher.rescued,
  sight: async (): Promise<NodeSight> => {
    const { placed, sweepFound, storeFailure } = (await opened).dispatcher.figures()
    const sight = { placed, sweepFound, storeFailure, claimsMs, slots, maxRssBytes: maxRssBytes() }
    claimsMs = []
    slots = []
    return sight
  },
  isCompleted: async ({ workspaceId, batchId }: SeededBatch) =>
    (await (await opened).store.getBatch(workspaceId, batchId))?.status === 'completed',
  stop: async () => {
    const { dispatcher, store } = await opened
    await dispatcher.stop({ graceMs: 0 })
    await store.close()
  },
})

async function open(): Promise<{ store: Store; dispatcher: Dispatcher }> {
  const store = isShared
    ? await openPostgresStore({ url: address })
    : await openSqliteStore({ path: address })
  const inProcess = new SimulatedCarrier({ clock, seed: process.pid })
  const router = new CarrierRouter({ inProcess, clock })
  const dispatcher = startDispatcher({
    store: { ...store, claim: timed(store.claim) },
    carrier: watching === 'slots' ? new WatchedCarrier(router, change => slots.push(change)) : router,
    clock,
    logger: createLogger({ level: 'error', readable: true }),
    nodeId: randomUUID(),
    alone: !isShared,
    presence: { name: `${hostname()}:${process.pid}`, role: 'caller', version },
    followStoreTime: sample => {
      if (clock instanceof SynchronisedClock) clock.follow(sample)
    },
  })
  return { store, dispatcher }
}

/** Claims that brought nobody had nobody to look for, or no place: they are not what is asked. */
function timed(claim: DispatchStore['claim']): DispatchStore['claim'] {
  return async request => {
    const since = performance.now()
    const result = await claim(request)
    if (result.claims.length > 0) claimsMs.push(performance.now() - since)
    return result
  }
}

function maxRssBytes(): number {
  return process.resourceUsage().maxRSS * 1_024
}

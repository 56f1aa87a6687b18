// A whole server that calls: the dispatcher and the simulated carrier on virtual time.
import type { TestContext } from 'node:test'
import { SimulatedCarrier } from '../../src/carrier/simulated/simulated-carrier.ts'
import { startDispatcher } from '../../src/dispatcher/dispatcher.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import { VirtualClock } from '../../src/runtime/virtual-clock.ts'
import { type House, openHouse } from './house.ts'

/** 5 January 2026, 10:00 UTC. */
export const startAt = Date.UTC(2026, 0, 5, 10)

/** Each call is set up in 10 ms, rings for 10 s (20 s when nobody answers) and is talked on for 125.5 s. */
const trunkSettings = { ringMs: [10_000, 10_000], ringOutMs: [20_000, 20_000], talkMs: [125_500, 125_500] }

export interface CallingHouse extends House {
  clock: VirtualClock
  /** Lets so much time pass; calls, retries and starts happen meanwhile. */
  pass(ms: number): Promise<void>
  /** Runs until nothing is left to do. */
  finish(): Promise<void>
}

/** Telephones behave as their last two digits say (docs/guide/simulated-carrier.md); all others answer. */
export async function openCallingHouse(t: Pick<TestContext, 'after'>): Promise<CallingHouse> {
  const clock = new VirtualClock(startAt)
  const settings = { ...trunkSettings, answerRate: 1 }
  const house = await openHouse(t, { clock, trunkSettings: settings, schedule: queueMicrotask })
  const carrier = new SimulatedCarrier({ clock, seed: 7 })
  const dispatcher = startDispatcher({
    store: house.store,
    carrier,
    clock,
    logger: silentLogger,
    sweepEveryMs: null,
  })
  await dispatcher.rescued
  const pass = async (ms: number) => {
    await clock.run({ until: clock.now() + ms })
  }
  return { ...house, clock, pass, finish: async () => void (await clock.run()) }
}

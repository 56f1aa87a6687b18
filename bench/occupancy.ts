// Are the slots busy while work is due? 100 slots, calls of 1 s on the real clock, seen from the carrier's side.
//
// The yardstick is the slots' whole time: a ratio of 1 would be a carrier that never has a free one. The aim is 0.99, and
// never more than 100 calls at a time.
import { noRetries } from '../src/domain/retry.ts'
import { completed, withDispatcher } from './dispatch-run.ts'
import { median } from './figures.ts'
import { seedBatch } from './seed-batch.ts'

const slots = 100
const callMs = 1_000
const calls = Number(process.argv[2] ?? 1_500)
const rounds = Number(process.argv[3] ?? 1)

const shares: number[] = []
for (let round = 1; round <= rounds; round++) {
  const { busy, maxOpen, dials } = await withDispatcher(slots, async ({ store, watch, dispatcher }) => {
    const seeded = await seedBatch(store, {
      recipients: calls,
      trunkSettings: { ringMs: [0, 0], talkMs: [callMs, callMs], answerRate: 1 },
      maxConcurrentCalls: slots,
      retry: noRetries,
      startAs: 'running',
    })
    await completed(store, seeded)
    const { sweepFound } = dispatcher.figures()
    if (sweepFound !== 0) throw new Error(`the safety net found ${sweepFound} calls`)
    return watch.seen()
  })
  if (maxOpen > slots) throw new Error(`the carrier saw ${maxOpen} calls at a time`)
  shares.push(busy)
  console.log(
    `round ${round}: ${dials} calls of ${callMs} ms on ${slots} slots: busy ${(busy * 100).toFixed(2)}% of the time, ` +
      `at most ${maxOpen} at a time`,
  )
}
console.log(`median: slots busy ${(median(shares) * 100).toFixed(2)}% of the time while work was due`)

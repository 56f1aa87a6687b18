// Sums over a batch's counters.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  averageTalkSeconds,
  countAll,
  countFinished,
  countLive,
  countReached,
  countUnreached,
  emptyProgress,
  percentOf,
} from '../../src/domain/progress.ts'
import { standings } from '../../src/domain/recipient.ts'

const someProgress = fc.tuple(...standings.map(() => fc.nat(1000))).map(counts => ({
  ...emptyProgress(),
  counts: Object.fromEntries(standings.map((s, i) => [s, counts[i]])) as never,
}))

test('a new batch has nobody anywhere, and two batches never share their counts', () => {
  assert.equal(countAll(emptyProgress()), 0)
  assert.notEqual(emptyProgress().counts, emptyProgress().counts)
  assert.deepEqual(Object.keys(emptyProgress().counts), [...standings])
})

test('everybody is live, finished, cancelled or suppressed, and who is finished was reached or not', () => {
  fc.assert(
    fc.property(someProgress, progress => {
      const { cancelled, suppressed } = progress.counts as Record<string, number>
      assert.equal(
        countLive(progress) + countFinished(progress) + cancelled! + suppressed!,
        countAll(progress),
      )
      assert.equal(countReached(progress) + countUnreached(progress), countFinished(progress))
    }),
  )
})

test('the average is over the calls that were held, with one decimal, and 0 without any', () => {
  const progress = emptyProgress()
  assert.equal(averageTalkSeconds(progress), 0)
  progress.counts.answered = 3
  progress.counts.voicemail = 1
  progress.counts.busy = 7
  progress.talkMs = 502_000
  assert.equal(averageTalkSeconds(progress), 125.5)
})

test('percent has one decimal, and of nothing it is 0', () => {
  assert.deepEqual([percentOf(420, 500), percentOf(1, 3), percentOf(0, 0)], [84, 33.3, 0])
})

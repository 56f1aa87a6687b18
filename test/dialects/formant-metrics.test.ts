// Formant's twelve figures: the arithmetic of the vendor's own example, and that nobody is counted twice.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { standings } from '../../src/domain/recipient.ts'
import { presentMetrics } from '../../src/http/dialects/formant/present.ts'
import { progressOf } from './sample-batch.ts'

const seed = 20_240_410

test("the vendor's example comes out as printed", () => {
  const counts = { answered: 420, declined: 30, 'no-answer': 20, busy: 15, calling: 5, waiting: 10 } as const
  const progress = progressOf(counts, { talkMs: 420 * 125_500 })
  assert.deepEqual(presentMetrics(progress, 500), {
    avg_duration_seconds: 125.5,
    busy_count: 15,
    completed_count: 420,
    failed_count: 30,
    in_progress_count: 5,
    no_answer_count: 20,
    pending_retry_count: 10,
    socket_failure_count: 0,
    success_count: 420,
    success_rate: 84.0,
    total_processed: 485,
    unreachable_count: 0,
  })
})

test('a batch in which nobody was called yet has twelve zeros', () => {
  for (const total of [0, 3])
    assert.deepEqual(
      new Set(Object.values(presentMetrics(progressOf({ queued: total }), total))),
      new Set([0]),
    )
})

test('a rate and a mean that do not come out even have one decimal', () => {
  const { success_rate: rate, avg_duration_seconds: mean } = presentMetrics(
    progressOf({ answered: 2, busy: 1 }, { talkMs: 333 }),
    3,
  )
  assert.deepEqual({ rate, mean }, { rate: 66.7, mean: 0.2 })
})

test(`the counts sum to all recipients but those not yet called, cancelled or suppressed (seed ${seed})`, () => {
  const anyCounts = fc.record(
    Object.fromEntries(standings.map(standing => [standing, fc.integer({ min: 0, max: 1_000_000 })])),
  )
  fc.assert(
    fc.property(anyCounts, fc.nat(), (counts, talkMs) => {
      const progress = progressOf(counts, { talkMs })
      const total = standings.reduce((sum, standing) => sum + progress.counts[standing], 0)
      const metrics = presentMetrics(progress, total)
      const outside = progress.counts.queued + progress.counts.cancelled + progress.counts.suppressed
      const { total_processed, in_progress_count, pending_retry_count } = metrics
      assert.equal(total_processed + in_progress_count + pending_retry_count, total - outside)
      assert.equal(
        total_processed,
        metrics.completed_count +
          metrics.failed_count +
          metrics.no_answer_count +
          metrics.busy_count +
          metrics.unreachable_count +
          metrics.socket_failure_count,
      )
      assert.ok(metrics.success_count <= metrics.completed_count)
      assert.ok(metrics.success_rate >= 0 && metrics.success_rate <= 100)
    }),
    { seed },
  )
})

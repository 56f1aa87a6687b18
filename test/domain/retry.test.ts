// Who is rung again, when, and how often at most.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { dispositions } from '../../src/domain/outcome.ts'
import { defaultRetryPolicy, noRetries, type RetryPolicy, retryDelayMs } from '../../src/domain/retry.ts'

const minute = 60_000
const policy: RetryPolicy = {
  maxAttempts: 5,
  delaysMs: { busy: [1_000, 2_000], 'no-answer': [], declined: [3_000], answered: [4_000] },
}
const again = (disposition: (typeof dispositions)[number], callsPlaced: number, retryable = true) =>
  retryDelayMs(policy, { disposition, retryable }, callsPlaced)

test('a busy recipient is rung again after the delays in turn, the last of which repeats, at most maxAttempts times', () => {
  assert.deepEqual(
    [1, 2, 3, 4, 5].map(calls => again('busy', calls)),
    [1_000, 2_000, 2_000, 2_000, null],
  )
})

test('a disposition without delays is never tried again', () => {
  assert.equal(again('no-answer', 1), null)
  assert.equal(again('unreachable', 1), null)
})

test('what is not retryable by nature is not tried again, whatever the policy says', () => {
  assert.equal(again('answered', 1, false), null)
  assert.equal(again('busy', 1, false), null)
})

test('who declined is rung once more at most', () => {
  assert.deepEqual([again('declined', 1), again('declined', 2)], [3_000, null])
})

test('by default busy people are tried after 5 and 30 minutes, lost calls after one, in three calls altogether', () => {
  const busy = { disposition: 'busy', retryable: true } as const
  assert.deepEqual(
    [1, 2, 3].map(calls => retryDelayMs(defaultRetryPolicy, busy, calls)),
    [5 * minute, 30 * minute, null],
  )
  assert.equal(retryDelayMs(defaultRetryPolicy, { disposition: 'lost', retryable: true }, 1), minute)
})

test('no policy places more calls than its maximum', () => {
  const somePolicy = fc.record({
    maxAttempts: fc.integer({ min: 1, max: 10 }),
    delaysMs: fc.dictionary(fc.constantFrom(...dispositions), fc.array(fc.nat(), { maxLength: 4 })),
  })
  fc.assert(
    fc.property(somePolicy, fc.constantFrom(...dispositions), (anyPolicy, disposition) => {
      let calls = 1
      while (retryDelayMs(anyPolicy, { disposition, retryable: true }, calls) !== null) calls++
      assert.ok(calls <= anyPolicy.maxAttempts)
      assert.equal(retryDelayMs(noRetries, { disposition, retryable: true }, 1), null)
    }),
  )
})

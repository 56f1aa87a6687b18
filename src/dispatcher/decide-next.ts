// What happens to a person after a call: over, another call later, or back in the queue unspent. Pure.
import type { Outcome } from '../domain/outcome.ts'
import { type RetryPolicy, retryDelayMs } from '../domain/retry.ts'
import type { Next } from '../store/dispatch-records.ts'

/** A carrier that throttles for ever must not keep a person in the queue for ever … */
export const maxPutBacks = 50
/** … nor for longer than this, ms. Then it counts as a carrier failure. */
export const maxPutBackMs = 6 * 3_600_000
const firstPutBackDelayMs = 1_000
const longestPutBackDelayMs = 60_000

export interface CallHistory {
  retry: RetryPolicy
  /** Calls placed, this one included. */
  ordinal: number
  putBacks: number
  firstPutBackAt: number | null
}

/** `throttled` and misconfigured calls are unspent until their bound; everything else goes by the batch's policy. */
export function decideNext(outcome: Outcome, history: CallHistory, now: number): Next {
  const unspent = outcome.consequence === 'put-back' || outcome.consequence === 'open-trunk-breaker'
  if (unspent && mayPutBack(history, now)) {
    const delay = Math.min(longestPutBackDelayMs, firstPutBackDelayMs * 2 ** history.putBacks)
    return { kind: 'put-back', dueAt: now + delay, throttled: true }
  }
  const delay = retryDelayMs(history.retry, outcome, history.ordinal)
  return delay === null ? { kind: 'finish' } : { kind: 'retry', dueAt: now + delay }
}

function mayPutBack({ retry, putBacks, firstPutBackAt }: CallHistory, now: number): boolean {
  return (
    putBacks < (retry.maxPutBacks ?? maxPutBacks) &&
    (firstPutBackAt === null || now - firstPutBackAt < maxPutBackMs)
  )
}

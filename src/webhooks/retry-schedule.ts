// When a delivery that failed is tried again, and how long the later ones of its batch wait for it.
import type { Random } from '../runtime/random.ts'
import type { AfterTry } from '../store/webhook-records.ts'
import type { WebhookAnswer } from './sender.ts'

export interface RetrySchedule {
  /** Before the second, third, … try, ms; after the last one the delivery has failed. */
  delaysMs: readonly number[]
  /** The share of a delay that chance may take off, 0 to 1: a thousand that failed together do not come back together. */
  jitter: number
  timeoutMs: number
  /** Whether a try that was answered so (null: not at all) is made again. */
  retries(status: number | null): boolean
}

const second = 1_000
const minute = 60 * second
const hour = 60 * minute

/** 14 tries over 23 hours and 49 minutes: dense while an outage is short, then ever rarer. */
export const ownDelaysMs: readonly number[] = [
  5 * second,
  15 * second,
  30 * second,
  1 * minute,
  2 * minute,
  5 * minute,
  10 * minute,
  30 * minute,
  1 * hour,
  2 * hour,
  4 * hour,
  8 * hour,
  8 * hour,
]

/**
 * The order of a batch is kept through failures that last so long, counted from a delivery's first try to its next: later
 * ones overtake it from then on. A receiver that restarts sees everything in order; one event that it cannot digest
 * holds its batch up for minutes, not for a day.
 */
export const maxOrderHoldMs = 5 * minute
/** The longest wait that a `Retry-After` can ask for. */
const maxRetryAfterMs = 24 * hour

/** An answer from 200 to 299 says that the event was taken; a redirect does not. */
export function isDelivered(status: number | null): boolean {
  return status !== null && status >= 200 && status < 300
}

/** Network error, 429 and 5xx: what vendors try again. */
export function isPassing(status: number | null): boolean {
  return status === null || status === 429 || status >= 500
}

/** What follows after try number `tries` (1 for the first); `firstAt`: when the first was made, epoch ms. */
export function afterTry(
  schedule: RetrySchedule,
  answer: Pick<WebhookAnswer, 'status' | 'retryAfter'>,
  { tries, firstAt, now, random }: { tries: number; firstAt: number; now: number; random: Random },
): AfterTry {
  if (isDelivered(answer.status)) return { kind: 'delivered' }
  const delayMs = schedule.delaysMs[tries - 1]
  if (delayMs === undefined || answer.status === gone || !schedule.retries(answer.status))
    return { kind: 'failed' }
  const dueAt = Math.round(
    now + Math.max(delayMs * (1 - schedule.jitter * random()), askedWaitMs(answer.retryAfter, now)),
  )
  return { kind: 'retry', dueAt, overtaken: dueAt - firstAt > maxOrderHoldMs }
}

/** 410: the endpoint is not there any more and will not come back. */
export const gone = 410

/** RFC 9110 §10.2.3: seconds, or a date. 0: nothing was asked for. */
function askedWaitMs(retryAfter: string | null, now: number): number {
  if (retryAfter === null) return 0
  const waitMs = /^\d{1,9}$/.test(retryAfter.trim())
    ? Number(retryAfter) * second
    : Date.parse(retryAfter) - now
  return Number.isNaN(waitMs) ? 0 : Math.min(Math.max(waitMs, 0), maxRetryAfterMs)
}

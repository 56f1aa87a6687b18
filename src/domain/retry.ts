// Whether a person is rung again, and when: a list of delays per disposition and a maximum of calls placed.
import type { Disposition, Outcome } from './outcome.ts'

export interface RetryPolicy {
  /** Largest number of calls placed to one recipient. */
  maxAttempts: number
  /** Delays in ms before the second, third, … call after this disposition; the last one repeats. Absent: never again. */
  delaysMs: Partial<Record<Disposition, readonly number[]>>
  /** How often a carrier's "slow down" may put a person back unspent; absent: the house's own bound. */
  maxPutBacks?: number
}

const minute = 60_000

/** A declined call is tried at most once more, whatever the policy says (field notes §1). */
const maxCallsWhenDeclined = 2

export const noRetries: RetryPolicy = { maxAttempts: 1, delaysMs: {} }

/** What our own API does when a batch says nothing. A lost call is ours to repair, so it is always tried again. */
export const defaultRetryPolicy: RetryPolicy = {
  maxAttempts: 3,
  delaysMs: {
    busy: [5 * minute, 30 * minute],
    'no-answer': [5 * minute, 30 * minute],
    'carrier-failure': [5 * minute, 30 * minute],
    'agent-failure': [5 * minute, 30 * minute],
    blocked: [30 * minute],
    lost: [1 * minute],
  },
}

/**
 * When to ring again after `outcome` of call number `callsPlaced` (1 for the first), in ms from now; null: never.
 * Only outcomes that are retryable by nature are looked up at all: an answered person is not rung again.
 */
export function retryDelayMs(
  policy: RetryPolicy,
  outcome: Pick<Outcome, 'disposition' | 'retryable'>,
  callsPlaced: number,
): number | null {
  if (!outcome.retryable || callsPlaced >= policy.maxAttempts) return null
  if (outcome.disposition === 'declined' && callsPlaced >= maxCallsWhenDeclined) return null
  const delays = policy.delaysMs[outcome.disposition]
  if (delays === undefined || delays.length === 0) return null
  return delays[Math.min(callsPlaced, delays.length) - 1] ?? null
}

// The circuit breaker of trunks and agents: failures in a row open it, time half-opens it, one call tries it out.

export interface BreakerRule {
  /** Failures in a row that open it … */
  failures: number
  /** … over at least so many different destinations: one odd number says nothing about a trunk. */
  destinations: number
  /** How long it opens first, ms; doubled each time the trial call fails … */
  openMs: number
  /** … up to this. */
  maxOpenMs: number
}

/** 401, 403, 488 and their like (`consequence: 'open-trunk-breaker'`). */
export const trunkBreakerRule: BreakerRule = {
  failures: 3,
  destinations: 3,
  openMs: 30_000,
  maxOpenMs: 15 * 60_000,
}
/** A dead bot must not ring 50,000 people to silence. */
export const agentBreakerRule: BreakerRule = {
  failures: 5,
  destinations: 1,
  openMs: 15_000,
  maxOpenMs: 10 * 60_000,
}

/**
 * - closed: `until` is null; `failures` and `failed` count the failures in a row.
 * - open: `now < until`; nothing may be dialled, and late results of calls from before say nothing new.
 * - half-open: `now >= until`; one call (`trial`) may be under way. It works → closed; it fails → open, twice as long.
 */
export interface BreakerState {
  failures: number
  /** Different destinations of these failures, no more of them than the rule asks for. */
  failed: readonly string[]
  /** Epoch ms; null: closed. */
  until: number | null
  /** How often it opened since it was last closed. */
  openings: number
  trial: boolean
}

export type BreakerEvent =
  | { kind: 'placed' }
  | { kind: 'failed'; destination: string }
  | { kind: 'worked' }
  /** The call ended in a way that says nothing about the trunk or agent, e.g. it was cancelled. */
  | { kind: 'inconclusive' }

export const closedBreaker: BreakerState = { failures: 0, failed: [], until: null, openings: 0, trial: false }

/** A breaker as the store knows it after a restart: it goes on where it stood, its trial call forgotten. */
export function restoredBreaker(until: number | null): BreakerState {
  return until === null ? closedBreaker : { ...closedBreaker, until, openings: 1 }
}

/** The state after `event` at `now` (epoch ms). Pure; an unchanged state is returned as the same object. */
export function breaker(
  state: BreakerState,
  event: BreakerEvent,
  now: number,
  rule: BreakerRule,
): BreakerState {
  if (state.until === null) return closedAfter(state, event, now, rule)
  if (now < state.until) return state
  if (event.kind === 'failed') return opened(state, now, rule)
  if (event.kind === 'worked') return closedBreaker
  return state.trial === (event.kind === 'placed') ? state : { ...state, trial: event.kind === 'placed' }
}

/** How many calls may be placed now: all, none, or the one that tries. */
export function callsAllowed(state: BreakerState, now: number): number {
  if (state.until === null) return Number.POSITIVE_INFINITY
  return now < state.until || state.trial ? 0 : 1
}

function closedAfter(state: BreakerState, event: BreakerEvent, now: number, rule: BreakerRule): BreakerState {
  if (event.kind === 'worked') return state.failures === 0 ? state : closedBreaker
  if (event.kind !== 'failed') return state
  const known = state.failed.includes(event.destination) || state.failed.length >= rule.destinations
  const failed = known ? state.failed : [...state.failed, event.destination]
  const failures = state.failures + 1
  const opens = failures >= rule.failures && failed.length >= rule.destinations
  return opens ? opened(state, now, rule) : { ...state, failures, failed }
}

function opened({ openings }: BreakerState, now: number, { openMs, maxOpenMs }: BreakerRule): BreakerState {
  const until = now + Math.min(maxOpenMs, openMs * 2 ** openings)
  return { ...closedBreaker, until, openings: openings + 1 }
}

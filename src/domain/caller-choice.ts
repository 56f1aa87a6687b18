// From which of our numbers the next call is made: caps by the day, rest for a flagged number, and turns. Pure.

/** A cap counts the calls of any 24 hours. A call leaves the house up to a minute after it was placed, so a minute more. */
export const capWindowMs = 24 * 3_600_000 + 60_000

/** How long a caller ID rests when a carrier says for the first time that it is flagged, ms. */
export const firstRestMs = 60_000
const longestRestMs = 24 * 3_600_000

export interface CallerRest {
  /** Epoch ms. */
  until: number
  /** How long it was meant to last, ms. */
  ms: number
}

/**
 * The rest of a number that is flagged now: a minute, or twice the rest before where that is over for no longer than it
 * lasted. A single network's word costs a minute, a number that is flagged wherever it calls soon rests for a day. Calls
 * that were under way when a rest began change nothing.
 */
export function restAfterFlag(before: CallerRest | null, now: number): CallerRest {
  if (before !== null && now < before.until) return before
  const isFlaggedAgain = before !== null && now - before.until <= before.ms
  const ms = isFlaggedAgain ? Math.min(longestRestMs, 2 * before.ms) : firstRestMs
  return { until: now + ms, ms }
}

/** A number of ours as a choice sees it. */
export interface Candidate {
  phoneNumberId: number
  /** Calls that it may begin now; Infinity: no limit. */
  places: number
  /** When it was last chosen, on any scale that grows; 0: never. */
  usedAt: number
}

/**
 * The number that has waited longest among those that may call; another than `last` (from which this person was called
 * before) if there is one. null: none may call.
 */
export function chooseCaller<Caller extends Candidate>(
  callers: readonly Caller[],
  last: number | null,
): Caller | null {
  let chosen: Caller | null = null
  for (const caller of callers)
    if (caller.places > 0 && (chosen === null || isBetter(caller, chosen, last))) chosen = caller
  return chosen
}

function isBetter(one: Candidate, other: Candidate, last: number | null): boolean {
  const isLast = one.phoneNumberId === last
  return isLast === (other.phoneNumberId === last) ? one.usedAt < other.usedAt : !isLast
}

/** Why a number may not call although it has places, and until when (epoch ms). */
export interface CallerHold {
  reason: 'resting' | 'daily-cap'
  until: number
}

/** @param cappedUntil when its cap lets it call again; null: it does now */
export function holdOf(
  { restingUntil }: { restingUntil: number | null },
  cappedUntil: number | null,
  now: number,
): CallerHold | null {
  const rests = restingUntil !== null && restingUntil > now
  if (cappedUntil !== null && (!rests || cappedUntil > restingUntil))
    return { reason: 'daily-cap', until: cappedUntil }
  return rests ? { reason: 'resting', until: restingUntil } : null
}

/** One of a batch's numbers as it stands now. */
export interface CallerStanding {
  phoneNumberId: number
  e164: string
  maxCallsPerDay: number | null
  /** Within the window of the cap; null: it has none and is not counted. */
  callsLastDay: number | null
  hold: CallerHold | null
}

/** What keeps a batch from calling: all its numbers are held, and this one is free first. null: one of them may call. */
export function firstHold(callers: readonly Pick<CallerStanding, 'hold'>[]): CallerHold | null {
  let first: CallerHold | null = null
  for (const { hold } of callers) {
    if (hold === null) return null
    if (first === null || hold.until < first.until) first = hold
  }
  return first
}

// IANA time zones: which names exist, and which offset holds at an instant.

/** An offset from UTC and the time during which it holds, ms; `until` is excluded. */
export interface OffsetSpan {
  offsetMs: number
  from: number
  until: number
}

/** Some 600 names exist, in any mixture of cases: a bound against made-up ones, far above what one process dials. */
const maxRememberedZones = 1_000

/** Names only: Temporal would also take `+05:30` and whole time stamps for a zone. */
const zoneName = /^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+)*$/

/** The last span of each zone asked for; null: no such zone. A pure memo: finding a transition costs 100 times as much. */
const remembered = new Map<string, OffsetSpan | null>()

/** Whether `text` is an IANA zone name (`Asia/Kolkata`, `UTC`; the case does not matter), not an offset. */
export function isIanaZone(text: string): boolean {
  return offsetSpan(text, 0) !== null
}

/** The offset that holds in `zone` at `now` (epoch ms), and for how long; null: unknown zone. */
export function offsetSpan(zone: string, now: number): OffsetSpan | null {
  const known = remembered.get(zone)
  if (known === null || (known !== undefined && now >= known.from && now < known.until)) return known
  const span = findSpan(zone, now)
  if (remembered.size >= maxRememberedZones) remembered.clear()
  remembered.set(zone, span)
  return span
}

function findSpan(zone: string, now: number): OffsetSpan | null {
  if (!zoneName.test(zone)) return null
  try {
    const there = Temporal.Instant.fromEpochMilliseconds(Math.floor(now)).toZonedDateTimeISO(zone)
    // Temporal takes the zone out of some time stamps (`T00Z` is UTC to it): only a name that comes back is one.
    if (there.timeZoneId.toLowerCase() !== zone.toLowerCase()) return null
    const next = there.getTimeZoneTransition('next')
    // `previous` looks strictly before: one ms on, so that a transition at this very instant is found.
    const previous = there.add({ milliseconds: 1 }).getTimeZoneTransition('previous')
    return {
      offsetMs: there.offsetNanoseconds / 1_000_000,
      from: previous?.epochMilliseconds ?? Number.NEGATIVE_INFINITY,
      until: next?.epochMilliseconds ?? Number.POSITIVE_INFINITY,
    }
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
}

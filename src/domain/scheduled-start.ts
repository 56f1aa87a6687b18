// When a batch starts: reads what a client wrote as a time, alone or in an IANA zone.
import { isIanaZone } from './zone.ts'

export { isIanaZone }

/** Calendar date, `T` or a space, hours and minutes, optional seconds and fraction, optional `Z` or offset. No `[Zone]`. */
const timeText =
  /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?) ?([Zz]|[+-]\d{2}(?::?\d{2})?)?$/
const minYear = 2000
const maxYear = 2199

/**
 * Reads `text` as an instant, epoch ms. With `Z` or an offset it is one already; a naive time is read in `zone`, where
 * a time inside a DST gap means the first valid minute after the gap, and one that occurs twice its first occurrence.
 * A date alone, a bracketed zone suffix and years outside 2000 to 2199 are `invalid_time`: better a clear refusal than
 * a guessed hour. The zone is checked first, also where the text does not need it.
 */
export function resolveStart(
  text: string,
  zone: string,
): { at: number } | { error: 'invalid_time' | 'invalid_timezone' } {
  if (!isIanaZone(zone)) return { error: 'invalid_timezone' }
  const [, date = '', time = '', offset] = timeText.exec(text.trim()) ?? []
  const year = Number(date.slice(0, 4))
  if (date === '' || year < minYear || year > maxYear) return { error: 'invalid_time' }
  const at = offset === undefined ? readNaive(date, time, zone) : readInstant(`${date}T${time}${offset}`)
  return at === null ? { error: 'invalid_time' } : { at }
}

function readInstant(text: string): number | null {
  return orNull(() => Temporal.Instant.from(text).epochMilliseconds)
}

function readNaive(date: string, time: string, zone: string): number | null {
  const local = orNull(() => Temporal.PlainDateTime.from(`${date}T${time}`))
  if (local === null) return null
  const earlier = local.toZonedDateTime(zone, { disambiguation: 'earlier' })
  if (earlier.toPlainDateTime().equals(local)) return earlier.epochMilliseconds
  // In a gap "earlier" lies before it: the transition that follows is the gap's end, its first valid minute.
  return earlier.getTimeZoneTransition('next')?.epochMilliseconds ?? null
}

/** Temporal says no by RangeError: 30 February, 25:00, an offset of +99:00. */
function orNull<T>(read: () => T): T | null {
  try {
    return read()
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
}

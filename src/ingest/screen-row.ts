// One row's verdict: is its number real, allowed and new, and in which time zone does it ring?
import { readPhoneNumber, refuseDestination } from '../domain/phone-number.ts'
import type { RowReason } from '../domain/refusal.ts'
import { isIanaZone } from '../domain/zone.ts'
import { zonesOf } from '../domain/zones/zones-of.ts'
import type { RejectedRow } from '../store/store.ts'
import type { ListRules } from './list-rules.ts'
import { openNumberSet } from './number-set.ts'

export type Screened =
  | { ok: true; number: string; zone: string }
  | { ok: false; status: RejectedRow['status']; code: RowReason; value: string | null }

/** `phone` as the list has it; `zone` is what stands in the time zone column, '' where nothing does. */
export type ScreenRow = (phone: string | number, zone: string) => Screened

/** A screen for one list: it remembers the numbers that it let through, and turns away those that come again. */
export function openScreen(rules: ListRules): ScreenRow {
  const seen = openNumberSet()
  const readZone = zoneReader()
  return (phone, zoneText) => {
    const read = readPhoneNumber(phone, { region: rules.region, rule: rules.numbers })
    const refused = read.ok ? refuseDestination(read.e164, read.country, rules.destinations) : read.code
    if (!read.ok || refused !== null) return turnAway('invalid', refused ?? 'invalid_phone', String(phone))
    const zone = zoneText === '' ? (zonesOf(read.e164) ?? rules.fallbackZone) : readZone(zoneText)
    if (zone === null) return turnAway('invalid', 'invalid_timezone', zoneText)
    if (!seen.add(Number(read.e164))) return turnAway('duplicate', 'duplicate', String(phone))
    return { ok: true, number: read.e164, zone }
  }
}

/** Of a value that is shown in the report. */
const maxValueChars = 100
/** A list names some dozens of zones; what is beyond is not remembered. */
const maxZonesRemembered = 1_000

function turnAway(status: RejectedRow['status'], code: RowReason, value: string): Screened {
  return { ok: false, status, code, value: code === 'missing_phone' ? null : value.slice(0, maxValueChars) }
}

/** Zone names in their own spelling; null for what is none. Abbreviations (`EST`) are refused: half the year they lie. */
function zoneReader(): (text: string) => string | null {
  const known = new Map<string, string | null>()
  return text => {
    const name = text.trim()
    const before = known.get(name)
    if (before !== undefined) return before
    const zone =
      isIanaZone(name) && (name.includes('/') || name.toUpperCase() === 'UTC') ? spelled(name) : null
    if (known.size < maxZonesRemembered) known.set(name, zone)
    return zone
  }
}

function spelled(zone: string): string {
  return Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(zone).timeZoneId
}

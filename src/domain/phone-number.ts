// From what stands in a cell to a number that can be dialled: strict E.164, or anything that a person reads as one.
import { type CountryCode, parsePhoneNumberFromString } from 'libphonenumber-js/max'
import { judgeNumber, type RegionPlan, regionPlan, splitCallingCode } from './numbering-plan.ts'
import type { RowReason } from './refusal.ts'
import type { Destination } from './workspace.ts'

export interface NumberRules {
  /** ISO 3166-1 alpha-2 for numbers without `+`; null: such numbers are invalid. */
  region: string | null
  /** `e164`: only `+` and 7 to 15 digits; `readable`: anything that can be read without guessing digits. */
  rule: 'e164' | 'readable'
}

/** `country` is ISO 3166-1 alpha-2; null for codes that belong to no country (satellites, international freephone). */
export type ReadNumber = { ok: true; e164: string; country: string | null } | { ok: false; code: RowReason }

/**
 * Reads one number. A `number` is a spreadsheet's or JSON's numeric cell: where the `+` was lost with the typing, 11 to
 * 15 digits may be an international number if they are not a national one. Text never gets that benefit: a digit typed
 * too many would ring a stranger abroad. Never expands `9.19877E+11`: the missing digits are gone.
 */
export function readPhoneNumber(cell: string | number, rules: NumberRules): ReadNumber {
  if (typeof cell === 'number') return readNumeric(cell, rules)
  const text = cell.trim()
  if (text === '') return missing
  if (plainE164.test(text)) return readInternational(text)
  if (rules.rule === 'e164') return invalid
  return readFreely(text, rules.region)
}

/** Why a number may not be dialled from here; null: it may. `destinations` null allows all, `[]` nothing. */
export function refuseDestination(
  e164: string,
  country: string | null,
  destinations: readonly Destination[] | null,
): RowReason | null {
  if (destinations === null) return null
  if (destinations.length === 0) return 'no_enabled_countries'
  const entries = destinations.filter(destination => destination.country.toUpperCase() === country)
  if (entries.length === 0) return 'unsupported_country'
  const allowed = entries.some(
    ({ prefixes }) => !prefixes?.length || prefixes.some(prefix => e164.startsWith(prefix)),
  )
  return allowed ? null : 'unsupported_prefix'
}

/** ITU-T E.164 §6: at most 15 digits; the shortest that any plan uses has 7 with its calling code. */
const plainE164 = /^\+\d{7,15}$/
const maxE164Digits = 15
/** Longer text is prose, not a number. */
const maxNumberChars = 100
/** Fewer digits are an area code or an ending, not a second number. */
const minSecondNumberDigits = 7
/** Of a numeric cell that may have lost its plus. */
const plusLostDigits = /^\d{11,15}$/

const invalid: ReadNumber = { ok: false, code: 'invalid_phone' }
const missing: ReadNumber = { ok: false, code: 'missing_phone' }
const ambiguous: ReadNumber = { ok: false, code: 'ambiguous_phone' }

function readInternational(e164: string): ReadNumber {
  const split = splitCallingCode(e164.slice(1))
  if (split === null) return invalid
  const verdict = judgeNumber(...split)
  if (verdict.known) return { ok: true, e164, country: verdict.country }
  return verdict.why === 'unsure' ? askLibrary(e164, null) : invalid
}

function readNumeric(cell: number, rules: NumberRules): ReadNumber {
  if (rules.rule === 'e164' || !Number.isSafeInteger(cell) || cell <= 0) return invalid
  const digits = String(cell)
  const national = rules.region === null ? invalid : readNational(digits, rules.region)
  return national.ok || !plusLostDigits.test(digits) ? national : readInternational(`+${digits}`)
}

function readFreely(raw: string, region: string | null): ReadNumber {
  const text = undress(raw)
  if (text === '') return missing
  if (text.length > maxNumberChars || inScientificNotation.test(text)) return invalid
  if (plainE164.test(text)) return readInternational(text)
  if (holdsTwoNumbers(text)) return ambiguous
  const digits = punctuated.test(text) ? text.replace(punctuation, '') : text
  if (plainE164.test(digits)) return readInternational(digits)
  if (region !== null && /^\d+$/.test(digits)) {
    const national = readNational(digits, region)
    if (national.ok || !digits.startsWith('00')) return national
  }
  const read = askLibrary(text, region)
  // 00 is what ITU-T E.164 recommends to dial before a country code, also where the region itself dials 011.
  return read.ok || !/^0\s?0/.test(text) ? read : askLibrary(`+${text.replace(/^0\s?0/, '')}`, null)
}

/** The punctuation of nearly all written numbers; with these the library sees only the digits. */
const punctuated = /^\+?\(?\d[\d \u00a0().-]*$/
const punctuation = /[^\d+]/g

/** Takes off what spreadsheets and address books put around a number. */
function undress(text: string): string {
  const visible = text.replace(invisible, '').trim()
  const unquoted = visible.replace(/^=\s*"(.*)"$/s, '$1').replace(/^['’`]+/, '')
  return unquoted.replace(/^tel:/i, '').trim()
}

/** Zero-width and text-direction marks, which come along when numbers are copied from chats and contacts. */
const invisible = /[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g
const inScientificNotation = /^\d+(?:[.,]\d+)?e\+?\d+$/i
const betweenNumbers = /[,;|&\n\r\t]|\/|\\|\bor\b|\band\b/i

function holdsTwoNumbers(text: string): boolean {
  if (text.indexOf('+') !== text.lastIndexOf('+')) return true
  // `030 1234567/8` rings two lines of one house: which, is not ours to choose.
  if (/\d\s*[/\\]\s*\d{1,3}$/.test(text)) return true
  if (countNumbers(text.split(betweenNumbers)) > 1) return true
  return digitsOf(text).length > maxE164Digits && countNumbers(text.split(/\s+/)) > 1
}

function countNumbers(parts: string[]): number {
  return parts.filter(part => digitsOf(part).length >= minSecondNumberDigits).length
}

function digitsOf(text: string): string {
  return text.replace(/\D/g, '')
}

function readNational(digits: string, region: string): ReadNumber {
  const plan = regionPlan(region)
  if (plan === null) return invalid
  const national = nationalPart(digits, plan)
  if (national === null) return askLibrary(digits, region)
  // A number that no country of a shared code claims is the region's, unless it was written with the code.
  const home = digits.startsWith(plan.callingCode) ? null : region
  const verdict = judgeNumber(plan.callingCode, national, home)
  if (verdict.known) return { ok: true, e164: `+${plan.callingCode}${national}`, country: verdict.country }
  return verdict.why === 'unsure' ? askLibrary(digits, region) : invalid
}

/** The national (significant) number in digits that may have a national prefix or country code; null: ask the library. */
function nationalPart(digits: string, plan: RegionPlan): string | null {
  const { callingCode, prefixed, international, nationalPrefix, general } = plan
  const withCode = digits.startsWith(callingCode)
  if (!withCode && !prefixed.test(digits)) return digits
  const start = withCode ? callingCode : nationalPrefix
  if (start === null || !digits.startsWith(start) || international.test(digits)) return null
  if (withCode && prefixed.test(digits)) return null
  const rest = digits.slice(start.length)
  // Wrong as it stands and right without its start: that start is no part of the number. Anything else is a closer call.
  return !general.test(digits) && general.test(rest) && !prefixed.test(rest) ? rest : null
}

/** An extension makes a number invalid: the trunk cannot dial it, and the switchboard is not the person. */
function askLibrary(text: string, region: string | null): ReadNumber {
  const options = { extract: false, ...(region === null ? {} : { defaultCountry: region as CountryCode }) }
  const number = parsePhoneNumberFromString(text, options)
  if (number === undefined || number.ext || !number.isValid()) return invalid
  if (number.number.length > maxE164Digits + 1) return invalid
  return { ok: true, e164: number.number, country: number.country ?? null }
}

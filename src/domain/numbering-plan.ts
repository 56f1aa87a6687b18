// Google's numbering plans, compiled once: is this a real number, and whose? Ten times faster than asking the library,
// which builds each pattern anew on every call (12 to 17 µs a number against 1; a list has 200,000 of them).
import { Metadata } from 'libphonenumber-js/core'
import metadata from 'libphonenumber-js/max/metadata'

/** `unsure`: a national prefix seems to have been written, and what becomes of it only the library knows. */
export type PlanVerdict =
  | { known: true; country: string | null }
  | { known: false; why: 'invalid' | 'unsure' }

/**
 * Judges a national (significant) number under a calling code, both as digits. `region` is where it was written without
 * its code: it keeps a number that no country of a shared code claims. Where the verdict is not `unsure` it is exactly
 * what libphonenumber-js/max says: a property test holds them equal.
 */
export function judgeNumber(
  callingCode: string,
  national: string,
  region: string | null = null,
): PlanVerdict {
  const code = codes.get(callingCode) ?? compileCode(callingCode)
  if (code === null) return invalid
  if (national.length < minNationalDigits || national.length > maxNationalDigits) return invalid
  if (code.nationalPrefix?.test(national)) return unsure
  const owner = code.plans.length === 1 ? code.plans[0] : code.plans.find(plan => owns(plan, national))
  if (owner !== undefined) return isValid(owner, national) ? owner.verdict : invalid
  const home = code.plans.find(plan => plan.country === region) ?? code.plans[0]
  if (home === undefined || !isValid(home, national)) return invalid
  return home.country === region ? home.verdict : { known: true, country: null }
}

/** Splits `digits` (an international number without its plus) into calling code and national number; null: no such code. */
export function splitCallingCode(digits: string): [code: string, national: string] | null {
  for (let length = 1; length <= maxCodeDigits; length++) {
    const code = digits.slice(0, length)
    if (isCallingCode(code)) return [code, digits.slice(length)]
  }
  return null
}

/** What decides how digits without a plus are read in a region. */
export interface RegionPlan {
  callingCode: string
  /** Digits that begin like this have a national or international prefix. */
  prefixed: RegExp
  /** Of them, those with an international prefix. */
  international: RegExp
  /** The national prefix, where it is plain digits (`0`); null: there is none, or a rule. */
  nationalPrefix: string | null
  /** Any national number of the region. */
  general: RegExp
}

/** null: not a region that has telephone numbers. `region` is ISO 3166-1 alpha-2 in capitals. */
export function regionPlan(region: string): RegionPlan | null {
  const cached = regions.get(region)
  if (cached !== undefined) return cached
  const plan = plans.hasCountry(region) ? compileRegion(region) : null
  regions.set(region, plan)
  return plan
}

// Bounds of a national number that the library itself applies before it looks at a plan.
const minNationalDigits = 2
const maxNationalDigits = 17
const maxCodeDigits = 3

const numberTypes = [
  'FIXED_LINE',
  'MOBILE',
  'PREMIUM_RATE',
  'TOLL_FREE',
  'SHARED_COST',
  'VOIP',
  'PERSONAL_NUMBER',
  'PAGER',
  'UAN',
  'VOICEMAIL',
] as const

interface Pattern {
  /** null: any length that the general pattern allows. */
  lengths: readonly number[] | null
  digits: RegExp
}
interface Plan {
  country: string | null
  verdict: PlanVerdict
  general: RegExp
  /** null: the general pattern is all there is. */
  types: Pattern[] | null
  /** Enough to say that a number under a shared code is this country's. */
  leadingDigits: RegExp | null
}
interface Code {
  nationalPrefix: RegExp | null
  plans: Plan[]
}

/** The part of the library's Metadata that its own typings leave out. */
interface NumberingPlanSource {
  hasCountry(country: string): boolean
  hasCallingCode(code: string): boolean | undefined
  getCountryCodesForCallingCode(code: string): string[] | undefined
  selectNumberingPlan(countryOrCode: string): void
  numberingPlan: {
    callingCode(): string
    IDDPrefix(): string
    nationalNumberPattern(): string
    nationalPrefixForParsing(): string | undefined
    leadingDigits(): string | undefined
    hasTypes(): boolean
    type(name: string): { pattern(): string; possibleLengths(): number[] | undefined } | undefined
  }
}

const plans = new Metadata(metadata) as unknown as NumberingPlanSource
const codes = new Map<string, Code | null>()
const regions = new Map<string, RegionPlan | null>()
const invalid: PlanVerdict = { known: false, why: 'invalid' }
const unsure: PlanVerdict = { known: false, why: 'unsure' }

function isCallingCode(code: string): boolean {
  return (codes.get(code) ?? compileCode(code)) !== null
}

function compileCode(callingCode: string): Code | null {
  if (codes.has(callingCode) || callingCode.length > maxCodeDigits) return null
  const code = plans.hasCallingCode(callingCode) ? readCode(callingCode) : null
  codes.set(callingCode, code)
  return code
}

function readCode(callingCode: string): Code {
  plans.selectNumberingPlan(callingCode)
  const prefix = plans.numberingPlan.nationalPrefixForParsing()
  const countries = plans.getCountryCodesForCallingCode(callingCode)
  return {
    nationalPrefix: prefix ? new RegExp(`^(?:${prefix})`) : null,
    plans: countries?.map(country => compilePlan(country, country)) ?? [compilePlan(callingCode, null)],
  }
}

function compilePlan(countryOrCode: string, country: string | null): Plan {
  plans.selectNumberingPlan(countryOrCode)
  const plan = plans.numberingPlan
  const leadingDigits = plan.leadingDigits()
  return {
    country,
    verdict: { known: true, country },
    general: whole(plan.nationalNumberPattern()),
    types: plan.hasTypes() ? compileTypes(plan) : null,
    leadingDigits: leadingDigits ? new RegExp(`^(?:${leadingDigits})`) : null,
  }
}

function compileTypes(plan: NumberingPlanSource['numberingPlan']): Pattern[] {
  return numberTypes.flatMap(name => {
    const type = plan.type(name)
    return type?.pattern() ? [{ lengths: type.possibleLengths() ?? null, digits: whole(type.pattern()) }] : []
  })
}

function compileRegion(region: string): RegionPlan {
  plans.selectNumberingPlan(region)
  const plan = plans.numberingPlan
  const prefix = plan.nationalPrefixForParsing()
  return {
    callingCode: plan.callingCode(),
    prefixed: startingWith([prefix, plan.IDDPrefix()]),
    international: startingWith([plan.IDDPrefix()]),
    nationalPrefix: prefix && /^\d+$/.test(prefix) ? prefix : null,
    general: whole(plan.nationalNumberPattern()),
  }
}

/** Without any pattern: nothing starts with it. */
function startingWith(patterns: (string | undefined)[]): RegExp {
  const given = patterns.filter(pattern => pattern)
  return new RegExp(given.length === 0 ? '(?!)' : `^(?:${given.join('|')})`)
}

function whole(pattern: string): RegExp {
  return new RegExp(`^(?:${pattern})$`)
}

function owns(plan: Plan, national: string): boolean {
  return plan.leadingDigits === null ? isValid(plan, national) : plan.leadingDigits.test(national)
}

function isValid(plan: Plan, national: string): boolean {
  if (!plan.general.test(national)) return false
  if (plan.types === null) return true
  return plan.types.some(
    ({ lengths, digits }) => (lengths === null || lengths.includes(national.length)) && digits.test(national),
  )
}

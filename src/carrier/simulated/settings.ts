// What a simulated trunk can be told (trunk.settings): how its calls end, how long they take, what it puts up with.

/** How a call ends that no number's ending forces. */
export const chances = [
  'answered',
  'voicemail',
  'busy',
  'no-answer',
  'declined',
  'unreachable',
  'failure',
] as const
export type Chance = (typeof chances)[number]

/** From and to, both included, in ms. */
export type SpanMs = readonly [number, number]

export interface SimulatedSettings {
  /** Probabilities that sum to 1. */
  rates: Readonly<Record<Chance, number>>
  /** How long it rings before somebody decides. */
  ringMs: SpanMs
  /** How long it rings when nobody does. */
  ringOutMs: SpanMs
  talkMs: SpanMs
  /** Everything takes this many times less. */
  speedFactor: number
  /** Above these the trunk refuses calls, as a carrier would; null: it takes all. */
  maxCallsPerSecond: number | null
  maxConcurrentCalls: number | null
  /** null: the carrier's own. */
  seed: number | null
  /** Calls take no time at all: their ends come together, once in each turn of the event loop. For benchmarks. */
  zeroLength: boolean
  /** Whether a number's last two digits may force an outcome; off for lists of real numbers. */
  forcedEndings: boolean
}

/** Mostly answered, as a demo should be. What is not set in the settings is shared in these proportions. */
const usualRates: Readonly<Record<Chance, number>> = {
  answered: 0.72,
  voicemail: 0.08,
  busy: 0.08,
  'no-answer': 0.09,
  declined: 0.01,
  unreachable: 0.01,
  failure: 0.01,
}

const rateNames: Readonly<Record<Chance, string>> = {
  answered: 'answerRate',
  voicemail: 'voicemailRate',
  busy: 'busyRate',
  'no-answer': 'noAnswerRate',
  declined: 'declinedRate',
  unreachable: 'unreachableRate',
  failure: 'failureRate',
}

const maxSpanMs = 24 * 60 * 60_000
/** A sum of decimal fractions may miss 1 by this much. */
const rounding = 1e-9

type Raw = Readonly<Record<string, unknown>>
class SettingsError extends Error {}

/**
 * Reads the settings of a trunk; keys that are not known are ignored, since the same object holds the trunk's address.
 * The error is one sentence that names the setting.
 */
export function readSettings(raw: Raw): { settings: SimulatedSettings } | { error: string } {
  try {
    return { settings: parse(raw) }
  } catch (error) {
    if (error instanceof SettingsError) return { error: error.message }
    throw error
  }
}

/** Port of the carrier's own process on this machine; null: the carrier runs in our process. */
export function readAddress(raw: Raw): { port: number | null } | { error: string } {
  const { address } = raw
  if (address === undefined || address === null) return { port: null }
  const [, digits = ''] = typeof address === 'string' ? (/^127\.0\.0\.1:(\d{1,5})$/.exec(address) ?? []) : []
  const port = Number(digits)
  return port >= 1 && port <= 65_535
    ? { port }
    : { error: 'address must be 127.0.0.1 and a port, e.g. 127.0.0.1:7070' }
}

function parse(raw: Raw): SimulatedSettings {
  return {
    rates: ratesFrom(raw),
    ringMs: spanFrom(raw, 'ringMs', [100, 400]),
    ringOutMs: spanFrom(raw, 'ringOutMs', [550, 650]),
    talkMs: spanFrom(raw, 'talkMs', [200, 1_000]),
    speedFactor: numberFrom(raw, 'speedFactor', 0.001, 1_000_000) ?? 1,
    maxCallsPerSecond: numberFrom(raw, 'maxCallsPerSecond', 0, 1_000_000),
    maxConcurrentCalls: numberFrom(raw, 'maxConcurrentCalls', 0, 1_000_000),
    seed: integerFrom(raw, 'seed'),
    zeroLength: flagFrom(raw, 'zeroLength', false),
    forcedEndings: flagFrom(raw, 'forcedEndings', true),
  }
}

/** Rates that are set stand as they are; the others share what is left in their usual proportions. */
function ratesFrom(raw: Raw): Record<Chance, number> {
  const set = new Map<Chance, number>()
  for (const chance of chances) {
    const rate = numberFrom(raw, rateNames[chance], 0, 1)
    if (rate !== null) set.set(chance, rate)
  }
  const taken = [...set.values()].reduce((sum, rate) => sum + rate, 0)
  if (taken > 1 + rounding) throw new SettingsError('the rates must not sum to more than 1')
  const unset = chances.filter(chance => !set.has(chance))
  if (unset.length === 0 && taken < 1 - rounding)
    throw new SettingsError('when all rates are set they must sum to 1')
  const usual = unset.reduce((sum, chance) => sum + usualRates[chance], 0)
  const share = (chance: Chance) => set.get(chance) ?? ((1 - taken) * usualRates[chance]) / usual
  return Object.fromEntries(chances.map(chance => [chance, Math.max(0, share(chance))])) as Record<
    Chance,
    number
  >
}

function spanFrom(raw: Raw, name: string, usual: SpanMs): SpanMs {
  const value = raw[name]
  if (value === undefined || value === null) return usual
  const [from, to] = Array.isArray(value) && value.length === 2 ? (value as unknown[]) : []
  if (typeof from !== 'number' || typeof to !== 'number' || !(from >= 0 && from <= to && to <= maxSpanMs))
    throw new SettingsError(`${name} must be [from, to] in milliseconds, 0 to ${maxSpanMs}`)
  return [from, to]
}

function numberFrom(raw: Raw, name: string, min: number, max: number): number | null {
  const value = raw[name]
  if (value === undefined || value === null) return null
  if (typeof value !== 'number' || !(value >= min && value <= max))
    throw new SettingsError(`${name} must be a number from ${min} to ${max}`)
  return value
}

function integerFrom(raw: Raw, name: string): number | null {
  const value = raw[name]
  if (value === undefined || value === null) return null
  if (!Number.isSafeInteger(value)) throw new SettingsError(`${name} must be a whole number`)
  return Number(value)
}

function flagFrom(raw: Raw, name: string, usual: boolean): boolean {
  const value = raw[name] ?? usual
  if (typeof value !== 'boolean') throw new SettingsError(`${name} must be true or false`)
  return value
}

// How long telephones ring and people talk where a forecast is asked for: as they do, not as a quick demo has it.
import type { SimulateOptions } from './simulate.ts'

/** People who pick up do so within a few rings (a ring is 5 to 6 s). */
const ringMs = [5_000, 25_000] as const
/** Where nobody picks up: voicemail or the carrier takes over after about half a minute. */
const ringOutMs = [25_000, 32_000] as const

/** Of the calls that no person answers: how they end. Sums to 1. */
const unansweredShares = {
  voicemailRate: 0.4,
  noAnswerRate: 0.35,
  busyRate: 0.12,
  declinedRate: 0.05,
  unreachableRate: 0.05,
  failureRate: 0.03,
} as const

/** Talks last between a quarter and seven quarters of the average. */
const talkSpread = [0.25, 1.75] as const

/** Settings of the simulated trunk. */
export function telephones({
  answerRate,
  talk,
}: Pick<SimulateOptions, 'answerRate' | 'talk'>): Record<string, unknown> {
  const rates = Object.entries(unansweredShares).map(([name, share]) => [name, (1 - answerRate) * share])
  const talkMs = talkSpread.map(factor => Math.round(factor * talk * 1000))
  // Real numbers end in anything: none of them may force an outcome, as they do for tests and demos.
  return { answerRate, ...Object.fromEntries(rates), ringMs, ringOutMs, talkMs, forcedEndings: false }
}

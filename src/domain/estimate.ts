// What a batch will take in time and money, before it runs, and what a call costs once it is over.
import type { AgentArchitecture } from './workspace.ts'

/** Price of a call of `assumedCallMinutes`, in thousandths of a cent. */
export interface CallRates {
  pipeline: number
  realtime: number
}

/** $0.035 and $0.07 a call (the TalkifAI seed's example of 100 contacts). */
export const defaultCallRates: CallRates = { pipeline: 3_500, realtime: 7_000 }

/** How long a call is taken to last when nobody has spoken yet. */
const assumedCallMinutes = 2
const assumedCallSeconds = assumedCallMinutes * 60
const millicentsPerCent = 1_000

export interface Estimate {
  minutes: number
  costMillicents: number
}

/** Rounds of `concurrency` calls, two minutes each, and one call's price for each contact. */
export function estimateBatch(
  contacts: number,
  concurrency: number,
  architecture: AgentArchitecture,
  rates: CallRates = defaultCallRates,
): Estimate {
  return {
    minutes: Math.ceil(contacts / Math.max(1, concurrency)) * assumedCallMinutes,
    costMillicents: contacts * rateOf(architecture, rates),
  }
}

/**
 * What a call of `talkMs` costs, in thousandths of a cent, rounded up: the rate buys two minutes, seconds are charged as
 * they begin. A call that nobody took costs nothing.
 */
export function callCostMillicents(
  architecture: AgentArchitecture,
  talkMs: number,
  rates: CallRates = defaultCallRates,
): number {
  const seconds = Math.ceil(Math.max(0, talkMs) / 1000)
  return Math.ceil((seconds * rateOf(architecture, rates)) / assumedCallSeconds)
}

/** `2 minutes`, `1 minute`: always in minutes, so that a program can read the number. */
export function formatMinutes(minutes: number): string {
  return minutes === 1 ? '1 minute' : `${minutes} minutes`
}

/** `$3.50`, rounded half up to cents. */
export function formatDollars(millicents: number): string {
  const cents = Math.floor(millicents / millicentsPerCent + 0.5)
  return `$${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`
}

/** A text agent cannot call, so it costs nothing. */
function rateOf(architecture: AgentArchitecture, rates: CallRates): number {
  return architecture === 'text' ? 0 : rates[architecture]
}

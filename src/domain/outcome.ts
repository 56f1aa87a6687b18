// How an attempt ended: one pure table from what the carrier said (field notes §1) to what we do about it.
import { type Burst, isThrottling } from './refusal-burst.ts'

export const dispositions = [
  'answered',
  'voicemail',
  'busy',
  'no-answer',
  'declined',
  'unreachable',
  'blocked',
  'carrier-failure',
  'agent-failure',
  'lost',
  'cancelled',
] as const
export type Disposition = (typeof dispositions)[number]

export type Fault = 'recipient' | 'carrier' | 'agent' | 'us'

/** What else has to happen beside recording the outcome. */
export type Consequence =
  | 'none'
  | 'put-back' // the carrier said slow down: the recipient returns unspent, the trunk slows
  | 'open-trunk-breaker' // the trunk is misconfigured: unspent, counts towards the trunk's breaker
  | 'suppress-number' // the person said no
  | 'rest-caller-id' // the caller ID is flagged

/** What is known of a call when it is over; `null` where nothing was said. */
export interface Evidence {
  /** Final SIP status; 200 for an answered call; null when there was none. */
  sipStatus: number | null
  /** Reason phrase or header text, as received. */
  phrase: string | null
  /** Q.850 cause from a Reason header. */
  q850: number | null
  /** What we did that ended it, if we did. */
  endedBy: 'ring-timeout' | 'silence-timeout' | 'max-age' | 'cancelled-by-us' | 'node-died' | null
  answeredAt: number | null
  /** A machine took the call. */
  voicemail: boolean
  /** The agent could not be reached or broke during the call. */
  agentFailed: boolean
  /** The person asked, during the call, not to be called again. */
  doNotCallAgain?: boolean
  /** It is an immediate 480: how that stands among the trunk's other answers. */
  burst?: Burst
  /** It never left this machine: no port, no worker, audio too late already. No word about the carrier. */
  notPlaced?: boolean
}

/** Nothing was said. */
export const noEvidence: Evidence = {
  sipStatus: null,
  phrase: null,
  q850: null,
  endedBy: null,
  answeredAt: null,
  voicemail: false,
  agentFailed: false,
}

export interface Outcome {
  disposition: Disposition
  /** The evidence in a few words, e.g. `sip 486 Busy Here`, `q850 34`, `ring timeout`. */
  cause: string
  sipStatus: number | null
  q850: number | null
  fault: Fault
  retryable: boolean
  consequence: Consequence
}

interface Verdict {
  disposition: Disposition
  fault: Fault
  retryable: boolean
  consequence: Consequence
}

const verdict = (
  disposition: Disposition,
  fault: Fault,
  retryable: boolean,
  consequence: Consequence = 'none',
): Verdict => ({ disposition, fault, retryable, consequence })

const noAnswer = verdict('no-answer', 'recipient', true)
const busy = verdict('busy', 'recipient', true)
const unreachable = verdict('unreachable', 'recipient', false)
const declined = verdict('declined', 'recipient', true)
const personSaidNo = verdict('blocked', 'recipient', false, 'suppress-number')
const callerIdFlagged = verdict('blocked', 'carrier', true, 'rest-caller-id')
const trunkMisconfigured = verdict('carrier-failure', 'us', true, 'open-trunk-breaker')
const throttled = verdict('carrier-failure', 'carrier', true, 'put-back')
const carrierFailure = verdict('carrier-failure', 'carrier', true)
const notPlaced = verdict('carrier-failure', 'us', true, 'put-back')

/** RFC 3261 §21 final answers as trunks use them; a code that is not here falls to its class. */
const bySipStatus: ReadonlyMap<number, Verdict> = new Map([
  [401, trunkMisconfigured],
  [403, trunkMisconfigured],
  [404, unreachable],
  [407, trunkMisconfigured],
  [408, noAnswer],
  [410, unreachable],
  [415, trunkMisconfigured],
  [429, throttled],
  [480, noAnswer],
  [484, unreachable],
  [485, unreachable],
  [486, busy],
  [487, noAnswer],
  [488, trunkMisconfigured],
  [600, busy],
  [603, declined],
  [604, unreachable],
  [606, trunkMisconfigured],
  [607, personSaidNo],
  [608, callerIdFlagged],
])

/** ITU-T Q.850 causes, read when the SIP status says little. */
const byQ850: ReadonlyMap<number, Verdict> = new Map([
  [1, unreachable],
  [17, busy],
  [18, noAnswer],
  [19, noAnswer],
  [20, noAnswer],
  [21, declined],
  [22, unreachable],
  [28, unreachable],
  [34, throttled],
  [38, carrierFailure],
  [41, carrierFailure],
  [42, throttled],
  [44, throttled],
])

/** 403, 480 and 503 mean "slow down" when their text speaks of channels or calls per second (Telnyx: `403 … D1`). */
const throttlePhrase = /\b(cps|channels?|rate|concurren\w*|capacity|too many|D1)\b/i
const throttleStatuses: ReadonlySet<number> = new Set([403, 480, 503])

/** What single carriers say in words or headers of their own (header texts are part of the phrase). */
const quirks: readonly { text: RegExp; verdict: Verdict }[] = [
  // Twilio: the called network blocks the caller ID as unwanted, under whatever status.
  { text: /\bx-twilio-error 32203\b/i, verdict: callerIdFlagged },
]

/** Classifies one ended call. Pure; total: every evidence has an outcome. */
export function classify(evidence: Evidence): Outcome {
  const { disposition, fault, retryable, consequence } = judge(evidence)
  const { sipStatus, q850 } = evidence
  return { disposition, cause: describe(evidence), sipStatus, q850, fault, retryable, consequence }
}

function judge(evidence: Evidence): Verdict {
  const { sipStatus, phrase, q850, endedBy } = evidence
  if (endedBy === 'node-died') return verdict('lost', 'us', evidence.answeredAt === null)
  if (endedBy === 'cancelled-by-us' && evidence.answeredAt === null) return verdict('cancelled', 'us', false)
  if (evidence.notPlaced === true) return notPlaced
  const saidNo = evidence.doNotCallAgain === true
  const consequence = saidNo ? 'suppress-number' : 'none'
  if (evidence.agentFailed) return verdict('agent-failure', 'agent', !saidNo, consequence)
  if (evidence.answeredAt !== null)
    return verdict(evidence.voicemail ? 'voicemail' : 'answered', 'recipient', false, consequence)
  if (endedBy === 'ring-timeout') return noAnswer
  if (endedBy === 'silence-timeout' || endedBy === 'max-age') return carrierFailure
  if (sipStatus !== null && throttleStatuses.has(sipStatus) && throttlePhrase.test(phrase ?? ''))
    return throttled
  if (isInBurst(evidence)) return throttled
  const quirk = quirks.find(({ text }) => text.test(phrase ?? ''))
  if (quirk !== undefined) return quirk.verdict
  const byStatus = sipStatus === null ? undefined : bySipStatus.get(sipStatus)
  return byStatus ?? (q850 === null ? undefined : byQ850.get(q850)) ?? carrierFailure
}

function isInBurst({ burst }: Evidence): boolean {
  return burst !== undefined && isThrottling(burst)
}

function describe(evidence: Evidence): string {
  const { sipStatus, phrase, q850, endedBy, agentFailed, voicemail } = evidence
  if (endedBy !== null) return endedBy.replaceAll('-', ' ')
  if (agentFailed) return phrase === null ? 'agent failed' : `agent failed: ${phrase}`
  if (voicemail) return 'answering machine'
  const words = [
    sipStatus === null ? null : `sip ${sipStatus}`,
    phrase,
    q850 === null ? null : `q850 ${q850}`,
    isInBurst(evidence) ? 'in a burst' : null,
  ].filter(word => word !== null && word !== '')
  return words.length === 0 ? 'no answer from the carrier' : words.join(' ')
}

/** Evidence of a call that never left this machine: the person is put back unspent, the trunk is not slowed. */
export function unplaced(why: string): Evidence {
  return {
    sipStatus: null,
    phrase: `not placed: ${why}`,
    q850: null,
    endedBy: null,
    answeredAt: null,
    voicemail: false,
    agentFailed: false,
    notPlaced: true,
  }
}

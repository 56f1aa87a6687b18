// One person in a batch, and where they stand: the closed set that counts, filters and vendors' statuses are made of.
import type { Disposition, Outcome } from './outcome.ts'

/**
 * Where a recipient stands. Before the end: queued, calling, waiting. At the end: the disposition of the last attempt,
 * with `timeout` set apart from `no-answer` (SIP 408; one dialect shows it), or cancelled / suppressed.
 */
export const standings = [
  'queued',
  'calling',
  'waiting',
  'answered',
  'voicemail',
  'busy',
  'no-answer',
  'timeout',
  'declined',
  'unreachable',
  'blocked',
  'carrier-failure',
  'agent-failure',
  'lost',
  'cancelled',
  'suppressed',
] as const
export type Standing = (typeof standings)[number]

export type RecipientStatus = 'queued' | 'calling' | 'waiting' | 'finished' | 'cancelled' | 'suppressed'

/** Standings in which more is to come; a batch completes when nobody stands at one of them. */
export const liveStandings: ReadonlySet<Standing> = new Set(['queued', 'calling', 'waiting'])

export function statusOf(standing: Standing): RecipientStatus {
  if (liveStandings.has(standing) || standing === 'cancelled' || standing === 'suppressed')
    return standing as RecipientStatus
  return 'finished'
}

/** Where a recipient stands for good after an attempt that is not followed by another. */
export function finalStanding(outcome: { disposition: Disposition; sipStatus: number | null }): Standing {
  return outcome.disposition === 'no-answer' && outcome.sipStatus === 408 ? 'timeout' : outcome.disposition
}

/** How many recipients stand where, plus the sums that reports need; kept in the transaction of each transition. */
export interface Progress {
  counts: Record<Standing, number>
  /** Sum of talk time over answered and voicemail attempts, in milliseconds. */
  talkMs: number
  /** Calls that were placed (attempts that left `claimed`). */
  attempts: number
  /** Attempts that ended, and those of them that failed for no fault of the person: the self-pause reads them. */
  endedAttempts: number
  failedAttempts: number
  /** Cost of the ended calls, in thousandths of a cent. */
  costMillicents: number
}

export interface Recipient {
  id: number
  batchId: number
  /** 1 for the first accepted row, without gaps within a batch. */
  position: number
  /** As the user sees it: the header of a file is row 1; for JSON the first contact is row 1. */
  rowNumber: number
  /** E.164. */
  number: string
  /** One IANA zone, or several joined by `|` when a prefix spans them: callable only while all are open. */
  zone: string
  variables: Record<string, unknown>
  standing: Standing
  /** Calls placed, the open one included. */
  attempts: number
  /** When a retry is due (waiting) or may be tried (queued), epoch ms; null otherwise. */
  dueAt: number | null
  finishedAt: number | null
  /** The latest attempt, open or ended. */
  lastAttempt: Attempt | null
}

export type AttemptStatus = 'claimed' | 'dialing' | 'ringing' | 'answered' | 'ended'

/** One dial of one recipient. */
export interface Attempt {
  id: number
  batchId: number
  recipientId: number
  /** 1 for the recipient's first call. */
  ordinal: number
  number: string
  /** Caller ID, E.164. */
  callerId: string
  trunkId: number
  status: AttemptStatus
  /** SIP Call-ID, written before the dial. */
  callId: string | null
  dialedAt: number | null
  answeredAt: number | null
  endedAt: number | null
  /** null while the attempt is open. */
  outcome: Pick<Outcome, 'disposition' | 'cause' | 'sipStatus' | 'q850' | 'fault' | 'retryable'> | null
  costMillicents: number
}

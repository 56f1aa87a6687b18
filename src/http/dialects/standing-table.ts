// The one table that turns where a recipient stands into each vendor's status, count and webhook; presenters look here
// and nowhere else.
import type { Standing } from '../../domain/recipient.ts'

export const formantCounts = [
  'completed',
  'failed',
  'no_answer',
  'busy',
  'unreachable',
  'socket_failure',
  'in_progress',
  'pending_retry',
] as const
export type FormantCount = (typeof formantCounts)[number]

export type FormantEvent =
  | 'call.completed'
  | 'call.failed'
  | 'call.busy'
  | 'call.no_answer'
  | 'call.socket_failure'
  | 'call.telephony_failed'
  | 'call.unreachable'

export type DialnexaEvent = 'call.completed' | 'call.failed' | 'call.no_answer'

export type TalkifaiEvent = 'call.ended' | 'call.failed'

export type DialnexaStatus =
  | 'created'
  | 'initiated'
  | 'sent'
  | 'completed'
  | 'did_not_pick'
  | 'busy'
  | 'no_answer'
  | 'failed'
  | 'cancelled'
  | 'retry_expired'

export const talkifaiStatuses = [
  'pending',
  'queued',
  'dialing',
  'completed',
  'no_answer',
  'busy',
  'timeout',
  'blocked',
  'invalid_number',
  'carrier_error',
  'failed',
  'cancelled',
] as const
export type TalkifaiStatus = (typeof talkifaiStatuses)[number]

export interface StandingRow {
  formant: {
    /** Each recipient is in one count at most; null: not called yet, or never to be called. */
    count: FormantCount | null
    /** Counts towards `success_count` as well. */
    success: boolean
    event: FormantEvent | null
  }
  dialnexa: {
    status: DialnexaStatus
    /** Instead of `status` while the telephone rings or somebody talks. */
    whenRinging?: DialnexaStatus
    /** Instead of `status` when the telephone rang until the ring time-out. */
    whenRangOut?: DialnexaStatus
    /** Instead of `status` when there were retries and none is left. */
    whenRetried?: DialnexaStatus
    /** The status is that of the last call, which a retry is to follow. */
    ofLastCall?: true
    counter: 'completed' | 'failed' | null
    event: DialnexaEvent | null
  }
  talkifai: TalkifaiStatus
  talkifaiEvent: TalkifaiEvent | null
}

type FormantCell = StandingRow['formant']
const uncounted: FormantCell = { count: null, success: false, event: null }
const counted = (count: FormantCount, event: FormantEvent | null, success = false): FormantCell => ({
  count,
  success,
  event,
})

const failed: StandingRow['dialnexa'] = { status: 'failed', counter: 'failed', event: 'call.failed' }

export const standingTable: Readonly<Record<Standing, StandingRow>> = {
  queued: {
    formant: uncounted,
    dialnexa: { status: 'created', counter: null, event: null },
    talkifai: 'pending',
    talkifaiEvent: null,
  },
  calling: {
    formant: counted('in_progress', null),
    dialnexa: { status: 'initiated', whenRinging: 'sent', counter: null, event: null },
    talkifai: 'dialing',
    talkifaiEvent: null,
  },
  waiting: {
    formant: counted('pending_retry', null),
    dialnexa: { status: 'created', ofLastCall: true, counter: null, event: null },
    talkifai: 'queued',
    talkifaiEvent: null,
  },
  answered: {
    formant: counted('completed', 'call.completed', true),
    dialnexa: { status: 'completed', counter: 'completed', event: 'call.completed' },
    talkifai: 'completed',
    talkifaiEvent: 'call.ended',
  },
  voicemail: {
    formant: counted('completed', 'call.completed'),
    dialnexa: { status: 'completed', counter: 'completed', event: 'call.completed' },
    talkifai: 'completed',
    talkifaiEvent: 'call.ended',
  },
  busy: {
    formant: counted('busy', 'call.busy'),
    dialnexa: { status: 'busy', whenRetried: 'retry_expired', counter: 'failed', event: 'call.failed' },
    talkifai: 'busy',
    talkifaiEvent: 'call.failed',
  },
  'no-answer': {
    formant: counted('no_answer', 'call.no_answer'),
    dialnexa: {
      status: 'no_answer',
      whenRangOut: 'did_not_pick',
      whenRetried: 'retry_expired',
      counter: 'failed',
      event: 'call.no_answer',
    },
    talkifai: 'no_answer',
    talkifaiEvent: 'call.failed',
  },
  timeout: {
    formant: counted('no_answer', 'call.no_answer'),
    dialnexa: {
      status: 'no_answer',
      whenRetried: 'retry_expired',
      counter: 'failed',
      event: 'call.no_answer',
    },
    talkifai: 'timeout',
    talkifaiEvent: 'call.failed',
  },
  declined: {
    formant: counted('failed', 'call.failed'),
    dialnexa: failed,
    talkifai: 'failed',
    talkifaiEvent: 'call.failed',
  },
  unreachable: {
    formant: counted('unreachable', 'call.unreachable'),
    dialnexa: failed,
    talkifai: 'invalid_number',
    talkifaiEvent: 'call.failed',
  },
  blocked: {
    formant: counted('failed', 'call.failed'),
    dialnexa: failed,
    talkifai: 'blocked',
    talkifaiEvent: 'call.failed',
  },
  'carrier-failure': {
    formant: counted('failed', 'call.telephony_failed'),
    dialnexa: failed,
    talkifai: 'carrier_error',
    talkifaiEvent: 'call.failed',
  },
  'agent-failure': {
    formant: counted('socket_failure', 'call.socket_failure'),
    dialnexa: failed,
    talkifai: 'failed',
    talkifaiEvent: 'call.failed',
  },
  lost: {
    formant: counted('failed', 'call.failed'),
    dialnexa: failed,
    talkifai: 'failed',
    talkifaiEvent: 'call.failed',
  },
  cancelled: {
    formant: uncounted,
    dialnexa: { status: 'cancelled', counter: null, event: null },
    talkifai: 'cancelled',
    talkifaiEvent: null,
  },
  suppressed: {
    formant: uncounted,
    dialnexa: { status: 'cancelled', counter: null, event: null },
    talkifai: 'blocked',
    talkifaiEvent: null,
  },
}

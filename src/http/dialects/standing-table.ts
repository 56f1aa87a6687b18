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

/** `scheduled` is a batch's or a call's that has not begun: no standing says it. */
export type FormantConversationStatus =
  | 'scheduled'
  | 'initiated'
  | 'cancelled'
  | 'in_progress'
  | 'pending_retry'
  | EventWord<FormantEvent>
type EventWord<Event> = Event extends `call.${infer Word}` ? Word : never
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
    conversation: FormantConversationStatus
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
const uncounted = (conversation: FormantConversationStatus): FormantCell => ({
  count: null,
  success: false,
  event: null,
  conversation,
})
const underWay = (count: 'in_progress' | 'pending_retry'): FormantCell => ({
  count,
  success: false,
  event: null,
  conversation: count,
})
/** A conversation that is over has the word of its webhook. */
const counted = (count: FormantCount, event: FormantEvent, success = false): FormantCell => ({
  count,
  success,
  event,
  conversation: event.slice('call.'.length) as EventWord<FormantEvent>,
})

const failed: StandingRow['dialnexa'] = { status: 'failed', counter: 'failed', event: 'call.failed' }

export const standingTable: Readonly<Record<Standing, StandingRow>> = {
  queued: {
    formant: uncounted('initiated'),
    dialnexa: { status: 'created', counter: null, event: null },
    talkifai: 'pending',
    talkifaiEvent: null,
  },
  calling: {
    formant: underWay('in_progress'),
    dialnexa: { status: 'initiated', whenRinging: 'sent', counter: null, event: null },
    talkifai: 'dialing',
    talkifaiEvent: null,
  },
  waiting: {
    formant: underWay('pending_retry'),
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
    formant: uncounted('cancelled'),
    dialnexa: { status: 'cancelled', counter: null, event: null },
    talkifai: 'cancelled',
    talkifaiEvent: null,
  },
  suppressed: {
    formant: uncounted('cancelled'),
    dialnexa: { status: 'cancelled', counter: null, event: null },
    talkifai: 'blocked',
    talkifaiEvent: null,
  },
}

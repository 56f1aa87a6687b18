// The INVITE client transaction (RFC 3261 §17.1.1, RFC 6026 §8.4), pure over (state, event, now).
//
//   calling ──1xx──▶ proceeding ──2xx──▶ accepted ──timer M──▶ terminated
//      │ 2xx ▶ accepted   └──300-699──▶ completed ──timer D──▶ terminated
//      │ 300-699 ▶ completed
//      └── timer B, transport error ──▶ terminated
import { patienceMs, type Step, type TransactionTiming, type Waiting } from './transaction-timing.ts'

export interface ClientInvite extends Waiting {
  state: 'calling' | 'proceeding' | 'accepted' | 'completed' | 'terminated'
  reliable: boolean
  /** The interval that led to `resendAt`, ms. */
  intervalMs: number
}

export type ClientInviteEvent = 'provisional' | 'success' | 'failure' | 'timer' | 'transport-error'

export type ClientEffect =
  /** Send the request again. */
  | 'resend'
  /** ACK this final answer (§17.1.1.3); a 2xx is ACKed by whoever called. */
  | 'acknowledge'
  /** Hand the response to whoever called. */
  | 'pass'
  | 'time-out'
  | 'fail'

const nothing: readonly ClientEffect[] = []
const pass: readonly ClientEffect[] = ['pass']
const resend: readonly ClientEffect[] = ['resend']
const acknowledge: readonly ClientEffect[] = ['acknowledge']
const acknowledgeAndPass: readonly ClientEffect[] = ['acknowledge', 'pass']
const timeOut: readonly ClientEffect[] = ['time-out']
const fail: readonly ClientEffect[] = ['fail']

/** The request has just been sent: timer A (unreliable transports) and timer B run. */
export function startClientInvite(reliable: boolean, now: number, timing: TransactionTiming): ClientInvite {
  return {
    state: 'calling',
    reliable,
    intervalMs: timing.t1Ms,
    resendAt: reliable ? null : now + timing.t1Ms,
    endAt: now + patienceMs(timing),
  }
}

export function stepClientInvite(
  at: ClientInvite,
  event: ClientInviteEvent,
  now: number,
  timing: TransactionTiming,
): Step<ClientInvite, ClientEffect> {
  switch (at.state) {
    case 'calling':
      return event === 'timer' ? tick(at, now) : leave(at, event, now, timing)
    case 'proceeding':
      // §17.1.1.2: no timer runs here. How long it may ring is the caller's business.
      return event === 'timer' ? { next: at, effects: nothing } : leave(at, event, now, timing)
    case 'accepted':
      if (event === 'success') return { next: at, effects: pass }
      return event === 'timer' ? expire(at, now) : { next: at, effects: nothing }
    case 'completed':
      if (event === 'failure') return { next: at, effects: acknowledge }
      return event === 'timer' ? expire(at, now) : { next: at, effects: nothing }
    case 'terminated':
      return { next: at, effects: nothing }
  }
}

/** Timers A and B. */
function tick(at: ClientInvite, now: number): Step<ClientInvite, ClientEffect> {
  if (at.endAt !== null && now >= at.endAt) return { next: terminated(at), effects: timeOut }
  if (at.resendAt === null || now < at.resendAt) return { next: at, effects: nothing }
  const intervalMs = at.intervalMs * 2
  return { next: { ...at, intervalMs, resendAt: now + intervalMs }, effects: resend }
}

function leave(
  at: ClientInvite,
  event: Exclude<ClientInviteEvent, 'timer'>,
  now: number,
  timing: TransactionTiming,
): Step<ClientInvite, ClientEffect> {
  switch (event) {
    case 'provisional':
      return { next: { ...at, state: 'proceeding', resendAt: null, endAt: null }, effects: pass }
    case 'success':
      return {
        next: { ...at, state: 'accepted', resendAt: null, endAt: now + patienceMs(timing) },
        effects: pass,
      }
    case 'failure':
      if (at.reliable) return { next: terminated(at), effects: acknowledgeAndPass }
      // Timer D: 32 s on UDP, as long as the other side may repeat its answer; none where nothing is sent twice.
      return {
        next: { ...at, state: 'completed', resendAt: null, endAt: now + patienceMs(timing) },
        effects: acknowledgeAndPass,
      }
    case 'transport-error':
      return { next: terminated(at), effects: fail }
  }
}

/** Timers D and M. */
function expire(at: ClientInvite, now: number): Step<ClientInvite, ClientEffect> {
  return { next: at.endAt !== null && now >= at.endAt ? terminated(at) : at, effects: nothing }
}

function terminated(at: ClientInvite): ClientInvite {
  return { ...at, state: 'terminated', resendAt: null, endAt: null }
}

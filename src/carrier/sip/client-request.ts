// The client transaction of every request but INVITE (RFC 3261 §17.1.2), pure over (state, event, now).
//
//   trying ──1xx──▶ proceeding ──final──▶ completed ──timer K──▶ terminated
//      └─────────final──────────────────────▲     timer F, transport error ──▶ terminated
import type { ClientEffect } from './client-invite.ts'
import { patienceMs, type Step, type TransactionTiming, type Waiting } from './transaction-timing.ts'

export interface ClientRequest extends Waiting {
  state: 'trying' | 'proceeding' | 'completed' | 'terminated'
  reliable: boolean
  intervalMs: number
}

export type ClientRequestEvent = 'provisional' | 'final' | 'timer' | 'transport-error'

const nothing: readonly ClientEffect[] = []
const pass: readonly ClientEffect[] = ['pass']
const resend: readonly ClientEffect[] = ['resend']
const timeOut: readonly ClientEffect[] = ['time-out']
const fail: readonly ClientEffect[] = ['fail']

/** The request has just been sent: timer E (unreliable transports) and timer F run. */
export function startClientRequest(reliable: boolean, now: number, timing: TransactionTiming): ClientRequest {
  return {
    state: 'trying',
    reliable,
    intervalMs: timing.t1Ms,
    resendAt: reliable ? null : now + timing.t1Ms,
    endAt: now + patienceMs(timing),
  }
}

export function stepClientRequest(
  at: ClientRequest,
  event: ClientRequestEvent,
  now: number,
  timing: TransactionTiming,
): Step<ClientRequest, ClientEffect> {
  if (at.state === 'terminated') return { next: at, effects: nothing }
  if (at.state === 'completed') {
    const isOver = event === 'timer' && at.endAt !== null && now >= at.endAt
    return { next: isOver ? terminated(at) : at, effects: nothing }
  }
  switch (event) {
    case 'provisional':
      return { next: { ...at, state: 'proceeding' }, effects: pass }
    case 'final':
      // Timer K: T4 on UDP, none on streams.
      if (at.reliable) return { next: terminated(at), effects: pass }
      return { next: { ...at, state: 'completed', resendAt: null, endAt: now + timing.t4Ms }, effects: pass }
    case 'transport-error':
      return { next: terminated(at), effects: fail }
    case 'timer':
      return tick(at, now, timing)
  }
}

/** Timers E and F: intervals double up to T2, and are T2 once a provisional has come. */
function tick(at: ClientRequest, now: number, timing: TransactionTiming): Step<ClientRequest, ClientEffect> {
  if (at.endAt !== null && now >= at.endAt) return { next: terminated(at), effects: timeOut }
  if (at.resendAt === null || now < at.resendAt) return { next: at, effects: nothing }
  const intervalMs = at.state === 'proceeding' ? timing.t2Ms : Math.min(at.intervalMs * 2, timing.t2Ms)
  return { next: { ...at, intervalMs, resendAt: now + intervalMs }, effects: resend }
}

function terminated(at: ClientRequest): ClientRequest {
  return { ...at, state: 'terminated', resendAt: null, endAt: null }
}

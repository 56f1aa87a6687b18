// The server transaction of every request but INVITE within our calls (RFC 3261 §17.2.2), pure over (state, event, now).
//
//   trying ──we answer──▶ completed ──timer J──▶ terminated
import type { ServerEffect } from './server-invite.ts'
import { patienceMs, type Step, type TransactionTiming, type Waiting } from './transaction-timing.ts'

export interface ServerRequest extends Waiting {
  state: 'trying' | 'completed' | 'terminated'
  reliable: boolean
}

/** `request`: it came again. */
export type ServerRequestEvent = 'request' | 'answer' | 'timer'

const nothing: readonly ServerEffect[] = []
const resend: readonly ServerEffect[] = ['resend']

export function startServerRequest(reliable: boolean): ServerRequest {
  return { state: 'trying', reliable, resendAt: null, endAt: null }
}

export function stepServerRequest(
  at: ServerRequest,
  event: ServerRequestEvent,
  now: number,
  timing: TransactionTiming,
): Step<ServerRequest, ServerEffect> {
  if (event === 'request') return { next: at, effects: at.state === 'completed' ? resend : nothing }
  if (event === 'answer' && at.state === 'trying')
    // Timer J: 64·T1 on UDP, none on streams.
    return {
      next: at.reliable
        ? { ...at, state: 'terminated' }
        : { ...at, state: 'completed', endAt: now + patienceMs(timing) },
      effects: nothing,
    }
  const isOver = event === 'timer' && at.endAt !== null && now >= at.endAt
  return { next: isOver ? { ...at, state: 'terminated', endAt: null } : at, effects: nothing }
}

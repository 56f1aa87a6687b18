// The INVITE server transaction, for re-INVITEs within our calls (RFC 3261 §17.2.1, §13.3.1.4, RFC 6026 §8.7), pure over
// (state, event, now). The repetition of a 2xx until its ACK, which the RFC gives to the user agent, lives here too.
//
//   proceeding ──we answer 2xx──▶ accepted ──ACK──▶ accepted, quiet ──timer L──▶ terminated
//        └──we answer 300-699──▶ completed ──ACK──▶ confirmed ──timer I──▶ terminated
//   accepted or completed without ACK for 64·T1 ──▶ terminated, `unacknowledged`
import { patienceMs, type Step, type TransactionTiming, type Waiting } from './transaction-timing.ts'

export interface ServerInvite extends Waiting {
  state: 'proceeding' | 'accepted' | 'completed' | 'confirmed' | 'terminated'
  reliable: boolean
  intervalMs: number
  acknowledged: boolean
}

/** `request`: the INVITE came again. */
export type ServerInviteEvent = 'request' | 'answer-success' | 'answer-failure' | 'ack' | 'timer'

export type ServerEffect =
  /** Send the last response again. */
  | 'resend'
  /** The answer has never been acknowledged: §13.3.1.4 ends the call. */
  | 'unacknowledged'

const nothing: readonly ServerEffect[] = []
const resend: readonly ServerEffect[] = ['resend']
const unacknowledged: readonly ServerEffect[] = ['unacknowledged']

export function startServerInvite(reliable: boolean): ServerInvite {
  return { state: 'proceeding', reliable, intervalMs: 0, acknowledged: false, resendAt: null, endAt: null }
}

export function stepServerInvite(
  at: ServerInvite,
  event: ServerInviteEvent,
  now: number,
  timing: TransactionTiming,
): Step<ServerInvite, ServerEffect> {
  switch (event) {
    case 'request':
      // §17.2.1: whatever was said last is said again; RFC 6026: an accepted one stays quiet, its 2xx has a timer.
      return { next: at, effects: at.state === 'completed' || at.state === 'proceeding' ? resend : nothing }
    case 'answer-success':
    case 'answer-failure':
      return { next: answered(at, event, now, timing), effects: nothing }
    case 'ack':
      return { next: acknowledged(at, now, timing), effects: nothing }
    case 'timer':
      return tick(at, now, timing)
  }
}

function answered(
  at: ServerInvite,
  event: 'answer-success' | 'answer-failure',
  now: number,
  timing: TransactionTiming,
): ServerInvite {
  if (at.state !== 'proceeding') return at
  const success = event === 'answer-success'
  return {
    ...at,
    state: success ? 'accepted' : 'completed',
    intervalMs: timing.t1Ms,
    // A 2xx is repeated on streams too: a proxy behind may have lost it (§13.3.1.4). Timer G otherwise.
    resendAt: success || !at.reliable ? now + timing.t1Ms : null,
    endAt: now + patienceMs(timing),
  }
}

function acknowledged(at: ServerInvite, now: number, timing: TransactionTiming): ServerInvite {
  if (at.state === 'accepted') return { ...at, acknowledged: true, resendAt: null }
  if (at.state !== 'completed') return at
  const quiet = { ...at, acknowledged: true, resendAt: null }
  // Timer I: T4 on UDP, none on streams.
  return at.reliable
    ? { ...quiet, state: 'terminated', endAt: null }
    : { ...quiet, state: 'confirmed', endAt: now + timing.t4Ms }
}

/** Timers G, H, I and L. */
function tick(at: ServerInvite, now: number, timing: TransactionTiming): Step<ServerInvite, ServerEffect> {
  if (at.endAt !== null && now >= at.endAt)
    return {
      next: { ...at, state: 'terminated', resendAt: null, endAt: null },
      effects: at.acknowledged ? nothing : unacknowledged,
    }
  if (at.resendAt === null || now < at.resendAt) return { next: at, effects: nothing }
  const intervalMs = Math.min(at.intervalMs * 2, timing.t2Ms)
  return { next: { ...at, intervalMs, resendAt: now + intervalMs }, effects: resend }
}

// Session timers (RFC 4028): who shows until when that a call still lives. Without them carriers tear calls down at 15
// or 30 minutes.
import type { SipMessage } from './message.ts'
import { parseParams } from './sip-uri.ts'

export interface SessionTimer {
  intervalMs: number
  refresher: 'us' | 'them'
}

/** §4: recommended. */
export const preferredSessionSeconds = 1_800
/** §5: no interval is shorter. */
export const minSessionSeconds = 90
const maxSessionSeconds = 86_400

export interface SessionExpires {
  seconds: number
  refresher: 'uac' | 'uas' | null
}

/** `1800;refresher=uac`; null: none, or no number. */
export function sessionExpiresOf(message: SipMessage): SessionExpires | null {
  const value = message.headers.get('session-expires')
  const match = /^\s*(\d{1,7})\s*(;.*)?$/.exec(value ?? '')
  if (match === null) return null
  const refresher = parseParams(match[2] ?? '').get('refresher')
  return {
    seconds: Math.min(Math.max(Number(match[1]), minSessionSeconds), maxSessionSeconds),
    refresher: refresher === 'uac' || refresher === 'uas' ? refresher : null,
  }
}

/** Min-SE of a 422 (§6), which the next attempt must respect; null: none. */
export function minSessionOf(message: SipMessage): number | null {
  const match = /^\s*(\d{1,7})/.exec(message.headers.get('min-se') ?? '')
  return match === null ? null : Math.min(Math.max(Number(match[1]), minSessionSeconds), maxSessionSeconds)
}

/**
 * What a 2xx to our INVITE or UPDATE settled (§7.2); null: no timer runs. Where the other side does not name who
 * refreshes we do it: refreshing is never wrong.
 */
export function timerFromAnswer(response: SipMessage): SessionTimer | null {
  const stated = sessionExpiresOf(response)
  if (stated === null) return null
  return { intervalMs: stated.seconds * 1_000, refresher: stated.refresher === 'uas' ? 'them' : 'us' }
}

/** What we settle when their INVITE or UPDATE asks (§9): they refresh unless they said that we do. */
export function timerFromRequest(asked: SipMessage): { timer: SessionTimer; header: string } | null {
  const stated = sessionExpiresOf(asked)
  if (stated === null) return null
  const refresher = stated.refresher ?? 'uac'
  return {
    timer: { intervalMs: stated.seconds * 1_000, refresher: refresher === 'uas' ? 'us' : 'them' },
    header: `${stated.seconds};refresher=${refresher}`,
  }
}

/** §7.2, §10: we refresh at half time; they have until shortly before the end, then the call is over. */
export function sessionDeadlineMs({ intervalMs, refresher }: SessionTimer): number {
  return refresher === 'us' ? intervalMs / 2 : intervalMs - Math.min(32_000, intervalMs / 3)
}

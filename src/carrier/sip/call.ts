// One call of the user agent as its owner sees it: what is asked for, what is told, and what of it outlives a crash.
import type { Evidence } from '../../domain/outcome.ts'
import type { Dialog } from './dialog.ts'
import type { Credentials } from './digest.ts'
import type { Gateway } from './resolver.ts'
import type { Hop } from './transport.ts'

export interface InviteRequest {
  callId: string
  /** In the order in which they are tried. */
  gateways: readonly Gateway[]
  /** `sip:+12025550163@trunk.example` */
  requestUri: string
  /** From and To without tags, e.g. `<sip:+12025550199@trunk.example>`. */
  from: string
  to: string
  /** null: the trunk knows us by our address. */
  credentials: Credentials | null
  /** Further headers, e.g. P-Asserted-Identity. */
  headers: readonly (readonly [name: string, value: string])[]
  sdpOffer: string
  /** Our address as this carrier sees it, for Via and Contact; absent: the user agent's. */
  publicAddress?: string
  /** Session timer that we ask for (RFC 4028), s; null: none. */
  sessionSeconds: number | null
  /** Asked before each INVITE and each repetition; absent: yes. */
  mayRing?(): boolean
}

/** Never called before `invite` has returned. Times are epoch ms. */
export interface CallHandlers {
  /** 101 to 199; `sdp` is early media, '' without. */
  provisional(status: number, sdp: string, at: number): void
  /** Picked up; `sdp` is the answer to our offer, from the 200 or else from the provisional before it. */
  answered(sdp: string, at: number): void
  /**
   * They offer anew within the call (hold, media move, refresh) and wait for our answer; null: it does not suit us
   * (488). '': they want an offer of ours, their answer follows in `answerReceived`.
   */
  offered(sdp: string): string | null | Promise<string | null>
  answerReceived(sdp: string): void
  /** The body of an INFO (DTMF of trunks without RFC 4733). */
  infoReceived(contentType: string, body: string): void
  /** Final, exactly once. */
  ended(evidence: Evidence, at: number): void
  /**
   * What a later life of this process must know to hang up; null: nothing any more. An INVITE waits for the promise, and
   * is not sent when that says false. Absent: it is not even made.
   */
  changed?(snapshot: CallSnapshot | null): Promise<boolean> | undefined
}

/** For owners who want nothing of these. */
export const quietHandlers: Omit<CallHandlers, 'ended'> = {
  provisional() {},
  answered() {},
  offered: () => null,
  answerReceived() {},
  infoReceived() {},
}

export interface SipCall {
  readonly callId: string
  /** CANCEL while it rings (once there was a provisional), BYE once it is answered; `ended` follows. Idempotent. */
  hangUp(): void
  /** Offers anew within the answered call; resolves with their answer, null when they refuse. */
  reinvite(sdp: string): Promise<string | null>
}

/** Plain data, enough for CANCEL, ACK and BYE. */
export interface CallSnapshot {
  callId: string
  hop: Hop
  invite: {
    uri: string
    via: string
    from: string
    to: string
    routes: string[]
    cseq: number
  }
  /** null: not answered. */
  dialog: Dialog | null
}

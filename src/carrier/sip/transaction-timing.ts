// The timers of SIP transactions (RFC 3261 §17.1.1.1 and table 4), and what all four state machines share.

export interface TransactionTiming {
  /** Round trip estimate, ms. */
  t1Ms: number
  /** Longest interval between retransmissions of non-INVITE requests and of answers to INVITE, ms. */
  t2Ms: number
  /** How long a message may stay in the network, ms. */
  t4Ms: number
}

export const standardTiming: TransactionTiming = { t1Ms: 500, t2Ms: 4_000, t4Ms: 5_000 }

/** Timers B, F, H, J, L and M: 32 s. */
export function patienceMs(timing: TransactionTiming): number {
  return 64 * timing.t1Ms
}

/** One step of a state machine: where it stands afterwards and what is to be done, in order. */
export interface Step<State, Effect> {
  next: State
  effects: readonly Effect[]
}

/** When a state machine wants to be woken, epoch ms. */
export interface Waiting {
  /** The next retransmission; null: none. */
  resendAt: number | null
  /** When the state ends by itself; null: it does not. */
  endAt: number | null
}

export function wakeAt({ resendAt, endAt }: Waiting): number | null {
  if (resendAt === null) return endAt
  return endAt === null ? resendAt : Math.min(resendAt, endAt)
}

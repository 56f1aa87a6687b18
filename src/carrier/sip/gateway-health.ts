// Which gateways refuse: learnt from calls and from OPTIONS, so that the next call goes past them (RFC 3263 §4.3).
import type { Clock } from '../../runtime/clock.ts'
import { type Hop, hopKey } from './transport.ts'

export interface GatewayState {
  hop: Hop
  /** Until when calls go past it, epoch ms; null: it is up. */
  downUntil: number | null
  /** ECONNREFUSED, 503 …; null while it is up. */
  reason: string | null
  /** When it was last asked or used, epoch ms. */
  seenAt: number
}

/** Without word of how long: short enough that a gateway that was restarted is soon back in use. */
const defaultDownMs = 30_000
/** A Retry-After beyond is not believed. */
const maxDownMs = 300_000
const maxKept = 1_000

export class GatewayHealth {
  readonly #clock: Clock
  readonly #states = new Map<string, GatewayState>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  isDown(hop: Hop): boolean {
    const until = this.#states.get(keyOf(hop))?.downUntil ?? null
    return until !== null && until > this.#clock.now()
  }

  refused(hop: Hop, reason: string, retryAfterSeconds: number | null = null): void {
    const now = this.#clock.now()
    const downMs = retryAfterSeconds === null ? defaultDownMs : Math.min(retryAfterSeconds * 1_000, maxDownMs)
    this.#note({ hop, downUntil: now + downMs, reason, seenAt: now })
  }

  answered(hop: Hop): void {
    const known = this.#states.get(keyOf(hop))
    if (known === undefined || known.downUntil !== null)
      this.#note({ hop, downUntil: null, reason: null, seenAt: this.#clock.now() })
  }

  states(): GatewayState[] {
    return [...this.#states.values()]
  }

  #note(state: GatewayState): void {
    if (this.#states.size >= maxKept) this.#states.clear()
    this.#states.set(keyOf(state.hop), state)
  }
}

function keyOf(hop: Hop): string {
  return `${hop.protocol} ${hopKey(hop)}`
}

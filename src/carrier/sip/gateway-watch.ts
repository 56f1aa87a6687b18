// Asks the gateways of trunks in use whether they are there (RFC 3261 §11), so that a dead one is known before a call.
import type { Clock, Timer } from '../../runtime/clock.ts'
import { literalHop } from './resolver.ts'
import type { SipTrunkSettings } from './trunk-settings.ts'
import type { UserAgent } from './user-agent.ts'

/** A trunk that placed no call for so long is left alone. */
const idleMs = 10 * 60_000

interface Watched {
  usedAt: number
  timer: Timer
}

export class GatewayWatch {
  readonly #agent: UserAgent
  readonly #clock: Clock
  readonly #watched = new Map<SipTrunkSettings, Watched>()

  constructor(agent: UserAgent, clock: Clock) {
    this.#agent = agent
    this.#clock = clock
  }

  /** A call goes out over this trunk. */
  used(settings: SipTrunkSettings): void {
    if (settings.optionsSeconds === 0) return
    const known = this.#watched.get(settings)
    if (known !== undefined) known.usedAt = this.#clock.now()
    else this.#watched.set(settings, { usedAt: this.#clock.now(), timer: this.#arm(settings) })
  }

  close(): void {
    for (const { timer } of this.#watched.values()) timer.cancel()
    this.#watched.clear()
  }

  #arm(settings: SipTrunkSettings): Timer {
    return this.#clock.at(this.#clock.now() + settings.optionsSeconds * 1_000, () => this.#ask(settings))
  }

  #ask(settings: SipTrunkSettings): void {
    const watched = this.#watched.get(settings)
    if (watched === undefined) return
    if (this.#clock.now() - watched.usedAt > idleMs) return void this.#watched.delete(settings)
    for (const gateway of settings.gateways) void this.#askAll(gateway)
    watched.timer = this.#arm(settings)
  }

  async #askAll(gateway: SipTrunkSettings['gateways'][number]): Promise<void> {
    const literal = literalHop(gateway)
    const hops = literal === null ? await this.#agent.resolve(gateway).catch(() => []) : [literal]
    for (const hop of hops) void this.#agent.options(hop)
  }
}

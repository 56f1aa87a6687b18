// A carrier that is opened by the first call for it: whoever rings no real telephones holds no ports and no threads.
import type { GatewayProbe, GatewayStanding } from '../domain/gateway.ts'
import { type Evidence, unplaced } from '../domain/outcome.ts'
import type { Trunk } from '../domain/workspace.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Call, CallObserver, CallRequest, Carrier, RescueAnswer } from './carrier.ts'

export interface LazyCarrierOptions {
  open(): Promise<Carrier>
  clock: Clock
  logger: Logger
}

/** A port that is taken may be free again: it is tried anew by the next call, at most so often. */
const retryOpenMs = 5_000

export class LazyCarrier implements Carrier {
  readonly #options: LazyCarrierOptions
  #opening: Promise<Carrier> | null = null
  #opened: Carrier | null = null
  #failedAt = Number.NEGATIVE_INFINITY
  #failure: unknown = null
  #isClosed = false

  constructor(options: LazyCarrierOptions) {
    this.#options = options
  }

  dial(request: CallRequest, observer: CallObserver): Call {
    if (this.#opened !== null) return this.#opened.dial(request, observer)
    let call: Call | null = null
    let isHungUp = false
    const { clock } = this.#options
    const refuse = (evidence: Evidence) => observer.ended(evidence, clock.now())
    void this.#carrier().then(
      carrier => {
        if (isHungUp) refuse(unplaced('hung up before it was placed'))
        else call = carrier.dial(request, observer)
      },
      () => refuse(unplaced('the SIP ports or the media workers of this server cannot be opened')),
    )
    return {
      hangUp() {
        isHungUp = true
        call?.hangUp()
      },
      takeTrace: () => call?.takeTrace?.() ?? null,
    }
  }

  async rescue(trunk: Trunk, callIds: string[], dialogs?: (string | null)[]): Promise<RescueAnswer[]> {
    return (await this.#carrier()).rescue(trunk, callIds, dialogs)
  }

  async probe(trunk: Trunk, ask: boolean): Promise<GatewayProbe[]> {
    return (await (await this.#carrier()).probe?.(trunk, ask)) ?? []
  }

  /** Whoever only looks opens nothing. */
  gateways(trunk: Trunk): GatewayStanding[] {
    return this.#opened?.gateways?.(trunk) ?? []
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const carrier = await this.#opening?.catch(() => null)
    await carrier?.close()
  }

  #carrier(): Promise<Carrier> {
    const { clock, logger, open } = this.#options
    if (this.#isClosed) return Promise.reject(new Error('The carrier is closed.'))
    if (this.#opening !== null) return this.#opening
    if (clock.now() < this.#failedAt + retryOpenMs) return Promise.reject(this.#failure)
    this.#opening = open().then(
      carrier => {
        this.#opened = carrier
        return carrier
      },
      (error: unknown) => {
        this.#opening = null
        this.#failedAt = clock.now()
        this.#failure = error
        logger.error({ err: error }, 'real calls cannot be placed: SIP ports or media workers do not open')
        throw error
      },
    )
    return this.#opening
  }
}

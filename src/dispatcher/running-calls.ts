// Calls under way: each is on disk before it comes here, is dialled when its spacing has passed, and waited for at the end.
import type { Carrier } from '../carrier/carrier.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Claim } from '../store/dispatch-records.ts'
import type { Store } from '../store/store.ts'
import type { CallPacer } from './call-pacer.ts'
import type { KnownResources } from './known-resources.ts'
import type { OutcomeRecorder } from './outcome-recorder.ts'
import { RecentDials } from './recent-dials.ts'
import { RunningAttempt } from './running-attempt.ts'

export interface RunningCallsDeps {
  store: Store
  carrier: Carrier
  clock: Clock
  known: KnownResources
  recorder: OutcomeRecorder
  pacer: CallPacer
  /** False once we were told to stop: what is not dialled yet goes back. */
  isCalling(): boolean
  onFailure(error: unknown): void
}

export class RunningCalls {
  readonly #deps: RunningCallsDeps
  readonly #attempts = new Map<number, RunningAttempt>()
  readonly #recentDials = new RecentDials()
  #placed = 0
  #allEnded = () => {}

  constructor(deps: RunningCallsDeps) {
    this.#deps = deps
  }

  get size(): number {
    return this.#attempts.size
  }

  /** Calls placed since the start. */
  get placed(): number {
    return this.#placed
  }

  /** Commits take time: a paced call whose predecessor left late waits for the rest of its spacing. */
  dialWhenSpaced(claim: Claim, callId: string): void {
    const attempt = this.#open(claim, callId)
    // Somebody stopped us while the commit was under way.
    if (!this.#deps.isCalling()) {
      attempt.neverDialled()
      return
    }
    this.#deps.pacer.whenSpaced(
      claim,
      () => attempt.dial(),
      async () => {
        if (await this.#mayStillDial(claim)) return true
        attempt.neverDialled()
        return false
      },
    )
  }

  /** Whoever has not answered is tried again by another life of this node. */
  hangUp(): void {
    for (const attempt of this.#attempts.values()) attempt.hangUp()
  }

  /** Resolves when none is under way any more, or after `withinMs`. */
  async ended(withinMs: number): Promise<void> {
    if (this.#attempts.size === 0) return
    const { clock } = this.#deps
    await new Promise<void>(resolve => {
      const timer = clock.at(clock.now() + withinMs, resolve)
      this.#allEnded = () => {
        timer.cancel()
        resolve()
      }
    })
  }

  /** A store that cannot say means no. */
  async #mayStillDial({ attemptId }: Claim): Promise<boolean> {
    const { store, clock, isCalling, onFailure } = this.#deps
    try {
      const [allowed] = await store.mayStillDial([attemptId], clock.now())
      return allowed === true && isCalling()
    } catch (error) {
      onFailure(error)
      return false
    }
  }

  #open(claim: Claim, callId: string): RunningAttempt {
    const { known, carrier, clock, recorder } = this.#deps
    this.#placed++
    const attempt = new RunningAttempt({
      claim,
      callId,
      trunk: known.trunk(claim.trunkId),
      agent: known.agent(claim.agentId),
      carrier,
      clock,
      recentDials: this.#recentDials,
      onProgress: progress => recorder.progressed(progress),
      onEnded: ending => {
        this.#attempts.delete(claim.attemptId)
        recorder.ended(claim, ending)
        if (this.#attempts.size === 0) this.#allEnded()
      },
    })
    this.#attempts.set(claim.attemptId, attempt)
    return attempt
  }
}

// Calls under way: each is on disk before it comes here, is dialled when its spacing has passed, and waited for at the end.
import type { Carrier } from '../carrier/carrier.ts'
import type { Clock } from '../runtime/clock.ts'
import { grouped } from '../runtime/grouped.ts'
import type { Claim } from '../store/dispatch-records.ts'
import type { Store } from '../store/store.ts'
import type { CallPacer } from './call-pacer.ts'
import type { DialogKeeper } from './dialog-keeper.ts'
import type { KnownResources } from './known-resources.ts'
import type { Instant, Leases } from './leases.ts'
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
  leases: Leases
  nodeId: string
  /** Keeps dialogs where other nodes find them; absent: this node is alone. */
  dialogs?: DialogKeeper
  /** False once we were told to stop: what is not dialled yet goes back. */
  isCalling(): boolean
  onFailure(error: unknown): void
}

export class RunningCalls {
  readonly #deps: RunningCallsDeps
  readonly #attempts = new Map<number, RunningAttempt>()
  readonly #recentDials = new RecentDials()
  /** When the store was asked that said yes; null: no. Thousands may ask at once, when a database was slow. */
  readonly #mayStillDial: (claim: Claim) => Promise<Instant | null>
  #placed = 0
  #allEnded = () => {}

  constructor(deps: RunningCallsDeps) {
    this.#deps = deps
    this.#mayStillDial = grouped(claims => this.#askStore(claims))
  }

  get size(): number {
    return this.#attempts.size
  }

  /** Calls placed since the start. */
  get placed(): number {
    return this.#placed
  }

  /**
   * Commits take time: a paced call whose predecessor left late waits for the rest of its spacing, and where the answer
   * came late, the store is asked again. `askedAt`: when it was asked for the commit.
   */
  dialWhenSpaced(claim: Claim, callId: string, askedAt: Instant): void {
    const { leases, pacer } = this.#deps
    let permittedAt = askedAt
    const attempt = this.#open(claim, callId, () => leases.isFresh(permittedAt))
    // Somebody stopped us while the commit was under way.
    if (!this.#mayDial(claim)) {
      attempt.neverDialled()
      return
    }
    pacer.whenSpaced(claim, {
      dial: () => attempt.dial(),
      mayDial: () => leases.isFresh(permittedAt),
      confirm: async () => {
        const confirmedAt = await this.#mayStillDial(claim)
        if (confirmedAt === null) attempt.neverDialled()
        else permittedAt = confirmedAt
        return confirmedAt !== null
      },
    })
  }

  /** Whoever has not answered is tried again by another life of this node. */
  hangUp(): void {
    for (const attempt of this.#attempts.values()) attempt.hangUp()
  }

  /** They belong to another node now: hung up, and what that node wrote of them stands. */
  lost(attemptIds: readonly number[]): void {
    for (const attemptId of attemptIds) this.#attempts.get(attemptId)?.hangUp()
  }

  /** They may be taken over at any moment: nobody's telephone goes on ringing, while talks go on until they are lost. */
  expired(attemptIds: readonly number[]): void {
    for (const attemptId of attemptIds) {
      const attempt = this.#attempts.get(attemptId)
      if (attempt?.isAnswered === false) attempt.hangUp()
    }
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

  /** By what this node knows by itself. */
  #mayDial({ attemptId, dialBefore }: Claim): boolean {
    const { isCalling, leases, clock } = this.#deps
    return isCalling() && leases.isHeld(attemptId) && (dialBefore === null || clock.now() < dialBefore)
  }

  /** A store that cannot say means no. */
  async #askStore(claims: readonly Claim[]): Promise<(Instant | null)[]> {
    const { store, clock, nodeId, leases, onFailure } = this.#deps
    const attemptIds = claims.map(({ attemptId }) => attemptId)
    try {
      const askedAt = leases.now()
      const allowed = await store.mayStillDial(attemptIds, nodeId, clock.now())
      return claims.map((claim, index) => (allowed[index] === true && this.#mayDial(claim) ? askedAt : null))
    } catch (error) {
      onFailure(error)
      return claims.map(() => null)
    }
  }

  #open(claim: Claim, callId: string, isPermitted: () => boolean): RunningAttempt {
    const { known, carrier, clock, recorder, leases, dialogs } = this.#deps
    const { attemptId } = claim
    this.#placed++
    const attempt = new RunningAttempt({
      claim,
      callId,
      trunk: known.trunk(claim.trunkId),
      agent: known.agent(claim.agentId),
      carrier,
      clock,
      recentDials: this.#recentDials,
      isHeld: () => leases.isHeld(attemptId),
      isPermitted,
      ...(dialogs === undefined ? {} : { keepDialog: dialog => dialogs.keep(attemptId, dialog) }),
      onProgress: progress => recorder.progressed(progress),
      onEnded: ending => {
        this.#attempts.delete(attemptId)
        recorder.ended(claim, ending)
        if (this.#attempts.size === 0) this.#allEnded()
      },
    })
    this.#attempts.set(attemptId, attempt)
    return attempt
  }
}

// What a dead life or a dead node left open: claims go back, calls are hung up where the carrier still holds them and end
// as `lost`. A lost call keeps its place until the carrier has answered or a quarantine has passed.
import type { RescueAnswer } from '../carrier/carrier.ts'
import { classify, noEvidence } from '../domain/outcome.ts'
import { waitFor } from '../runtime/wait.ts'
import type { EndedAttempt, OrphanedAttempt } from '../store/dispatch-records.ts'
import { decideNext } from './decide-next.ts'
import type { DispatcherDeps } from './dispatcher-deps.ts'
import type { KnownResources } from './known-resources.ts'
import { type Leases, leaseMs } from './leases.ts'

/** How long a carrier that does not answer is asked again before its calls are given up. */
const quarantineMs = 60_000
const askAgainMs = 1_000
/** Taken over at once: bounds the transaction, and what one node takes upon itself. */
const maxAdopted = 500

export interface RescuerDeps extends DispatcherDeps {
  known: KnownResources
  leases: Leases
  isStopping(): boolean
}

export class Rescuer {
  readonly #deps: RescuerDeps
  /** Adopted and not settled yet: a store that fails meanwhile is asked again. */
  #unsettled: OrphanedAttempt[] = []

  constructor(deps: RescuerDeps) {
    this.#deps = deps
  }

  /** Takes over what nobody holds, and settles it; a person who had answered is not rung again. */
  async run(): Promise<void> {
    const { isStopping, logger } = this.#deps
    for (let more = true; more && !isStopping(); ) {
      if (this.#unsettled.length === 0) this.#unsettled = await this.#adopt()
      if (this.#unsettled.length === 0) return
      more = this.#unsettled.length === maxAdopted
      logger.warn(
        { attempts: this.#unsettled.length },
        'settling calls that an earlier life or a dead node left open',
      )
      await this.#settle()
    }
  }

  async #adopt(): Promise<OrphanedAttempt[]> {
    const { store, nodeId, leases, alone = true } = this.#deps
    const askedAt = leases.now()
    const known = leases.held()
    const orphans = await store.adoptOrphans({ nodeId, leaseMs, known, alone, maxAttempts: maxAdopted })
    leases.granted(idsOf(orphans), askedAt)
    return orphans
  }

  async #settle(): Promise<void> {
    const { store, clock, known } = this.#deps
    await known.learn(this.#unsettled)
    const claimed = this.#unsettled.filter(({ status }) => status === 'claimed')
    if (claimed.length > 0) {
      await store.releaseClaims(idsOf(claimed), clock.now())
      this.#settled(claimed)
    }
    const byTrunk = Map.groupBy(this.#unsettled, ({ trunkId }) => trunkId)
    await Promise.all([...byTrunk].map(([trunkId, calls]) => this.#settleTrunk(trunkId, calls)))
  }

  async #settleTrunk(trunkId: number, orphans: OrphanedAttempt[]): Promise<void> {
    const { store, clock } = this.#deps
    const answers = await this.#ask(trunkId, orphans)
    if (answers === null) return
    const now = clock.now()
    await store.endAttempts(
      orphans.map((orphan, index) => endOrphan(orphan, answers[index] ?? 'unknown', now)),
      now,
    )
    this.#settled(orphans)
  }

  /** What the carrier says of each; null: we were told to stop before it said anything. */
  async #ask(trunkId: number, orphans: OrphanedAttempt[]): Promise<RescueAnswer[] | null> {
    const { carrier, clock, known, logger, isStopping, alone = true } = this.#deps
    const trunk = known.trunk(trunkId)
    const callIds = orphans.map(({ callId }) => callId ?? '')
    // A node that is alone keeps none in the store: there, that nothing is kept proves nothing.
    const dialogs = alone ? [] : [orphans.map(({ dialog }) => dialog)]
    const giveUpAt = clock.now() + quarantineMs
    while (!isStopping()) {
      try {
        return await carrier.rescue(trunk, callIds, ...dialogs)
      } catch (error) {
        if (clock.now() >= giveUpAt) return callIds.map(() => 'unknown')
        logger.warn({ err: error, trunkId }, 'the carrier does not say what became of calls: asking again')
        await waitFor(clock, askAgainMs)
      }
    }
    return null
  }

  #settled(orphans: readonly OrphanedAttempt[]): void {
    for (const attemptId of idsOf(orphans)) this.#deps.leases.release(attemptId)
    const done = new Set(orphans)
    this.#unsettled = this.#unsettled.filter(orphan => !done.has(orphan))
  }
}

const idsOf = (orphans: readonly OrphanedAttempt[]) => orphans.map(({ attemptId }) => attemptId)

function endOrphan(orphan: OrphanedAttempt, answer: RescueAnswer, now: number): EndedAttempt {
  const answeredAt = orphan.answeredAt ?? (answer === 'answered' ? (orphan.dialedAt ?? now) : null)
  const outcome = classify({ ...noEvidence, endedBy: 'node-died', answeredAt })
  return {
    attemptId: orphan.attemptId,
    outcome,
    answeredAt,
    endedAt: now,
    costMillicents: 0,
    next:
      answer === 'never-placed'
        ? { kind: 'put-back', dueAt: now, throttled: false }
        : decideNext(outcome, orphan, now),
    suppress: false,
  }
}

// This node among the others on its store: its heartbeat, the leases that it keeps, the attempts of dead nodes that it
// takes over, and what it does when it has lost some itself.
import type { Heartbeat } from '../store/node-records.ts'
import type { DispatcherDeps, Presence } from './dispatcher-deps.ts'
import type { KnownResources } from './known-resources.ts'
import { type Instant, Leases } from './leases.ts'
import { NodePresence } from './node-presence.ts'
import { Rescuer } from './rescue.ts'

export interface MembershipDeps extends DispatcherDeps {
  known: KnownResources
  load(): { running: number; placed: number }
  phase(): 'rescuing' | 'calling' | 'stopping'
  /** They belong to another node now. */
  onLost(attemptIds: number[]): void
  /** Any node may take them over at any moment. */
  onExpired(attemptIds: number[]): void
  /** Places of dead nodes may be free now. */
  onRescued(): void
  onFailure(error: unknown): void
}

export class Membership {
  readonly leases: Leases
  readonly #deps: MembershipDeps
  readonly #alone: boolean
  readonly #rescuer: Rescuer
  readonly #presence: NodePresence | null
  #rescuing: Promise<void> | null = null

  constructor(deps: MembershipDeps) {
    this.#deps = deps
    this.#alone = deps.alone ?? true
    this.leases = new Leases(deps.clock, this.#alone)
    this.#rescuer = new Rescuer({
      ...deps,
      leases: this.leases,
      isStopping: () => deps.phase() === 'stopping',
    })
    this.#presence = deps.presence === undefined ? null : this.#announce(deps.presence)
  }

  /** Rejects with the store's failure. */
  async join(): Promise<void> {
    await this.#presence?.start()
  }

  /** Settles what nobody holds. Rejects with the store's failure: ask again. */
  rescue(): Promise<void> {
    return this.#rescuer.run()
  }

  async leave(): Promise<void> {
    await this.#presence?.stop()
    await this.#rescuing
  }

  #announce(presence: Presence): NodePresence {
    const { clock, nodeId, load, onExpired, pacingLatenessMs } = this.#deps
    return new NodePresence({
      ...this.#deps,
      node: { ...presence, id: nodeId, startedAt: clock.now() },
      load: () => ({ ...load(), pacingLatenessMs: pacingLatenessMs?.() ?? null }),
      // Alone, no lease is ever asked after.
      held: () => (this.#alone ? [] : this.leases.held()),
      onBeat: ({ lost }, renewed, askedAt) => this.#answered(lost, renewed, askedAt),
      onTick: () => onExpired(this.leases.expired()),
    })
  }

  #answered(lost: Heartbeat['lost'], renewed: readonly number[], askedAt: Instant): void {
    if (this.#alone) return
    const isLost = new Set(lost)
    // What ended while the question was on its way is held no more, and stays so.
    const held = renewed.filter(attemptId => this.leases.isKnown(attemptId))
    this.leases.granted(
      held.filter(attemptId => !isLost.has(attemptId)),
      askedAt,
    )
    this.#lose(held.filter(attemptId => isLost.has(attemptId)))
    if (this.#deps.phase() === 'calling') this.#rescueMore()
  }

  #lose(attemptIds: number[]): void {
    if (attemptIds.length === 0) return
    for (const attemptId of attemptIds) this.leases.release(attemptId)
    this.#deps.logger.warn({ attempts: attemptIds.length }, 'other nodes have taken over calls of this one')
    this.#deps.onLost(attemptIds)
  }

  /** Beside the calls: what is taken over keeps its place and its number until it is settled. */
  #rescueMore(): void {
    this.#rescuing ??= this.#rescuer
      .run()
      .then(() => this.#deps.onRescued())
      .catch(this.#deps.onFailure)
      .finally(() => {
        this.#rescuing = null
      })
  }
}

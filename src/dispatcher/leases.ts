// Which open attempts this node holds, and until when it may act on each: a node that slept, or whose store is out of
// reach, must notice by itself that another one may have taken over.
import type { Clock } from '../runtime/clock.ts'

/** An attempt whose node is not heard of for so long is anybody's. */
export const leaseMs = 15_000
/** We let go before the store does: its clock and ours may differ in speed, and what is sent takes time to arrive. */
const marginMs = 1_000
/**
 * The store's word that a call may be dialled is good for so long, counted from the question: whoever slept between the
 * commit and the dial, or waited for the answer, asks again, for a pause may have been acknowledged meanwhile.
 */
const permissionMs = 1_000

/** An instant by two clocks. The monotonic one stands still while a machine sleeps, the wall clock may be set back. */
export interface Instant {
  elapsed: number
  wall: number
}

export class Leases {
  readonly #clock: Clock
  readonly #alone: boolean
  readonly #grantedAt = new Map<number, Instant>()

  /** `alone`: nobody else can take anything over, so that leases never run out. */
  constructor(clock: Clock, alone: boolean) {
    this.#clock = clock
    this.#alone = alone
  }

  /** Taken *before* the store is asked: a lease that it grants began after this. */
  now(): Instant {
    return { elapsed: this.#clock.elapsed(), wall: this.#clock.now() }
  }

  granted(attemptIds: Iterable<number>, askedAt: Instant): void {
    for (const attemptId of attemptIds) this.#grantedAt.set(attemptId, askedAt)
  }

  /** The attempt has ended on disk, went back, or belongs to somebody else. */
  release(attemptId: number): void {
    this.#grantedAt.delete(attemptId)
  }

  /** Whether this node may still dial, or send an INVITE again, for this attempt. */
  isHeld(attemptId: number): boolean {
    const grantedAt = this.#grantedAt.get(attemptId)
    return grantedAt !== undefined && (this.#alone || !this.#hasRunOut(grantedAt))
  }

  /** Whether it was granted and not released, however old that is. */
  isKnown(attemptId: number): boolean {
    return this.#grantedAt.has(attemptId)
  }

  held(): number[] {
    return [...this.#grantedAt.keys()]
  }

  /** Those that this node may not act on any more, though nobody has told it that they are taken. */
  expired(): number[] {
    if (this.#alone) return []
    return [...this.#grantedAt].filter(([, at]) => this.#hasRunOut(at)).map(([attemptId]) => attemptId)
  }

  /** Whether what the store was asked at `askedAt` still counts. */
  isFresh(askedAt: Instant): boolean {
    return this.#ageOf(askedAt) < permissionMs
  }

  #hasRunOut(grantedAt: Instant): boolean {
    return this.#ageOf(grantedAt) >= leaseMs - marginMs
  }

  #ageOf({ elapsed, wall }: Instant): number {
    const now = this.now()
    return Math.max(now.elapsed - elapsed, now.wall - wall)
  }
}

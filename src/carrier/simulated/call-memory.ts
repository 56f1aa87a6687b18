// Which Call-IDs the carrier has met, for ever or for as long as there is room: what it can swear to when asked.
import type { RescueAnswer } from '../carrier.ts'

export type Remembered = 'unanswered' | 'answered' | 'withdrawn'

/** At least so many of the latest calls are known, at most twice as many: enough for questions about minutes ago. */
const usualMinCalls = 50_000

/**
 * Two generations: when the younger is full it becomes the older, and the older is forgotten whole. Deleting the oldest
 * key of one Map walked over all deleted ones before it: 10,000 calls a second instead of 100,000.
 */
export class CallMemory {
  #younger = new Map<string, Remembered>()
  #older = new Map<string, Remembered>()
  readonly #minCalls: number
  /** Whether a Call-ID that is not here was certainly never dialled. */
  #whole: boolean

  /** `whole`: nothing was dialled before this memory began. It stays whole until it has to forget. */
  constructor(whole: boolean, minCalls = usualMinCalls) {
    this.#whole = whole
    this.#minCalls = minCalls
  }

  of(callId: string): Remembered | undefined {
    return this.#younger.get(callId) ?? this.#older.get(callId)
  }

  note(callId: string, what: Remembered): void {
    this.#younger.set(callId, what)
    if (this.#younger.size < this.#minCalls) return
    if (this.#older.size > 0) this.#whole = false
    this.#older = this.#younger
    this.#younger = new Map()
  }

  /** Answers for a call that is not under way. One that was never seen is withdrawn: a late dial of it is refused. */
  rescue(callId: string): RescueAnswer {
    const known = this.of(callId)
    if (known === 'answered' || known === 'unanswered') return known
    if (known === undefined) this.note(callId, 'withdrawn')
    return this.#whole ? 'never-placed' : 'unknown'
  }
}

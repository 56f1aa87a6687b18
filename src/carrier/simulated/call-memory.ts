// Which Call-IDs the carrier has met, for ever or for as long as there is room: what it can swear to when asked.
import type { RescueAnswer } from '../carrier.ts'

export type Remembered = 'unanswered' | 'answered' | 'withdrawn'

/** Enough for whoever asks about a call of minutes ago; some 10 MB. */
const usualMaxCalls = 100_000

export class CallMemory {
  readonly #calls = new Map<string, Remembered>()
  readonly #maxCalls: number
  /** Whether a Call-ID that is not here was certainly never dialled. */
  #whole: boolean

  /** `whole`: nothing was dialled before this memory began. It stays whole until it has to forget. */
  constructor(whole: boolean, maxCalls = usualMaxCalls) {
    this.#whole = whole
    this.#maxCalls = maxCalls
  }

  of(callId: string): Remembered | undefined {
    return this.#calls.get(callId)
  }

  note(callId: string, what: Remembered): void {
    this.#calls.set(callId, what)
    if (this.#calls.size <= this.#maxCalls) return
    for (const oldest of this.#calls.keys()) {
      this.#calls.delete(oldest)
      break
    }
    this.#whole = false
  }

  /** Answers for a call that is not under way. One that was never seen is withdrawn: a late dial of it is refused. */
  rescue(callId: string): RescueAnswer {
    const known = this.#calls.get(callId)
    if (known === 'answered' || known === 'unanswered') return known
    if (known === undefined) this.note(callId, 'withdrawn')
    return this.#whole ? 'never-placed' : 'unknown'
  }
}

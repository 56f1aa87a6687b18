// What a life draws from its seed: numbers, choices, retry policies, calling windows.
import type { CallingWindow } from '../../src/domain/calling-window.ts'
import type { RetryPolicy } from '../../src/domain/retry.ts'
import { type Random, seededRandom } from '../../src/runtime/random.ts'

const minute = 60_000
export class Chance {
  readonly #random: Random

  constructor(seed: number) {
    this.#random = seededRandom(seed)
  }

  /** A whole number, both ends included. */
  int(from: number, to: number): number {
    return from + Math.floor(this.#random() * (to - from + 1))
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.int(0, choices.length - 1)]!
  }

  happens(probability: number): boolean {
    return this.#random() < probability
  }

  retry(): RetryPolicy {
    const delays = () => [this.int(0, 2 * minute), this.int(0, 5 * minute)]
    const kinds = ['busy', 'no-answer', 'declined', 'blocked', 'carrier-failure', 'agent-failure', 'lost']
    const delaysMs = Object.fromEntries(kinds.filter(() => this.happens(0.6)).map(kind => [kind, delays()]))
    return { maxAttempts: this.int(1, 4), delaysMs }
  }

  window(): CallingWindow | null {
    if (this.happens(0.4)) return null
    const from = this.int(0, 20)
    const twoDigits = (hour: number) => String(hour).padStart(2, '0')
    const days = this.happens(0.5) ? [1, 2, 3, 4, 5, 6, 7] : [1, 7]
    return [{ days, from: `${twoDigits(from)}:30`, to: `${twoDigits(this.int(from + 3, 24))}:00` }]
  }
}

// What a random walk draws from its seed: numbers, choices, lists of people, retry policies, calling windows.
import type { CallingWindow } from '../../src/domain/calling-window.ts'
import type { RetryPolicy } from '../../src/domain/retry.ts'
import { type Random, seededRandom } from '../../src/runtime/random.ts'
import { people } from './switchboard.ts'

const minute = 60_000
/** See the table of the simulated carrier; 11 leaves it to chance. */
const quickEndings = [11, 11, 11, 11, 82, 83, 84, 87, 88, 90, 91, 92, 93, 94, 95, 96, 97, 98, 99]
/** A trunk that is set up wrongly rests for hours. */
const slowEndings = [85, 86]

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

  /** Nothing, in six of ten cases. */
  maybe<T extends object>(make: () => T): T | Record<string, never> {
    return this.happens(0.4) ? make() : {}
  }

  happens(probability: number): boolean {
    return this.#random() < probability
  }

  /** Settings of a simulated trunk. */
  telephones(): Record<string, unknown> {
    return {
      answerRate: this.int(0, 100) / 100,
      ringMs: [100, 8_000],
      ringOutMs: [10_000, 60_000],
      talkMs: [0, 40_000],
      maxCallsPerSecond: this.pick([null, null, null, 2]),
      maxConcurrentCalls: this.pick([null, null, null, 3]),
    }
  }

  /** Some stand in several batches: the numbers come from a small set. */
  people(withSlow: boolean): string[] {
    const endings = withSlow ? [...quickEndings, ...slowEndings] : quickEndings
    const numbers = Array.from({ length: this.int(1, 25) }, () => {
      return people(1, this.pick(endings), this.int(0, 12))[0]!
    })
    return [...new Set(numbers)]
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

// A clock that follows the store's: several machines on one database agree on what time it is, whatever each one's own
// clock says, so that spacings and windows mean the same on all of them.
import type { Clock, Timer } from './clock.ts'

/** What the store said of its time, between two instants of the clock that asks. Epoch ms. */
export interface TimeSample {
  storeNow: number
  askedAt: number
  answeredAt: number
}

/** Instants are stored in whole milliseconds: less than that is no difference. */
const resolutionMs = 1

export class SynchronisedClock implements Clock {
  readonly #own: Clock
  #offsetMs = 0

  constructor(own: Clock) {
    this.#own = own
  }

  now(): number {
    return this.#own.now() + this.#offsetMs
  }

  elapsed(): number {
    return this.#own.elapsed()
  }

  at(atMs: number, task: () => void): Timer {
    return this.#own.at(atMs - this.#offsetMs, task)
  }

  /**
   * Moves to the store's time as far as the sample proves that we are off: the store answered somewhere between the
   * question and the answer, so that a slow answer proves less. Returns by how much it moved, ms.
   */
  follow({ storeNow, askedAt, answeredAt }: TimeSample): number {
    const early = storeNow - answeredAt
    const late = askedAt - storeNow
    const byMs = early > resolutionMs ? early : late > resolutionMs ? -late : 0
    this.#offsetMs += byMs
    return byMs
  }
}

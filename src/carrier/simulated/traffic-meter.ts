// What the carrier itself saw of our calls: the far end's view of the limits that we promise to keep.

export interface Seen {
  /** Calls that we asked it to place, refused ones included. */
  dials: number
  /** Largest number of calls at one time, from the dial to the end; refused ones are not among them. */
  maxConcurrent: number
  /** Largest number of dials in any sliding second: two dials 1,000 ms apart lie in different ones. */
  maxCallsPerSecond: number
  /** Shortest time between two dials, ms; null before the second dial. */
  minSpacingMs: number | null
  /** Dials with a Call-ID that it had seen before: a broken promise. */
  duplicateCallIds: number
}

const secondMs = 1_000
/** Old dial times are dropped when they are at least so many, and more than the others: each is copied once or so. */
const minOldTimes = 1_024

export class TrafficMeter {
  readonly #seen: Seen = {
    dials: 0,
    maxConcurrent: 0,
    maxCallsPerSecond: 0,
    minSpacingMs: null,
    duplicateCallIds: 0,
  }
  #concurrent = 0
  #times: number[] = []
  /** Index of the first dial that lies in the last second. */
  #first = 0

  get concurrent(): number {
    return this.#concurrent
  }

  seen(): Seen {
    return { ...this.#seen }
  }

  /** Notes a dial at `at`, epoch ms. */
  dialed(at: number): void {
    const previous = this.#times.at(-1)
    const spacingMs = previous === undefined ? Number.POSITIVE_INFINITY : at - previous
    const shortest = Math.min(this.#seen.minSpacingMs ?? Number.POSITIVE_INFINITY, spacingMs)
    this.#seen.minSpacingMs = Number.isFinite(shortest) ? shortest : null
    this.#seen.dials++
    this.#times.push(at)
    this.#seen.maxCallsPerSecond = Math.max(this.#seen.maxCallsPerSecond, this.dialsInSecondUpTo(at))
  }

  /** Dials in the second that ends at `at` (included); `at` must not go back. */
  dialsInSecondUpTo(at: number): number {
    while (this.#first < this.#times.length && this.#times[this.#first]! <= at - secondMs) this.#first++
    if (this.#first >= minOldTimes && this.#first * 2 > this.#times.length) this.#forgetOldTimes()
    return this.#times.length - this.#first
  }

  started(): void {
    this.#concurrent++
    this.#seen.maxConcurrent = Math.max(this.#seen.maxConcurrent, this.#concurrent)
  }

  ended(): void {
    this.#concurrent--
  }

  duplicated(): void {
    this.#seen.duplicateCallIds++
  }

  #forgetOldTimes(): void {
    this.#times = this.#times.slice(this.#first)
    this.#first = 0
  }
}

// Time that passes only when asked to: a day of calls in seconds, the same order of events every time.
import type { Clock, Timer } from './clock.ts'

/** How often the event loop may turn before one timer's consequences count as endless. */
const maxRoundsPerStep = 100_000

export interface RunLimits {
  /** Epoch ms: timers up to and including it run, then the clock stands there. Absent: until no timer is left. */
  until?: number
  /** Asked whenever everything has settled; true stops the run. */
  done?: () => boolean
}

interface QueuedTimer {
  at: number
  /** Insertion order decides between equal times. */
  order: number
  task: (() => void) | null
}

/**
 * A Clock that jumps from timer to timer. Between two timers it waits until everything that the first one set off has
 * settled: microtasks and chains of `setImmediate`, of whatever length. Nothing else is waited for: in virtual time no
 * code may hang on sockets, threads or real timers, unless `isBusy` says that it does.
 * Measured: 280,000 steps a second (2 cores, Node 26).
 */
export class VirtualClock implements Clock {
  #now: number
  #order = 0
  #running = false
  readonly #queue: QueuedTimer[] = []
  readonly #isBusy: () => boolean

  /** `isBusy`: true while work is under way that neither microtasks nor immediates show, e.g. in a worker thread. */
  constructor(startAt: number, isBusy: () => boolean = () => false) {
    this.#now = startAt
    this.#isBusy = isBusy
  }

  now(): number {
    return this.#now
  }

  elapsed(): number {
    return this.#now
  }

  at(atMs: number, task: () => void): Timer {
    // Whole milliseconds, as the real clock tells them: what reads `now()` stores it in integer columns.
    const timer: QueuedTimer = { at: Math.max(Math.ceil(atMs), this.#now), order: this.#order++, task }
    rise(this.#queue, timer)
    return {
      cancel: () => {
        timer.task = null
      },
    }
  }

  /** When the next timer is due, epoch ms; null: none is left. */
  nextAt(): number | null {
    while (this.#queue[0]?.task === null) removeFirst(this.#queue)
    return this.#queue[0]?.at ?? null
  }

  /** Runs timers in order of time until a limit is reached; returns how many. What a task throws passes on. */
  async run({ until = Number.POSITIVE_INFINITY, done = () => false }: RunLimits = {}): Promise<number> {
    if (this.#running) throw new Error('the virtual clock is running already')
    this.#running = true
    try {
      let steps = 0
      await this.#settle()
      for (let at = this.nextAt(); !done() && at !== null && at <= until; at = this.nextAt()) {
        this.#step()
        steps++
        await this.#settle()
      }
      if (until !== Number.POSITIVE_INFINITY && !done()) this.#now = Math.max(this.#now, until)
      return steps
    } finally {
      this.#running = false
    }
  }

  #step(): void {
    const { at, task } = removeFirst(this.#queue)
    this.#now = at
    task?.()
  }

  async #settle(): Promise<void> {
    for (let round = 0; round < maxRoundsPerStep; round++) {
      await turnOfEventLoop()
      if (!this.#isBusy() && !hasPendingImmediate()) return
    }
    throw new Error(
      `virtual time stands still: not settled after ${maxRoundsPerStep} turns of the event loop`,
    )
  }
}

function turnOfEventLoop(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

/** Asked from an immediate of our own, which is no longer counted by then (0.2 µs a call). */
function hasPendingImmediate(): boolean {
  return process.getActiveResourcesInfo().includes('Immediate')
}

// A binary heap: a day of 10,000 calls has tens of thousands of timers waiting at once.

function rise(queue: QueuedTimer[], timer: QueuedTimer): void {
  let at = queue.length
  while (at > 0) {
    const parent = (at - 1) >> 1
    if (isBefore(queue[parent]!, timer)) break
    queue[at] = queue[parent]!
    at = parent
  }
  queue[at] = timer
}

function removeFirst(queue: QueuedTimer[]): QueuedTimer {
  const first = queue[0]!
  const last = queue.pop()!
  if (queue.length > 0) settleFrom(queue, last)
  return first
}

function settleFrom(queue: QueuedTimer[], timer: QueuedTimer): void {
  let at = 0
  for (let child = 1; child < queue.length; child = 2 * at + 1) {
    if (child + 1 < queue.length && isBefore(queue[child + 1]!, queue[child]!)) child++
    if (isBefore(timer, queue[child]!)) break
    queue[at] = queue[child]!
    at = child
  }
  queue[at] = timer
}

function isBefore(one: QueuedTimer, other: QueuedTimer): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order)
}

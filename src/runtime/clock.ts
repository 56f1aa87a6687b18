// The only source of time: handed to everything that waits, so that a day of calls can run in seconds.

export interface Timer {
  cancel(): void
}

export interface Clock {
  /** Epoch milliseconds. */
  now(): number
  /** Milliseconds since some fixed instant, monotonic and fractional: for spacing, never for records. */
  elapsed(): number
  /** Runs `task` once at `atMs` (epoch milliseconds), or as soon as possible when that has passed. */
  at(atMs: number, task: () => void): Timer
}

/** setTimeout counts in 32 bits: a longer wait fires at once, so it is taken in stages. */
const maxTimeoutMs = 2 ** 31 - 1

export const realClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  at(atMs, task) {
    let handle: NodeJS.Timeout
    const arm = () => {
      const waitMs = atMs - Date.now()
      handle = waitMs > maxTimeoutMs ? setTimeout(arm, maxTimeoutMs) : setTimeout(task, Math.max(0, waitMs))
    }
    arm()
    return { cancel: () => clearTimeout(handle) }
  },
}

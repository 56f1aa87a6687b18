// Waiting on a clock, for commands that look again after a while.
import type { Clock } from './clock.ts'

/** Resolves after `ms` on `clock`, or at once when `signal` fires. */
export function waitFor(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal?.aborted) return resolve()
    const stop = () => {
      timer.cancel()
      resolve()
    }
    const timer = clock.at(clock.now() + ms, () => {
      signal?.removeEventListener('abort', stop)
      resolve()
    })
    signal?.addEventListener('abort', stop, { once: true })
  })
}

// A clock that shows another time.
import type { Clock } from '../../src/runtime/clock.ts'

/** A clock that runs as another one does, but shows another time. */
export function skewed(clock: Clock, errorMs: number): Clock {
  return {
    now: () => clock.now() + errorMs,
    elapsed: () => clock.elapsed(),
    at: (at, task) => clock.at(at - errorMs, task),
  }
}

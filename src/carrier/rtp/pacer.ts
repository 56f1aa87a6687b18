// One pacer per thread: every line gets its tick each 20 ms, by absolute deadlines, the lines spread over slots.
import type { Clock, Timer } from '../../runtime/clock.ts'
import { createLateness } from './lateness.ts'

export interface Pacer {
  /** Ticks every 20 ms until the returned function is called. */
  add(tick: () => void): () => void
  /** 99 of 100 ticks of the last seconds were done no later than this after their deadline, ms. */
  latenessMs(): number
  /** Lines that are paced. */
  size(): number
  close(): void
}

export interface PacerSettings {
  clock: Clock
  /** Runs after each slot: a sender that gathers packets sends them now. */
  afterSlot?: () => void
}

const frameMs = 20
/** 2.5 ms each: with all lines in one slot the last of 500 would leave 8 ms after its deadline. */
const slots = 8
const slotMs = frameMs / slots
/** Timers count whole milliseconds: waking this much early is better than a whole one late. */
const earlyMs = 0.5
/** After a longer halt (a suspended machine) what was missed is left out: nobody wants to hear it any more. */
const maxCatchUpMs = 200

/**
 * `setInterval(20)` ran 4% slow and drifted without bound; here a late tick is late once and the next is on time.
 * Ticks that were missed are made up for, in order, so that audio is complete.
 */
export function createPacer({ clock, afterSlot = () => {} }: PacerSettings): Pacer {
  const wheel = Array.from({ length: slots }, () => new Set<() => void>())
  const lateness = createLateness()
  /** Deadline of slot number `next`, on the monotonic clock. */
  let deadlineMs = 0
  let next = 0
  let size = 0
  let timer: Timer | null = null

  const arm = () => {
    const waitMs = Math.max(0, deadlineMs - clock.elapsed())
    timer = clock.at(clock.now() + waitMs, wake)
  }

  const wake = () => {
    timer = null
    skipWhatIsTooOld()
    while (size > 0 && deadlineMs <= clock.elapsed() + earlyMs) runSlot()
    if (size > 0) arm()
  }

  /** Whole turns of the wheel, so that each line keeps its place in the 20 ms. */
  const skipWhatIsTooOld = () => {
    const behindMs = clock.elapsed() - deadlineMs
    if (behindMs > maxCatchUpMs) deadlineMs += Math.floor(behindMs / frameMs) * frameMs
  }

  const runSlot = () => {
    const deadline = deadlineMs
    const slot = wheel[next]!
    deadlineMs += slotMs
    next = (next + 1) % slots
    for (const tick of slot) {
      tick()
      lateness.add(clock.elapsed() - deadline)
    }
    if (slot.size > 0) afterSlot()
  }

  return {
    add(tick) {
      const slot = wheel.reduce((least, candidate) => (candidate.size < least.size ? candidate : least))
      slot.add(tick)
      if (size++ === 0) {
        deadlineMs = clock.elapsed()
        if (timer === null) arm()
      }
      return () => {
        if (slot.delete(tick)) size--
      }
    },
    latenessMs: () => lateness.p99(clock.elapsed()),
    size: () => size,
    close() {
      timer?.cancel()
      timer = null
      size = 0
      for (const slot of wheel) slot.clear()
    },
  }
}

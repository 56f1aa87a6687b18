// Thousands of timers on one: every transaction waits for something, nearly none of it happens (RFC 3261 §17).
import type { Clock, Timer } from '../../runtime/clock.ts'

/** Retransmissions are half a second apart: 10 ms is exact enough, and one tick serves all that fall into it. */
const tickMs = 10
/** Together 10.24 s; what lies further ahead goes round more than once. */
const slotCount = 1_024

interface Entry extends Timer {
  tick: number
  task: () => void
  slot: Set<Entry>
}

/**
 * A hashed wheel over a Clock. Setting and cancelling are O(1) and a cancelled timer is gone at once: 2,000 calls a
 * second leave 64,000 timers of 32 s behind that would otherwise wait in the heap of the event loop.
 */
export class TimerWheel {
  readonly #clock: Clock
  readonly #slots = Array.from({ length: slotCount }, () => new Set<Entry>())
  #size = 0
  /** The last tick that has run. */
  #tick: number
  #armed: Timer | null = null
  #armedTick = Number.POSITIVE_INFINITY

  constructor(clock: Clock) {
    this.#clock = clock
    this.#tick = Math.floor(clock.now() / tickMs)
  }

  /** Timers that wait. */
  get size(): number {
    return this.#size
  }

  /** Runs `task` once, at `atMs` (epoch ms) or up to 10 ms later. */
  at(atMs: number, task: () => void): Timer {
    if (this.#size === 0) this.#tick = Math.max(this.#tick, Math.floor(this.#clock.now() / tickMs))
    const tick = Math.max(Math.ceil(atMs / tickMs), this.#tick + 1)
    const slot = this.#slots[tick % slotCount]!
    const entry: Entry = {
      tick,
      task,
      slot,
      cancel: () => {
        if (slot.delete(entry)) this.#size--
      },
    }
    slot.add(entry)
    this.#size++
    if (tick < this.#armedTick) this.#arm(tick)
    return entry
  }

  close(): void {
    this.#armed?.cancel()
    this.#armedTick = Number.NEGATIVE_INFINITY
    for (const slot of this.#slots) slot.clear()
    this.#size = 0
  }

  #arm(tick: number): void {
    this.#armed?.cancel()
    this.#armedTick = tick
    this.#armed = this.#clock.at(tick * tickMs, () => this.#turn())
  }

  #turn(): void {
    this.#armedTick = Number.POSITIVE_INFINITY
    const until = Math.floor(this.#clock.now() / tickMs)
    // After a long sleep of the machine one whole round meets every slot.
    const rounds = Math.min(until - this.#tick, slotCount)
    for (let tick = until - rounds + 1; tick <= until; tick++)
      this.#run(this.#slots[tick % slotCount]!, until)
    this.#tick = Math.max(this.#tick, until)
    const next = this.#nextTick()
    if (next < this.#armedTick) this.#arm(next)
  }

  #run(slot: Set<Entry>, until: number): void {
    if (slot.size === 0) return
    const due = [...slot].filter(entry => entry.tick <= until)
    for (const entry of due) {
      // An earlier task may have cancelled this one.
      if (!slot.delete(entry)) continue
      this.#size--
      entry.task()
    }
  }

  /** The next tick with something in it, or the end of this round. */
  #nextTick(): number {
    if (this.#size === 0) return Number.POSITIVE_INFINITY
    for (let tick = this.#tick + 1; tick < this.#tick + slotCount; tick++)
      if (this.#slots[tick % slotCount]!.size > 0) return tick
    return this.#tick + slotCount
  }
}

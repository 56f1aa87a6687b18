// Log lines that a flood cannot multiply: one of each kind in a while, with the number that was left out.
import type { Clock } from '../../runtime/clock.ts'
import type { Logger } from '../../runtime/logger.ts'

const quietMs = 10_000
/** Kinds are ours and few; whoever makes more of them is not us. */
const maxKinds = 100

export class SampledLog {
  readonly #logger: Logger
  readonly #clock: Clock
  readonly #kinds = new Map<string, { saidAt: number; leftOut: number }>()

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger
    this.#clock = clock
  }

  /** `kind` is the sentence and what lines are counted by; it names nobody. */
  warn(kind: string, fields: Record<string, unknown> = {}): void {
    const now = this.#clock.now()
    const known = this.#kinds.get(kind)
    if (known !== undefined && now - known.saidAt < quietMs) return void known.leftOut++
    if (this.#kinds.size >= maxKinds) this.#kinds.clear()
    this.#kinds.set(kind, { saidAt: now, leftOut: 0 })
    const leftOut = known?.leftOut ?? 0
    this.#logger.warn(leftOut === 0 ? fields : { ...fields, leftOut }, kind)
  }
}

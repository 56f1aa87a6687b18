// Does an immediate 480 mean a telephone that is off, or a trunk that is full and does not say so? What became of the calls
// dialled just before decides (field notes §1). Pure.

/** A telephone that is off is paged first, for seconds; a trunk without room refuses at its edge. Digest rounds included. */
export const immediateMs = 1_000

/**
 * Of the trunk's last `calls` calls, those dialled within `withinMs`: a trunk is full when so many of them met an immediate
 * 480. Fewer are enough while it was found full lately: it is slowed down then and refuses only now and then. Where every
 * tenth telephone is off and is answered for at once, one call in 11,000 is misread; where every fifth is, one in 250.
 */
export const burstRule = {
  calls: 10,
  withinMs: 3_000,
  immediate480s: 6,
  again480s: 3,
  latelyMs: 60_000,
} as const

/** Who was put back so often and still meets a 480 has a telephone that is off: what is misread costs three INVITEs. */
const maxPutBacks = 3

/** Nobody picked up, the network says: then it did look for somebody. */
const nobodyThere: ReadonlySet<number> = new Set([18, 19, 20])

/** How an immediate 480 stands among the trunk's other calls. */
export interface Burst {
  /** Immediate 480s among the trunk's last calls, this one included. */
  immediate480s: number
  /** The trunk was found full lately. */
  wasFull: boolean
  /** How often the person was put back before. */
  putBacks: number
}

/** Whether the trunk is full. */
export function isFull({ immediate480s, wasFull }: Omit<Burst, 'putBacks'>): boolean {
  return immediate480s >= (wasFull ? burstRule.again480s : burstRule.immediate480s)
}

/** Whether this 480 is the trunk's word and not the person's. */
export function isThrottling(burst: Burst): boolean {
  return isFull(burst) && burst.putBacks < maxPutBacks
}

/** @param afterMs from the dial to the final answer; null: it rang in between */
export function isImmediate480(
  { sipStatus, q850 }: { sipStatus: number | null; q850: number | null },
  afterMs: number | null,
): boolean {
  if (sipStatus !== 480 || afterMs === null || afterMs > immediateMs) return false
  return q850 === null || !nobodyThere.has(q850)
}

export interface DialledCall {
  /** Epoch ms. */
  dialledAt: number
  /** False while nothing is known yet, too. */
  isImmediate480: boolean
}

/**
 * How an immediate 480 stands: `calls` are the trunk's last ones in the order of their dials, the refused one being the
 * last. Calls that were dialled before it and still ring speak for the trunk; later ones have had no time to.
 * @param fullAt when the trunk was last found full, epoch ms
 */
export function standing(calls: readonly DialledCall[], fullAt: number | null): Omit<Burst, 'putBacks'> {
  const { withinMs, latelyMs } = burstRule
  const now = calls.at(-1)?.dialledAt ?? 0
  return {
    immediate480s: calls.filter(call => call.isImmediate480 && call.dialledAt > now - withinMs).length,
    wasFull: fullAt !== null && fullAt > now - latelyMs,
  }
}

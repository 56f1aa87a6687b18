// How late packets leave: a histogram over the last seconds, whose 99th percentile says when a node is full.

export interface Lateness {
  add(lateMs: number): void
  /** 99 of 100 packets of the last five to ten seconds left no later than this, ms; 0: none were sent. */
  p99(nowMs: number): number
}

const bucketMs = 0.25
/** Up to 100 ms; what is later counts as that. */
const buckets = 400
const windowMs = 5000

/** Two windows, of which the older is dropped: a spike is forgotten after ten seconds. */
export function createLateness(): Lateness {
  let current = new Uint32Array(buckets)
  let previous = new Uint32Array(buckets)
  let startedMs: number | null = null
  const turn = (nowMs: number) => {
    startedMs ??= nowMs
    if (nowMs - startedMs < windowMs) return
    const isStale = nowMs - startedMs >= 2 * windowMs
    const oldest = previous
    previous = isStale ? oldest.fill(0) : current
    current = isStale ? current.fill(0) : oldest.fill(0)
    startedMs = nowMs
  }
  return {
    add(lateMs) {
      const bucket = Math.min(buckets - 1, Math.max(0, Math.floor(lateMs / bucketMs)))
      current[bucket]!++
    },
    p99(nowMs) {
      turn(nowMs)
      return percentile(current, previous)
    },
  }
}

function percentile(one: Uint32Array, other: Uint32Array): number {
  let total = 0
  for (let bucket = 0; bucket < buckets; bucket++) total += one[bucket]! + other[bucket]!
  if (total === 0) return 0
  let above = 0
  for (let bucket = buckets - 1; bucket >= 0; bucket--) {
    above += one[bucket]! + other[bucket]!
    if (above > total / 100) return (bucket + 1) * bucketMs
  }
  return 0
}

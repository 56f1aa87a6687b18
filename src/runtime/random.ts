// Randomness with a seed, so that whatever depends on chance can be replayed.

/** A number in [0, 1). */
export type Random = () => number

/** mulberry32: 32 bits of state, good enough to spread calls, not to keep secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

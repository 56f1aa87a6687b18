// Sums over measured values, and one way to print them.

/** The value below which `share` (0 to 1) of the values lie. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

export interface Spread {
  p50: number
  p99: number
  max: number
}

export function spreadOf(values: readonly number[]): Spread {
  return { p50: median(values), p99: quantile(values, 0.99), max: quantile(values, 1) }
}

/** `p50 0.41, p99 2.10, max 3.55 ms` */
export function printSpread({ p50, p99, max }: Spread): string {
  return `p50 ${p50.toFixed(2)}, p99 ${p99.toFixed(2)}, max ${max.toFixed(2)} ms`
}

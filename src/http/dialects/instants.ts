// Instants as the dialects print them: UTC, with or without milliseconds.

/** `2024-04-10T08:00:00Z` */
export function secondsInstant(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 19)}Z`
}

/** `2024-03-01T10:00:00.000Z` */
export function millisInstant(atMs: number): string {
  return new Date(atMs).toISOString()
}

/** Null stays null. */
export function orNull<T>(value: number | null, print: (value: number) => T): T | null {
  return value === null ? null : print(value)
}

/** Milliseconds as seconds with one decimal. */
export function tenthsOfSeconds(ms: number): number {
  return Math.round(ms / 100) / 10
}

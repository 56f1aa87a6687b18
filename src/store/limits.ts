// Figures that hold whatever the engine.

/** A new workspace's limit on open attempts; its owner sets another through the API. */
export const defaultMaxConcurrentCalls = 100

/** How long an answer is kept under its Idempotency-Key. */
export const keptAnswerMs = 24 * 3_600_000
/** About 10 kB each: a trunk that was left tracing fills 200 MB, not the disk. */
export const maxTraces = 20_000
/** A call that was asked for and has not been placed after this waits for its hours or its trunk, not for a place. */
export const soonPlacedMs = 60_000

// What the benchmarks ask of a job queue: so many jobs in, one number (a person) each, and somebody who handles them.

export interface JobQueue {
  /** Puts `count` jobs in, one for each person from 0 on, as fast as the queue takes them. */
  fill(count: number): Promise<void>
  /** Starts handling jobs and returns. */
  work(handle: (person: number) => Promise<void>): Promise<void>
  /** Jobs that are waiting or under way. */
  left(): Promise<number>
  /** After a worker was killed: what its documentation has a person do, where waiting would take hours. */
  takeBack(): Promise<void>
  close(): Promise<void>
}

export interface JobQueueOptions {
  /** Of the database, or `redis://…`. */
  url: string
  /**
   * `throughput`: set as each queue's documentation sets it for many short jobs, with batches where there are any.
   * `calls`: jobs that take seconds, 20 at a time, and a worker that is gone is noticed after seconds.
   */
  tuning: 'throughput' | 'calls'
}

/** Jobs of two seconds that a process handles at once, for `calls`. */
export const callsAtOnce = 20
/** After this long without a sign a worker is taken for dead, for `calls`; longer than a call. */
export const deadAfterMs = 4_000
/** Jobs put in by one statement. */
export const fillChunk = 5_000

/** `fill` in chunks: `first` and the one after the last of each. */
export function* chunksOf(count: number): Generator<readonly number[]> {
  for (let first = 0; first < count; first += fillChunk)
    yield Array.from({ length: Math.min(fillChunk, count - first) }, (_, index) => first + index)
}

// What passes between the main thread and the ingest worker.
import type { RefusalKind } from '../domain/refusal.ts'
import type { IngestSummary, ListRules } from './list-rules.ts'

export interface IngestJob {
  /** null: contacts follow as messages, in slices, ended by null. */
  path: string | null
  rules: ListRules
  /** Shared: how many chunks the main thread has stored. The worker sleeps on it when it is too far ahead. */
  taken: Int32Array<SharedArrayBuffer>
}

/** To the worker. Slices of contacts follow a job without a path; null ends them. */
export type IngestRequest =
  | { kind: 'job'; job: IngestJob }
  | { kind: 'contacts'; slice: readonly unknown[] | null }

/** From the worker. */
export type IngestMessage =
  | { kind: 'rows'; chunk: string }
  | { kind: 'done'; summary: IngestSummary }
  | { kind: 'refused'; refusal: SentRefusal }

/** A Refusal loses its class on the way between threads. */
export interface SentRefusal {
  kind: RefusalKind
  code: string
  sentence: string
  details: Readonly<Record<string, unknown>>
}

/** Chunks that the worker may have sent before the first of them is stored: enough that neither side waits for long. */
export const maxChunksAhead = 4

// Bytes → rows → recipients, in a worker thread with a memory and a time limit: the way in for everything outside ingest/.
import { setImmediate } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import { Refusal } from '../domain/refusal.ts'
import { realClock } from '../runtime/clock.ts'
import type { AcceptedRow, RejectedRow } from '../store/store.ts'
import type { IngestMessage, IngestRequest } from './ingest-job.ts'
import type { IngestSummary, ListRules, ListSource } from './list-rules.ts'
import { unpackRows } from './row-chunk.ts'
import { borrowWorker, returnWorker } from './spare-worker.ts'

export type { IngestSummary, ListRules, ListSource } from './list-rules.ts'

export interface IngestSink {
  /** Takes rows in order of row number, in chunks; the next chunk waits for the promise. */
  take(accepted: AcceptedRow[], rejected: RejectedRow[]): Promise<void>
}

export interface IngestLimits {
  /** Time that the worker may work; what the sink takes does not count. */
  timeoutMs: number
  /** The worker's heap. */
  maxOldGenerationMb: number
}

export const defaultIngestLimits: IngestLimits = { timeoutMs: 60_000, maxOldGenerationMb: 768 }

/**
 * Reads a list in a worker thread and hands its rows to `sink`, chunk by chunk. Throws a Refusal for a list that cannot
 * be taken: `file_too_large`, `unsupported_format`, `invalid_csv`, `unclosed_quote`, `missing_phone_column`,
 * `too_many_contacts`, `invalid_contacts`, `invalid_phone_format` (refuseBadContact), `strict_rows` (strict mode; the
 * sink has taken nothing), `ingest_timeout`, `ingest_memory`. In lenient mode the sink may have taken rows before the
 * fault was found: the import has to be discarded then. An error of the sink ends the reading and passes on.
 */
export async function ingestList(
  source: ListSource,
  rules: ListRules,
  sink: IngestSink,
  limits: IngestLimits = defaultIngestLimits,
): Promise<IngestSummary> {
  if (source.kind === 'file' && source.bytes > rules.maxBytes) throw tooLarge(source.bytes, rules.maxBytes)
  if (source.kind === 'contacts' && source.contacts.length > rules.maxRows) throw tooMany(rules.maxRows)
  const taken = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  const worker = borrowWorker(limits.maxOldGenerationMb)
  const messages = listen(worker, limits)
  let reusable = false
  try {
    send(worker, { kind: 'job', job: { path: source.kind === 'file' ? source.path : null, rules, taken } })
    if (source.kind === 'contacts') await sendContacts(worker, source.contacts)
    for (;;) {
      const message = await messages.next()
      // After a large list its heap stays large; after a refusal, contacts may still be on their way to it.
      reusable = message.kind === 'done' && isSmall(source)
      if (message.kind === 'done') return message.summary
      if (message.kind === 'refused') throw refusalOf(message)
      const { accepted, rejected } = unpackRows(message.chunk)
      await sink.take(accepted, rejected)
      // A sink that stores nothing would otherwise let chunk follow chunk without a turn for anything else: 400 ms.
      await setImmediate()
      Atomics.add(taken, 0, 1)
      Atomics.notify(taken, 0)
    }
  } finally {
    messages.close()
    await returnWorker(worker, limits.maxOldGenerationMb, reusable)
  }
}

/** Cloning this many contacts takes the main thread about a millisecond. */
const maxContactsAtOnce = 250

const maxSmallBytes = 2_000_000
const maxSmallContacts = 10_000

function isSmall(source: ListSource): boolean {
  return source.kind === 'file' ? source.bytes <= maxSmallBytes : source.contacts.length <= maxSmallContacts
}

function send(worker: Worker, request: IngestRequest): void {
  worker.postMessage(request)
}

/** Contacts are sliced: cloning 10 MB at once would block the main thread for longer than a call may wait. */
async function sendContacts(worker: Worker, contacts: readonly unknown[]): Promise<void> {
  for (let start = 0; start < contacts.length; start += maxContactsAtOnce) {
    send(worker, { kind: 'contacts', slice: contacts.slice(start, start + maxContactsAtOnce) })
    await setImmediate()
  }
  send(worker, { kind: 'contacts', slice: null })
}

/** The worker's messages one by one; `next` rejects when it breaks, or has worked for longer than it may. */
function listen(worker: Worker, limits: IngestLimits) {
  const waiting: IngestMessage[] = []
  let failure: Error | null = null
  let wake: (() => void) | null = null
  let workMs = 0
  const fail = (error: Error) => {
    failure ??= error
    wake?.()
  }
  const onMessage = (message: IngestMessage) => {
    waiting.push(message)
    wake?.()
  }
  const onError = (error: unknown) => fail(asRefusal(error, limits))
  const onExit = (code: number) => fail(new Error(`the ingest worker ended with code ${code}`))
  worker.on('message', onMessage).on('error', onError).on('exit', onExit)
  const next = async (): Promise<IngestMessage> => {
    const since = realClock.now()
    const timer = realClock.at(since + limits.timeoutMs - workMs, () => fail(timedOut(limits)))
    try {
      while (waiting.length === 0 && failure === null)
        await new Promise<void>(resolve => {
          wake = resolve
        })
    } finally {
      timer.cancel()
      workMs += realClock.now() - since
    }
    const message = waiting.shift()
    if (message !== undefined) return message
    throw failure ?? new Error('the ingest worker fell silent')
  }
  const close = () => {
    worker.off('message', onMessage).off('error', onError).off('exit', onExit)
  }
  return { next, close }
}

function refusalOf({ refusal }: IngestMessage & { kind: 'refused' }): Refusal {
  return new Refusal(refusal.kind, refusal.code, refusal.sentence, { ...refusal.details })
}

function asRefusal(error: unknown, limits: IngestLimits): Error {
  const cause = error instanceof Error ? error : new Error(String(error))
  if (!('code' in cause) || cause.code !== 'ERR_WORKER_OUT_OF_MEMORY') return cause
  const sentence = 'Reading the list takes more memory than is allowed. Send it as CSV, or in several parts.'
  return new Refusal('too-large', 'ingest_memory', sentence, {
    maxOldGenerationMb: limits.maxOldGenerationMb,
  })
}

function timedOut(limits: IngestLimits): Refusal {
  const sentence = 'Reading the list takes longer than is allowed. Send it as CSV, or in several parts.'
  return new Refusal('too-large', 'ingest_timeout', sentence, { timeoutMs: limits.timeoutMs })
}

function tooLarge(bytes: number, maxBytes: number): Refusal {
  const sentence = `The file has ${bytes} bytes; at most ${maxBytes} are taken. Split it into several lists.`
  return new Refusal('too-large', 'file_too_large', sentence, { bytes, maxBytes })
}

function tooMany(maxRows: number): Refusal {
  const sentence = `The list has more than ${maxRows} contacts. Split it into several lists.`
  return new Refusal('invalid', 'too_many_contacts', sentence, { max: maxRows })
}

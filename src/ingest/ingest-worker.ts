// The worker thread's side of ingest: reads one list, sends its rows in chunks, and waits when the other side is behind.
import { readFileSync } from 'node:fs'
import { type MessagePort, parentPort } from 'node:worker_threads'
import { Refusal } from '../domain/refusal.ts'
import { type IngestJob, type IngestMessage, type IngestRequest, maxChunksAhead } from './ingest-job.ts'
import type { IngestSummary } from './list-rules.ts'
import { type RowOutput, readContacts, readFile } from './read-list.ts'
import { packAccepted, packRejected } from './row-chunk.ts'
import { openStrictReport } from './strict-report.ts'

/** A chunk is full when it has this many rows or characters: the main thread stores one in a few milliseconds. */
const maxChunkRows = 1_000
const maxChunkChars = 256 * 1024

const port = parentPort as MessagePort
let job: IngestJob
/** Chunks of this job so far. */
let sent = 0
/** Takes the slices of contacts while a job waits for them. */
let takeSlice: ((slice: readonly unknown[] | null) => void) | null = null

port.on('message', (message: IngestRequest) => {
  if (message.kind === 'contacts') takeSlice?.(message.slice)
  else void run(message.job)
})

/** One job after another: starting a thread and loading the libraries takes longer than reading most lists. */
async function run(next: IngestJob): Promise<void> {
  job = next
  sent = 0
  try {
    const output = job.rules.mode === 'strict' ? strictOutput() : lenientOutput()
    const summary = await (job.path === null
      ? receiveContacts(output)
      : readFile(readFileSync(job.path), job.rules, output))
    output.end()
    send({ kind: 'done', summary })
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const { kind, code, message, details } = error
    send({ kind: 'refused', refusal: { kind, code, sentence: message, details } })
  }
}

/** Contacts come in slices, so that cloning them never holds up the main thread; null ends them. */
function receiveContacts(output: RowOutput): Promise<IngestSummary> {
  const reader = readContacts(job.rules, output)
  const { promise, resolve, reject } = Promise.withResolvers<IngestSummary>()
  takeSlice = slice => {
    try {
      if (slice === null) resolve(reader.end([]))
      else reader.add(slice)
    } catch (error) {
      takeSlice = null
      reject(error)
    }
  }
  return promise
}

interface FinishedOutput extends RowOutput {
  /** After the last row. */
  end(): void
}

function lenientOutput(): FinishedOutput {
  const chunks = openChunks(sendChunk)
  return {
    accept: row => chunks.add(packAccepted(row)),
    reject: row => chunks.add(packRejected(row)),
    end: chunks.flush,
  }
}

/** Rows are kept here, as packed text no larger than the file, until all are known to be good. */
function strictOutput(): FinishedOutput {
  const report = openStrictReport()
  const held: string[] = []
  const chunks = openChunks(chunk => held.push(chunk))
  return {
    accept: row => chunks.add(packAccepted(row)),
    reject: row => {
      report.add(row)
      chunks.add(packRejected(row))
    },
    end: () => {
      const refusal = report.refusal()
      if (refusal !== null) throw refusal
      chunks.flush()
      for (const chunk of held) sendChunk(chunk)
    },
  }
}

function openChunks(deliver: (chunk: string) => void) {
  let lines: string[] = []
  let chars = 0
  const flush = () => {
    if (lines.length > 0) deliver(lines.join(''))
    lines = []
    chars = 0
  }
  const add = (line: string) => {
    chars += line.length
    if (lines.push(line) >= maxChunkRows || chars >= maxChunkChars) flush()
  }
  return { add, flush }
}

/** Blocks this thread, and only this one, while the other side is too far behind. */
function sendChunk(chunk: string): void {
  for (
    let taken = Atomics.load(job.taken, 0);
    sent - taken >= maxChunksAhead;
    taken = Atomics.load(job.taken, 0)
  ) {
    Atomics.wait(job.taken, 0, taken)
  }
  send({ kind: 'rows', chunk })
  sent++
}

function send(message: IngestMessage): void {
  port.postMessage(message)
}

// One media worker as the main thread sees it: the lines it carries, its pulse, and its end.
import type { Worker } from 'node:worker_threads'
import type { OpenLine } from './media.ts'
import { orderFor, type PooledLine } from './pooled-line.ts'
import { type FromWorker, pulseMs, type ToWorker } from './worker-messages.ts'

export type OpenAnswer =
  | { kind: 'opened' }
  | { kind: 'port-taken' | 'failed' | 'worker-died'; reason: string }

interface Carried {
  line: PooledLine
  opening: ((answer: OpenAnswer) => void) | null
}

export class WorkerLines {
  /** Resolves when the thread has loaded, or died of it. */
  readonly ready: Promise<void>
  readonly #worker: Worker
  readonly #lines = new Map<number, Carried>()
  #setReady: () => void
  #wasReady = false
  #isDead = false
  #nextLine = 1
  #latenessMs = 0
  #missedPulses = 0

  /** @param onExit called once, with the error that ended the thread if there was one */
  constructor(worker: Worker, onExit: (error: Error | null) => void) {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.ready = promise
    this.#setReady = resolve
    this.#worker = worker
    let error: Error | null = null
    worker.on('message', (message: FromWorker) => this.#hear(message))
    worker.on('error', cause => {
      error = cause instanceof Error ? cause : new Error(String(cause))
    })
    worker.on('exit', () => {
      this.#isDead = true
      this.#setReady()
      onExit(error)
    })
  }

  size(): number {
    return this.#lines.size
  }

  wasReady(): boolean {
    return this.#wasReady
  }

  /** What the worker last said, or how long it has said nothing. */
  latenessMs(): number {
    return this.#missedPulses > 1 ? this.#missedPulses * pulseMs : this.#latenessMs
  }

  /** Counts pulses that should have come; a main thread that slept itself counts none. */
  missPulse(): number {
    return this.#wasReady ? this.#missedPulses++ : 0
  }

  open(line: PooledLine, request: OpenLine): Promise<OpenAnswer> {
    const number = this.#nextLine++
    return new Promise(resolve => {
      if (this.#isDead) return resolve(workerDied)
      this.#lines.set(number, { line, opening: resolve })
      this.#say({ kind: 'open', line: number, port: line.port, request })
    })
  }

  async closeLines(): Promise<void> {
    await Promise.all([...this.#lines.values()].map(({ line }) => line.close()))
  }

  /** The thread has ended: tells each line, and returns how many there were. */
  failLines(): number {
    const carried = [...this.#lines.values()]
    this.#lines.clear()
    for (const { line, opening } of carried) {
      if (opening === null) line.died()
      else opening(workerDied)
    }
    return carried.length
  }

  async terminate(): Promise<void> {
    await this.#worker.terminate()
  }

  #hear(message: FromWorker): void {
    if (message.kind === 'ready') {
      this.#wasReady = true
      this.#setReady()
    } else if (message.kind === 'pulse') {
      this.#missedPulses = 0
      this.#latenessMs = message.latenessMs
    } else this.#hearOfLine(message)
  }

  #hearOfLine(message: Exclude<FromWorker, { kind: 'ready' | 'pulse' }>): void {
    const carried = this.#lines.get(message.line)
    if (carried === undefined) return
    const { line, opening } = carried
    if (message.kind === 'event') line.tell(message.event)
    else if (message.kind === 'opened') {
      carried.opening = null
      line.opened(message.srtpKey, order => this.#say(orderFor(message.line, order)))
      opening?.({ kind: 'opened' })
    } else {
      this.#lines.delete(message.line)
      if (message.kind === 'closed') line.closed(message.report)
      else opening?.({ kind: message.code, reason: message.reason })
    }
  }

  #say(message: ToWorker): void {
    this.#worker.postMessage(message)
  }
}

const workerDied: OpenAnswer = {
  kind: 'worker-died',
  reason: 'The media worker died while the line was opened.',
}

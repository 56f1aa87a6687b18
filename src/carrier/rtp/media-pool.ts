// The media pool: lines spread over worker threads, ports over lines, and what becomes of lines whose worker dies.
import { availableParallelism } from 'node:os'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Clock, Timer } from '../../runtime/clock.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { LineEvent, MediaLine, MediaPool, OpenLine } from './media.ts'
import { PooledLine } from './pooled-line.ts'
import { createPortRange, type PortBounds, type PortRange } from './port-range.ts'
import { WorkerLines } from './worker-lines.ts'
import { pulseMs } from './worker-messages.ts'

export interface MediaPoolSettings {
  clock: Clock
  logger: Logger
  ports: PortBounds
  /** Threads; a core each. */
  workers?: number
  /** New calls are refused while the pacing of any worker is later than this, p99 in ms. */
  maxLatenessMs?: number
  /** For tests: starts the thread of media-worker.ts. */
  startWorker?: () => Worker
}

/** Why a line cannot be opened: the call was not placed. */
export type MediaRefusal = 'overloaded' | 'no-port' | 'worker-died' | 'failed' | 'closed'

export class MediaRefused extends Error {
  readonly code: MediaRefusal

  constructor(code: MediaRefusal, sentence: string) {
    super(sentence)
    this.name = 'MediaRefused'
    this.code = code
  }
}

/** Half of the 40 ms that a usual jitter buffer holds would be gone at 20; clicks are heard before that. */
const usualMaxLatenessMs = 15
/** Ports that other programs hold are passed over; so many in a row mean that the range is not ours. */
const maxPortTries = 8
const takenPortRestMs = 60_000
/** A worker that says nothing for so long hangs: its calls are silent anyway. */
const maxMissedPulses = 10

/** Starts the workers; resolves when all are ready for lines. @throws Error when the range of ports is wrong */
export async function openMediaPool(settings: MediaPoolSettings): Promise<MediaPool> {
  const pool = new WorkerPool(settings)
  await pool.ready()
  return pool
}

class WorkerPool implements MediaPool {
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #ports: PortRange
  readonly #maxLatenessMs: number
  readonly #startWorker: () => Worker
  readonly #workers = new Set<WorkerLines>()
  #sweep: Timer
  #isClosed = false

  constructor({ clock, logger, ports, workers, maxLatenessMs, startWorker }: MediaPoolSettings) {
    this.#clock = clock
    this.#logger = logger
    this.#ports = createPortRange(ports)
    this.#maxLatenessMs = maxLatenessMs ?? usualMaxLatenessMs
    this.#startWorker = startWorker ?? (() => new Worker(workerFile, { name: 'media' }))
    for (let count = workers ?? availableParallelism(); count > 0; count--) this.#start()
    this.#sweep = this.#sweepLater()
  }

  async ready(): Promise<void> {
    await Promise.all([...this.#workers].map(worker => worker.ready))
  }

  async open(request: OpenLine, onEvent: (event: LineEvent) => void): Promise<MediaLine> {
    this.#refuseIfFull()
    for (let tries = 0; tries < maxPortTries; tries++) {
      const worker = this.#leastLoaded()
      const port = this.#ports.take(this.#clock.now())
      if (port === null) throw new MediaRefused('no-port', 'No RTP port is free.')
      const line = new PooledLine(port, onEvent, restMs =>
        this.#ports.release(port, this.#clock.now(), restMs),
      )
      const answer = await worker.open(line, request)
      if (answer.kind === 'opened') return line
      line.release(answer.kind === 'port-taken' ? takenPortRestMs : undefined)
      if (answer.kind !== 'port-taken') throw new MediaRefused(answer.kind, answer.reason)
    }
    throw new MediaRefused('no-port', `Other programs hold ${maxPortTries} RTP ports in a row.`)
  }

  latenessMs(): number {
    return Math.max(0, ...[...this.#workers].map(worker => worker.latenessMs()))
  }

  figures() {
    const openLines = [...this.#workers].reduce((total, worker) => total + worker.size(), 0)
    return { openLines, freePorts: this.#ports.free(this.#clock.now()), workers: this.#workers.size }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#sweep.cancel()
    const workers = [...this.#workers]
    await Promise.all(workers.map(worker => worker.closeLines()))
    await Promise.all(workers.map(worker => worker.terminate()))
  }

  #refuseIfFull(): void {
    if (this.#isClosed) throw new MediaRefused('closed', 'The media pool is closed.')
    const latenessMs = this.latenessMs()
    if (latenessMs > this.#maxLatenessMs) {
      throw new MediaRefused(
        'overloaded',
        `Audio leaves ${latenessMs} ms late: this node takes no more calls for now.`,
      )
    }
  }

  #leastLoaded(): WorkerLines {
    if (this.#workers.size === 0) throw new MediaRefused('worker-died', 'No media worker is running.')
    return [...this.#workers].reduce((least, worker) => (worker.size() < least.size() ? worker : least))
  }

  #start(): void {
    const worker = new WorkerLines(this.#startWorker(), error => this.#replace(worker, error))
    this.#workers.add(worker)
  }

  /** The thread is gone, and with it the audio of its lines; the other workers' lines notice nothing. */
  #replace(worker: WorkerLines, error: Error | null): void {
    this.#workers.delete(worker)
    const lost = worker.failLines()
    if (this.#isClosed) return
    this.#logger.error({ err: error ?? undefined, lines: lost }, 'a media worker died and is replaced')
    // One that dies while it loads would die again at once.
    if (worker.wasReady()) this.#start()
    else this.#clock.at(this.#clock.now() + pulseMs, () => this.#restart())
  }

  #restart(): void {
    if (!this.#isClosed) this.#start()
  }

  #sweepLater(): Timer {
    return this.#clock.at(this.#clock.now() + pulseMs, () => {
      for (const worker of this.#workers) if (worker.missPulse() > maxMissedPulses) void worker.terminate()
      this.#sweep = this.#sweepLater()
    })
  }
}

/** Beside this file, with its ending: `.ts` here, `.js` in a built package. */
const workerFile = new URL(`./media-worker${extname(import.meta.url)}`, import.meta.url)

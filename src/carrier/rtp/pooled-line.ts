// A line as the main thread holds it: passes orders to its worker, and is over when the worker says so or dies.
import type { LineEvent, LineReport, MediaLine, RemoteMedia } from './media.ts'
import type { ToWorker } from './worker-messages.ts'

export class PooledLine implements MediaLine {
  readonly port: number
  srtpKey: string | null = null
  readonly #onEvent: (event: LineEvent) => void
  readonly #releasePort: (restMs?: number) => void
  readonly #report = Promise.withResolvers<LineReport>()
  #order: ((order: LineOrder) => void) | null = null
  /** Told before the caller of `open` had the line in hand. */
  #early: LineEvent[] = []
  #isClosing = false
  #isOver = false

  constructor(port: number, onEvent: (event: LineEvent) => void, releasePort: (restMs?: number) => void) {
    this.port = port
    this.#onEvent = onEvent
    this.#releasePort = releasePort
  }

  connect(remote: RemoteMedia): void {
    this.#order?.({ kind: 'connect', remote })
  }

  answered(): void {
    this.#order?.({ kind: 'answered' })
  }

  close(): Promise<LineReport> {
    if (!this.#isClosing) this.#order?.({ kind: 'close' })
    this.#isClosing = true
    return this.#report.promise
  }

  /** The worker has bound its port; orders go there from now on. */
  opened(srtpKey: string | null, order: (order: LineOrder) => void): void {
    this.srtpKey = srtpKey
    this.#order = order
    const early = this.#early
    this.#early = []
    for (const event of early) setImmediate(() => this.tell(event))
  }

  tell(event: LineEvent): void {
    if (this.#isClosing || this.#isOver) return
    if (this.#order === null) this.#early.push(event)
    else this.#onEvent(event)
  }

  closed(report: LineReport): void {
    if (this.#isOver) return
    this.#report.resolve(report)
    this.release()
  }

  /** Its worker died: the agent is gone, and nobody counted. */
  died(): void {
    this.tell({ kind: 'agent-failed', reason: 'the media worker of the call died' })
    this.closed(emptyReport())
  }

  /** The port goes back to rest. Idempotent. */
  release(restMs?: number): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#order = null
    this.#releasePort(restMs)
  }
}

/** An order without the number of its line. */
export type LineOrder = { kind: 'connect'; remote: RemoteMedia } | { kind: 'answered' } | { kind: 'close' }

export function orderFor(line: number, order: LineOrder): ToWorker {
  return { ...order, line }
}

function emptyReport(): LineReport {
  return {
    voicemail: false,
    results: {},
    transcript: [],
    recordingBytes: null,
    packetsSent: 0,
    packetsReceived: 0,
    packetsLost: 0,
    jitterMs: 0,
    firstAudioAfterMs: null,
  }
}

// A media pool without sound: lines are opened, told things and closed, and the test says what happens on them.
import type {
  LineEvent,
  LineReport,
  MediaLine,
  MediaPool,
  OpenLine,
  RemoteMedia,
} from '../../src/carrier/rtp/media.ts'

export interface SilentLine {
  request: OpenLine
  remotes: RemoteMedia[]
  answered: boolean
  closed: boolean
  tell(event: LineEvent): void
}

export class SilentMedia implements MediaPool {
  readonly lines: SilentLine[] = []
  /** Set to refuse lines. */
  refusal: Error | null = null
  report: Partial<LineReport> = {}
  isClosed = false

  async open(request: OpenLine, onEvent: (event: LineEvent) => void): Promise<MediaLine> {
    if (this.refusal !== null) throw this.refusal
    const line: SilentLine = { request, remotes: [], answered: false, closed: false, tell: onEvent }
    this.lines.push(line)
    return {
      port: 30_000 + 2 * this.lines.length,
      srtpKey: null,
      connect: remote => void line.remotes.push(remote),
      answered: () => {
        line.answered = true
      },
      close: async () => {
        line.closed = true
        return { ...emptyReport, ...this.report }
      },
    }
  }

  latenessMs(): number {
    return 0
  }

  figures() {
    const openLines = this.lines.filter(line => !line.closed).length
    return { openLines, freePorts: 1_000, workers: 1 }
  }

  async close(): Promise<void> {
    this.isClosed = true
  }
}

const emptyReport: LineReport = {
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

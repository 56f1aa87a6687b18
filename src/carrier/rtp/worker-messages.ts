// What the main thread and a media worker say to each other. A line is a number that the main thread gives out.
import type { LineEvent, LineReport, OpenLine, RemoteMedia } from './media.ts'

export type ToWorker =
  | { kind: 'open'; line: number; port: number; request: OpenLine }
  | { kind: 'connect'; line: number; remote: RemoteMedia }
  | { kind: 'answered'; line: number }
  | { kind: 'close'; line: number }

export type FromWorker =
  /** Loaded and ready for lines. */
  | { kind: 'ready' }
  | { kind: 'opened'; line: number; srtpKey: string | null }
  /** `port-taken`: another program holds it; another port may be tried. */
  | { kind: 'refused'; line: number; code: 'port-taken' | 'failed'; reason: string }
  | { kind: 'event'; line: number; event: LineEvent }
  | { kind: 'closed'; line: number; report: LineReport }
  /** Once a second: alive, and how late its packets leave. */
  | { kind: 'pulse'; latenessMs: number }

export const pulseMs = 1000

// What Outdial and a carrier in a process of its own say to each other: one JSON object a line, over TCP on 127.0.0.1.
import type { Socket } from 'node:net'
import type { Evidence } from '../../domain/outcome.ts'
import type { CallRequest, RescueAnswer } from '../carrier.ts'
import type { Seen } from './traffic-meter.ts'

/** Variables stay here: a carrier has no use for what is known about a person. */
export type DialRequest = Omit<CallRequest, 'variablesJson'>

export type ToCarrier =
  | { type: 'dial'; request: DialRequest }
  | { type: 'hang-up'; callId: string }
  /** After a broken connection: tell me again where these calls of mine stand. */
  | { type: 'attach'; callIds: string[] }
  | { type: 'rescue'; question: number; callIds: string[] }
  | { type: 'stats'; question: number }

/** What is heard of a call. */
export type CallEvent =
  | { type: 'ringing' | 'answered'; callId: string; at: number }
  | { type: 'ended'; callId: string; at: number; evidence: Evidence }

export type FromCarrier =
  | CallEvent
  | { type: 'rescued'; question: number; answers: RescueAnswer[] }
  | { type: 'seen'; question: number; seen: Seen }

/** A rescue of 100,000 calls has some 5 MB; a line beyond this comes from something else than a carrier. */
const maxLineChars = 32 * 1024 * 1024

/** One end of the connection. Everything sent within one turn of the event loop leaves in one write. */
export class LineSocket<Out, In> {
  readonly #socket: Socket
  #unsent: string[] = []
  #partial = ''

  constructor(socket: Socket, hear: (message: In) => void) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.setEncoding('utf8')
    socket.on('data', text => this.#receive(String(text), hear))
    // `close` follows every error and is what both ends act upon.
    socket.on('error', () => {})
  }

  get isOpen(): boolean {
    return this.#socket.readyState === 'open'
  }

  send(message: Out): void {
    this.#unsent.push(`${JSON.stringify(message)}\n`)
    if (this.#unsent.length > 1) return
    queueMicrotask(() => {
      const text = this.#unsent.join('')
      this.#unsent = []
      if (this.isOpen) this.#socket.write(text)
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  #receive(text: string, hear: (message: In) => void): void {
    const lines = (this.#partial + text).split('\n')
    this.#partial = lines.pop() ?? ''
    if (this.#partial.length > maxLineChars) this.close()
    for (const line of lines) {
      const message = parseLine<In>(line)
      if (message !== null) hear(message)
      else this.close()
    }
  }
}

function parseLine<In>(line: string): In | null {
  try {
    return JSON.parse(line) as In
  } catch {
    return null
  }
}

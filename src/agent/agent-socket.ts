// The WebSocket to one call's agent: JSON messages both ways, and every way in which the other side can fail, by name.
import { type RawData, WebSocket } from 'ws'
import type { Clock, Timer } from '../runtime/clock.ts'

export interface SocketRequest {
  url: string
  headers: Record<string, string>
  /** For name look-up, TCP, TLS and handshake together. */
  timeoutMs: number
}

export interface SocketEvents {
  /** A message; may come before `openAgentSocket` has resolved. */
  message(message: Record<string, unknown>): void
  /** The agent closed the connection in order. Comes last, and not after `broken` or our own `close`. */
  closed(): void
  /** The agent cannot be used any more, with one sentence that holds no secret. Comes last, once. */
  broken(reason: string): void
}

export interface AgentSocket {
  /** Drops the message when the connection is over. */
  send(message: object): void
  /** Says goodbye; idempotent. No event follows. */
  close(): void
}

/** A message holds at most ten minutes of audio in base64. */
const maxMessageBytes = 8 * 1024 * 1024
/** 20 ms of audio are 330 bytes on the wire: an agent that is 30 s behind reads no more. */
const maxUnsentBytes = 512 * 1024
/** What is no JSON object is forgiven a few times: real agents send none. */
const maxGarbageMessages = 10
/** Audio in 20 ms pieces at 400 times real time. */
const maxMessagesPerSecond = 20_000
/** RFC 6455 §5.5.2: everybody answers a ping, also an agent that has nothing to say. */
const pingIntervalMs = 10_000
/** How long the other side may take to close after us. */
const closeTimeoutMs = 2_000
/** RFC 6455 §7.4.1: an orderly end, and the same without a code. */
const orderlyCloseCodes: ReadonlySet<number> = new Set([1000, 1005])

/**
 * Opens the connection; rejects with one sentence (no secrets, no more of the URL than its host) when the agent is not
 * there within the time-out. Never throws otherwise: what goes wrong later is told to `events`.
 */
export function openAgentSocket(
  request: SocketRequest,
  events: SocketEvents,
  clock: Clock,
): Promise<AgentSocket> {
  return new CallSocket(request, events, clock).opened
}

/** `opening` → `open` → `over`; `over` is entered once, and nothing is told after it. */
class CallSocket implements AgentSocket {
  readonly #events: SocketEvents
  readonly #clock: Clock
  readonly #socket: WebSocket
  readonly #host: string
  readonly #opening = Promise.withResolvers<AgentSocket>()
  #state: 'opening' | 'open' | 'over' = 'opening'
  /** The time-out of the handshake, then the next ping. */
  #timer: Timer
  #hasAnswered = true

  constructor({ url, headers, timeoutMs }: SocketRequest, events: SocketEvents, clock: Clock) {
    this.#events = events
    this.#clock = clock
    this.#host = hostOf(url)
    // A frame of audio does not shrink, and compression costs 300 KB a connection.
    this.#socket = new WebSocket(url, { headers, maxPayload: maxMessageBytes, perMessageDeflate: false })
    this.#timer = this.#after(timeoutMs, () => this.#fail(`did not answer within ${timeoutMs} ms`))
    this.#listen()
  }

  get opened(): Promise<AgentSocket> {
    return this.#opening.promise
  }

  send(message: object): void {
    if (this.#state !== 'open') return
    this.#socket.send(JSON.stringify(message))
    if (this.#socket.bufferedAmount > maxUnsentBytes) this.#fail('does not read what it is sent')
  }

  close(): void {
    if (!this.#end()) return
    this.#socket.close(1000)
    const timer = this.#after(closeTimeoutMs, () => this.#socket.terminate())
    this.#socket.once('close', () => timer.cancel())
  }

  #listen(): void {
    const hear = openEar(this.#events, reason => this.#fail(reason), this.#clock)
    this.#socket
      .on('open', () => this.#begin())
      .on('message', (data, isBinary) => {
        if (this.#state !== 'over') hear(data, isBinary)
      })
      .on('pong', () => {
        this.#hasAnswered = true
      })
      .on('unexpected-response', (_, { statusCode }) =>
        this.#fail(`refused the connection with status ${statusCode}`),
      )
      .on('error', error => this.#fail(`cannot be used: ${causeOf(error)}`))
      .on('close', code => this.#hearClose(code))
  }

  #begin(): void {
    this.#state = 'open'
    this.#timer.cancel()
    this.#keepAsking()
    this.#opening.resolve(this)
  }

  #keepAsking(): void {
    if (!this.#hasAnswered) this.#fail('stopped answering')
    if (this.#state !== 'open') return
    this.#hasAnswered = false
    this.#socket.ping()
    this.#timer = this.#after(pingIntervalMs, () => this.#keepAsking())
  }

  #hearClose(code: number): void {
    if (this.#state === 'opening') this.#fail('closed the connection')
    else if (!orderlyCloseCodes.has(code)) this.#fail(`broke off (${code})`)
    else if (this.#end()) this.#events.closed()
  }

  /** @param what goes on from "The agent at bot.example" */
  #fail(what: string): void {
    const wasOpen = this.#state === 'open'
    if (!this.#end()) return
    this.#socket.terminate()
    const reason = `The agent at ${this.#host} ${what}.`
    if (wasOpen) this.#events.broken(reason)
    else this.#opening.reject(new Error(reason))
  }

  /** False: it was over already. */
  #end(): boolean {
    if (this.#state === 'over') return false
    this.#state = 'over'
    this.#timer.cancel()
    return true
  }

  #after(ms: number, task: () => void): Timer {
    return this.#clock.at(this.#clock.now() + ms, task)
  }
}

/** Reads messages and keeps an eye on how many of them are of no use. */
function openEar(events: SocketEvents, give: (reason: string) => void, clock: Clock) {
  let garbage = 0
  let windowAt = clock.elapsed()
  let inWindow = 0
  return (data: RawData, isBinary: boolean) => {
    const now = clock.elapsed()
    if (now - windowAt >= 1000) {
      windowAt = now
      inWindow = 0
    }
    const message = isBinary ? null : readObject(data)
    if (++inWindow > maxMessagesPerSecond) give('floods the line with messages')
    else if (message !== null) events.message(message)
    else if (++garbage > maxGarbageMessages) give('sends what is no JSON')
  }
}

function readObject(data: RawData): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(data.toString())
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null
  } catch {
    return null
  }
}

/** Host and port alone: paths and queries of such URLs often hold keys. */
function hostOf(url: string): string {
  return URL.parse(url)?.host ?? 'an unreadable address'
}

/** `ECONNREFUSED`, `ENOTFOUND` and the like say more than their messages, which repeat the address. */
function causeOf(error: Error & { code?: unknown }): string {
  return typeof error.code === 'string' ? error.code : error.message
}

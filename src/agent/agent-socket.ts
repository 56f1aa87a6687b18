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
  const host = hostOf(request.url)
  const { promise, resolve, reject } = Promise.withResolvers<AgentSocket>()
  const socket = new WebSocket(request.url, {
    headers: request.headers,
    maxPayload: maxMessageBytes,
    // A frame of audio does not shrink, and compression costs 300 KB a connection.
    perMessageDeflate: false,
  })
  let state: 'opening' | 'open' | 'over' = 'opening'
  const timers = new Set<Timer>()
  const later = (ms: number, task: () => void) => {
    const timer = clock.at(clock.now() + ms, () => {
      timers.delete(timer)
      task()
    })
    timers.add(timer)
  }
  const end = (): boolean => {
    if (state === 'over') return false
    state = 'over'
    for (const timer of timers) timer.cancel()
    timers.clear()
    return true
  }
  const fail = (reason: string) => {
    const wasOpen = state === 'open'
    if (!end()) return
    socket.terminate()
    if (wasOpen) events.broken(reason)
    else reject(new Error(reason))
  }

  later(request.timeoutMs, () => fail(`The agent at ${host} did not answer within ${request.timeoutMs} ms.`))
  const hear = openEar(events, reason => fail(`The agent at ${host} ${reason}.`), clock)
  socket.on('message', (data, isBinary) => {
    if (state !== 'over') hear(data, isBinary)
  })
  socket.on('unexpected-response', (_, response) => {
    fail(`The agent at ${host} refused the connection with status ${response.statusCode}.`)
  })
  socket.on('error', error => fail(`The agent at ${host} cannot be used: ${causeOf(error)}.`))
  socket.on('close', code => {
    if (state !== 'open') fail(`The agent at ${host} closed the connection.`)
    else if (!orderlyCloseCodes.has(code)) fail(`The agent at ${host} broke off (${code}).`)
    else if (end()) events.closed()
  })
  socket.on('open', () => {
    state = 'open'
    for (const timer of timers) timer.cancel()
    timers.clear()
    keepAsking()
    resolve({ send, close })
  })

  let answered = true
  socket.on('pong', () => {
    answered = true
  })
  const keepAsking = () => {
    if (!answered) fail(`The agent at ${host} stopped answering.`)
    if (state !== 'open') return
    answered = false
    socket.ping()
    later(pingIntervalMs, keepAsking)
  }

  const send = (message: object) => {
    if (state !== 'open') return
    socket.send(JSON.stringify(message))
    if (socket.bufferedAmount > maxUnsentBytes) fail(`The agent at ${host} does not read what it is sent.`)
  }
  const close = () => {
    if (!end()) return
    socket.close(1000)
    const timer = clock.at(clock.now() + closeTimeoutMs, () => socket.terminate())
    socket.once('close', () => timer.cancel())
  }
  return promise
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

// One POST to an endpoint: to a checked address, no redirect followed, the answer read only as far as it is kept.
import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import { isIP } from 'node:net'
import type { Clock } from '../runtime/clock.ts'
import { guardedLookup, type ResolveHost, resolver } from './guarded-lookup.ts'
import { hostOf, targetProblem } from './target-url.ts'

export interface WebhookRequest {
  url: string
  headers: Readonly<Record<string, string>>
  body: string
  /** From the first byte sent to the last byte of the answer that is read. */
  timeoutMs: number
}

export interface WebhookAnswer {
  /** null: none came. */
  status: number | null
  durationMs: number
  /** Why there was no answer, in a few words. */
  error: string | null
  /** The first kilobyte of its body. */
  response: string | null
  /** The header, as received. */
  retryAfter: string | null
}

/** Never rejects: what went wrong stands in the answer. */
export type Send = (request: WebhookRequest) => Promise<WebhookAnswer>

export interface Sender {
  send: Send
  /** Cuts off what is under way. */
  close(): void
}

/** What is kept of an answer's body, and what is read so that the connection may serve again. */
const keptResponseBytes = 1_024
const maxResponseBytes = 64 * 1_024
/** Idle connections kept for each endpoint, and for how long: most servers close theirs after 5 s and more. */
const maxIdleConnections = 4
const idleMs = 4_000

export interface SenderOptions {
  clock: Clock
  /** Loopback and private networks as well: for tests and for endpoints beside us. */
  allowPrivate: boolean
  resolve?: ResolveHost
}

export function openSender({ clock, allowPrivate, resolve = resolver(allowPrivate) }: SenderOptions): Sender {
  const keeping = { keepAlive: true, maxFreeSockets: maxIdleConnections, timeout: idleMs }
  const agents = { 'http:': new HttpAgent(keeping), 'https:': new HttpsAgent(keeping) }
  const lookup = guardedLookup(resolve, allowPrivate)

  const send = async (request: WebhookRequest): Promise<WebhookAnswer> => {
    const startedAt = clock.elapsed()
    const answered = (answer: Omit<WebhookAnswer, 'durationMs'>): WebhookAnswer => ({
      ...answer,
      durationMs: Math.round(clock.elapsed() - startedAt),
    })
    // An address in the URL is never looked up, so it is checked here; the URL may be older than the rule.
    const problem = targetProblem(request.url, allowPrivate)
    if (problem !== null) return answered(failure(`The URL ${problem}.`))
    try {
      return answered(await post(request, 'first'))
    } catch (error) {
      return answered(failure(wordsFor(error)))
    }
  }

  /** A connection kept from before may have been closed by the other side in this moment: that says nothing, once. */
  const post = async (request: WebhookRequest, attempt: 'first' | 'second') => {
    const url = new URL(request.url)
    const isSecure = url.protocol === 'https:'
    const outgoing = (isSecure ? requestHttps : requestHttp)(url, {
      method: 'POST',
      headers: { ...request.headers, 'content-length': Buffer.byteLength(request.body) },
      agent: agents[isSecure ? 'https:' : 'http:'],
      ...(isIP(hostOf(url)) === 0 ? { lookup } : {}),
    })
    const late = new Error(`No answer within ${request.timeoutMs} ms.`)
    const timer = clock.at(clock.now() + request.timeoutMs, () => outgoing.destroy(late))
    try {
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        outgoing.on('response', resolve)
        outgoing.on('error', reject)
        outgoing.end(request.body)
      })
      return await read(response)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (attempt === 'first' && outgoing.reusedSocket && code === 'ECONNRESET')
        return post(request, 'second')
      throw error
    } finally {
      timer.cancel()
    }
  }

  return {
    send,
    close() {
      agents['http:'].destroy()
      agents['https:'].destroy()
    },
  }
}

async function read(response: IncomingMessage): Promise<Omit<WebhookAnswer, 'durationMs'>> {
  const kept: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      if (bytes < keptResponseBytes) kept.push(chunk.subarray(0, keptResponseBytes - bytes))
      bytes += chunk.length
      // Leaving the loop destroys the connection.
      if (bytes > maxResponseBytes) break
    }
  } catch {
    // The status stands, whatever became of the rest.
  }
  return {
    status: response.statusCode ?? null,
    error: null,
    // Not every engine stores a NUL in a text.
    response: bytes === 0 ? null : Buffer.concat(kept).toString('utf8').replaceAll('\0', ''),
    retryAfter: response.headers['retry-after'] ?? null,
  }
}

const failure = (error: string) => ({ status: null, error, response: null, retryAfter: null })

/** The code of what the system said (`ECONNREFUSED`), else its sentence; of several addresses tried, the last. */
function wordsFor(error: unknown): string {
  const { code, message, errors } = error as NodeJS.ErrnoException & { errors?: unknown[] }
  if (Array.isArray(errors) && errors.length > 0) return wordsFor(errors.at(-1))
  return code ?? (message === '' ? 'unknown' : message)
}

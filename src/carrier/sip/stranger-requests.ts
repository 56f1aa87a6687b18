// Requests that belong to no call of ours: refused politely and without keeping anything (RFC 3261 §8.2.7), and not
// faster than a flood is worth.
import { createHash } from 'node:crypto'
import type { Clock } from '../../runtime/clock.ts'
import { allowedMethods } from './call-context.ts'
import { statusForUnwanted } from './dialog-requests.ts'
import { responseTo, type SipRequest, tagOf, writeMessage } from './message.ts'
import type { Hop } from './transport.ts'
import { parseVia, withSource } from './via.ts'

/** Answers a second; scanners on the open Internet ask far more often than carriers. */
const maxAnswersPerSecond = 100

export class StrangerRequests {
  readonly #clock: Clock
  readonly #send: (text: string, hop: Hop) => void
  #second = 0
  #answered = 0

  constructor(clock: Clock, send: (text: string, hop: Hop) => void) {
    this.#clock = clock
    this.#send = send
  }

  /** False: not answered. */
  refuse(received: SipRequest, from: Hop): boolean {
    if (received.method === 'ACK' || !this.#mayAnswer()) return false
    // The same tag for a repeated request, though nothing is kept (§8.2.7).
    const tag = createHash('sha256')
      .update(received.headers.get('via') ?? '')
      .digest('hex')
      .slice(0, 16)
    const response = responseTo(received, statusFor(received), tag)
    response.headers.add('allow', allowedMethods)
    this.#send(writeMessage(response), from)
    return true
  }

  #mayAnswer(): boolean {
    const second = Math.floor(this.#clock.now() / 1_000)
    if (second !== this.#second) this.#answered = 0
    this.#second = second
    return ++this.#answered <= maxAnswersPerSecond
  }
}

/** We take no calls: 403 to an INVITE; 481 to what speaks of a call that we do not hold. */
function statusFor({ method, headers }: SipRequest): number {
  if (method === 'CANCEL' || tagOf(headers.get('to') ?? '') !== null) return 481
  if (method === 'INVITE') return 403
  if (method === 'OPTIONS') return 200
  return method === 'BYE' || method === 'INFO' || method === 'UPDATE' ? 481 : statusForUnwanted(method)
}

/**
 * Where an answer goes (§18.2.2, RFC 3581): back to where the request came from on streams and where rport was asked
 * for, else to the port that Via names.
 */
export function answerHop(received: SipRequest, from: Hop): Hop {
  const via = parseVia(received.headers.list('via')[0] ?? '')
  if (from.protocol !== 'udp' || via === null || via.rport !== null) return from
  return { ...from, port: via.port ?? 5_060 }
}

/** Notes the source in the topmost Via, as every answer must carry it (§18.2.1). */
export function stampSource(received: SipRequest, from: Hop): void {
  const at = received.headers.names.indexOf('via')
  received.headers.values[at] = withSource(received.headers.values[at] ?? '', from.address, from.port)
}

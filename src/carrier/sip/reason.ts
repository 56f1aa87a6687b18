// What a final answer or a BYE says about its cause beside the status: Reason, Warning, Retry-After, carriers' own headers.
import { type Evidence, noEvidence } from '../../domain/outcome.ts'
import { splitList } from './header-list.ts'
import type { SipMessage } from './message.ts'
import { parseParams } from './sip-uri.ts'

export interface Cause {
  /** Q.850 cause of a Reason header (RFC 3326); null: none. */
  q850: number | null
  /** Texts that the message gives, joined: phrase, Reason text, Warning text, carrier's error. */
  text: string | null
  /** Retry-After (RFC 3261 §20.33); null: none. */
  retryAfterSeconds: number | null
}

/** What is shown of a carrier's words at most. */
const maxTextLength = 200

export function causeOf(message: SipMessage): Cause {
  const reasons = message.headers.list('reason').map(parseReason)
  const q850 = reasons.find(reason => reason.protocol === 'q.850' && reason.cause !== null) ?? null
  const texts = [
    message.kind === 'response' ? message.phrase : '',
    q850?.text ?? reasons.find(reason => reason.text !== '')?.text ?? '',
    ...message.headers.list('warning').map(warningText),
    ...carrierErrorHeaders.flatMap(name => carrierError(message, name)),
  ]
  const text = [...new Set(texts.filter(one => one !== ''))].join('; ').slice(0, maxTextLength)
  return {
    q850: q850?.cause ?? null,
    text: text === '' ? null : text,
    retryAfterSeconds: retryAfterOf(message),
  }
}

/** Evidence of a final answer, or of the end of an answered call (`answeredAt`, then the status is 200). */
export function evidenceOf(message: SipMessage, answeredAt: number | null): Evidence {
  const { q850, text } = causeOf(message)
  const status = message.kind === 'response' ? message.status : 200
  return { ...noEvidence, sipStatus: answeredAt === null ? status : 200, phrase: text, q850, answeredAt }
}

/** `X-Twilio-Error: 32203 …` says what a bare 603 or 608 does not; others are read the same way. */
const carrierErrorHeaders = ['x-twilio-error', 'x-error-code', 'x-telnyx-error'] as const

function carrierError(message: SipMessage, name: string): string[] {
  const value = message.headers.get(name)
  return value === null ? [] : [`${name} ${value}`]
}

interface Reason {
  protocol: string
  cause: number | null
  text: string
}

/** `Q.850;cause=17;text="User busy"` */
function parseReason(value: string): Reason {
  const semicolon = value.indexOf(';')
  const protocol = (semicolon === -1 ? value : value.slice(0, semicolon)).trim().toLowerCase()
  const params = parseParams(semicolon === -1 ? '' : value.slice(semicolon))
  const cause = params.get('cause') ?? ''
  return { protocol, cause: /^\d{1,3}$/.test(cause) ? Number(cause) : null, text: params.get('text') ?? '' }
}

/** `399 host "text"` → text. */
function warningText(value: string): string {
  return /"((?:\\.|[^"\\])*)"/.exec(value)?.[1] ?? ''
}

function retryAfterOf(message: SipMessage): number | null {
  const match = /^\s*(\d{1,6})/.exec(splitList(message.headers.get('retry-after') ?? '')[0] ?? '')
  return match === null ? null : Number(match[1])
}

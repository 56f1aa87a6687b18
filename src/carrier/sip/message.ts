// A SIP message, request or response, and how it is written (RFC 3261 §7).
import { HeaderList, writtenName } from './header-list.ts'

export interface SipRequest {
  kind: 'request'
  method: string
  uri: string
  headers: HeaderList
  body: string
}

export interface SipResponse {
  kind: 'response'
  status: number
  phrase: string
  headers: HeaderList
  body: string
}

export type SipMessage = SipRequest | SipResponse

/** What every message has (§8.1.1), read once. */
export interface CSeq {
  number: number
  method: string
}

export function request(method: string, uri: string, headers: HeaderList, body = ''): SipRequest {
  return { kind: 'request', method, uri, headers, body }
}

/**
 * Answers `to` (§8.2.6.2): Via, From, To, Call-ID and CSeq are taken over, Record-Route too where a dialog begins.
 * @param tag added to To where it has none yet
 */
export function responseTo(to: SipRequest, status: number, tag: string | null, phrase?: string): SipResponse {
  const headers = new HeaderList()
  headers.addAll('via', to.headers.lines('via'))
  headers.addAll('record-route', to.headers.lines('record-route'))
  headers.add('from', to.headers.get('from') ?? '')
  const toValue = to.headers.get('to') ?? ''
  headers.add('to', tag === null || tagOf(toValue) !== null ? toValue : `${toValue};tag=${tag}`)
  headers.add('call-id', to.headers.get('call-id') ?? '')
  headers.add('cseq', to.headers.get('cseq') ?? '')
  return { kind: 'response', status, phrase: phrase ?? phrases.get(status) ?? 'Refused', headers, body: '' }
}

/** The text that goes out. A line break within a value would be a header of somebody else's making: it becomes a space. */
export function writeMessage(message: SipMessage): string {
  const { headers, body } = message
  let text =
    message.kind === 'request'
      ? `${message.method} ${message.uri} SIP/2.0\r\n`
      : `SIP/2.0 ${message.status} ${message.phrase}\r\n`
  for (let at = 0; at < headers.names.length; at++) {
    const value = headers.values[at]!
    text += `${writtenName(headers.names[at]!)}: ${lineBreak.test(value) ? value.replace(lineBreaks, ' ') : value}\r\n`
  }
  return `${text}Content-Length: ${body === '' ? 0 : Buffer.byteLength(body)}\r\n\r\n${body}`
}

const lineBreak = /[\r\n\0]/
const lineBreaks = /[\r\n\0]+/g

const cseqPattern = /^(\d{1,10})[ \t]+([^\s]+)$/
/** §8.1.1.5: below 2**31. */
const maxCSeq = 2 ** 31

export function cseqOf(message: SipMessage): CSeq | null {
  const match = cseqPattern.exec(message.headers.get('cseq') ?? '')
  if (match === null) return null
  const number = Number(match[1])
  return number < maxCSeq ? { number, method: match[2]! } : null
}

const tagPattern = /;\s*tag\s*=\s*([^\s;,>]+)/i

/** The tag of a From or To value; what stands between angle brackets or quotes is not searched. */
export function tagOf(value: string): string | null {
  const bracket = value.lastIndexOf('>')
  return tagPattern.exec(bracket === -1 ? value : value.slice(bracket))?.[1] ?? null
}

/** The body where it is SDP; '' where there is none or another kind (an ISUP part, say). */
export function sdpOf(message: SipMessage): string {
  if (message.body === '') return ''
  const type = message.headers.get('content-type') ?? 'application/sdp'
  if (/^\s*application\/sdp\b/i.test(type)) return message.body
  return /^\s*multipart\//i.test(type) ? sdpPart(message.body) : ''
}

/** A trunk that sends ISUP beside SDP puts both into one body (RFC 5621): the part that begins with `v=0` is ours. */
function sdpPart(body: string): string {
  const start = body.search(/(^|\n)v=0/)
  if (start === -1) return ''
  const part = body.slice(start).trimStart()
  const end = part.search(/\r?\n--/)
  return end === -1 ? part : `${part.slice(0, end)}\r\n`
}

const phrases: ReadonlyMap<number, string> = new Map([
  [100, 'Trying'],
  [200, 'OK'],
  [400, 'Bad Request'],
  [403, 'Forbidden'],
  [405, 'Method Not Allowed'],
  [415, 'Unsupported Media Type'],
  [420, 'Bad Extension'],
  [481, 'Call/Transaction Does Not Exist'],
  [488, 'Not Acceptable Here'],
  [491, 'Request Pending'],
  [500, 'Server Internal Error'],
  [501, 'Not Implemented'],
  [503, 'Service Unavailable'],
])

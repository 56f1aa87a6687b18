// Bytes from the network into a SIP message (RFC 3261 §7, §25.1): lenient where trunks are, never trusting.
import { HeaderList, lowerName } from './header-list.ts'
import { cseqOf, type SipMessage } from './message.ts'

/** No trunk comes near these; whoever does is not calling. */
export const maxMessageBytes = 65_535
export const maxHeadBytes = 32_768
export const maxHeaderLines = 256

export type Parsed = { message: SipMessage } | { malformed: string }

/**
 * Reads one message. On a stream (`framed`) the bytes end where Content-Length says; in a datagram a shorter
 * Content-Length cuts off what follows, a longer one is an error (§18.3).
 */
export function parseMessage(bytes: Buffer): Parsed {
  if (bytes.length > maxMessageBytes) return malformed('too long')
  const start = skipLineBreaks(bytes)
  const end = findHeadEnd(bytes, start)
  if (end === null) return malformed('headers do not end')
  if (end.at - start > maxHeadBytes) return malformed('headers too long')
  const parsed = parseHead(bytes.toString('utf8', start, end.at))
  if ('malformed' in parsed) return parsed
  return addBody(parsed.message, bytes, end.bodyAt)
}

/** §7.5: empty lines before the start line are skipped (keep-alives leave them on streams). */
export function skipLineBreaks(bytes: Buffer): number {
  let at = 0
  while (at < bytes.length && (bytes[at] === 13 || bytes[at] === 10)) at++
  return at
}

/** Where the headers end and the body begins; bare line feeds are taken too. null: not within these bytes. */
export function findHeadEnd(bytes: Buffer, start: number): { at: number; bodyAt: number } | null {
  const proper = bytes.indexOf('\r\n\r\n', start, 'latin1')
  if (proper !== -1) return { at: proper, bodyAt: proper + 4 }
  const bare = bytes.indexOf('\n\n', start, 'latin1')
  return bare === -1 ? null : { at: bare, bodyAt: bare + 2 }
}

function parseHead(head: string): Parsed {
  const lineEnd = head.indexOf('\n')
  const startLine = stripReturn(lineEnd === -1 ? head : head.slice(0, lineEnd))
  const headers = lineEnd === -1 ? new HeaderList() : parseHeaders(head, lineEnd + 1)
  if (typeof headers === 'string') return malformed(headers)
  const message = parseStartLine(startLine, headers)
  if (message === null) return malformed('no SIP start line')
  const flaw = findFlaw(message)
  return flaw === null ? { message } : malformed(flaw)
}

const versionPattern = /^SIP\/2\.0$/i
const statusPattern = /^SIP\/2\.0[ \t]+([1-6]\d\d)(?:[ \t]+(.*))?$/i
const methodPattern = /^[A-Za-z0-9.!%*_+`'~-]{1,64}$/
const uriPattern = /^[^\s<>"]+$/

function parseStartLine(line: string, headers: HeaderList): SipMessage | null {
  const status = statusPattern.exec(line)
  if (status !== null)
    return {
      kind: 'response',
      status: Number(status[1]),
      phrase: (status[2] ?? '').trim(),
      headers,
      body: '',
    }
  const [method = '', uri = '', version = '', ...rest] = line.split(' ')
  const isRequest =
    rest.length === 0 && methodPattern.test(method) && uriPattern.test(uri) && versionPattern.test(version)
  return isRequest ? { kind: 'request', method, uri, headers, body: '' } : null
}

/** A string is what is wrong with them. */
function parseHeaders(head: string, from: number): HeaderList | string {
  const headers = new HeaderList()
  for (let at = from; at < head.length; ) {
    let next = head.indexOf('\n', at)
    if (next === -1) next = head.length
    const line = stripReturn(head.slice(at, next))
    at = next + 1
    if (isFolded(line)) {
      if (headers.values.length === 0) return 'a folded line without a header'
      headers.values[headers.values.length - 1] += ` ${line.trim()}`
      continue
    }
    const colon = line.indexOf(':')
    if (colon < 1) return 'a header without a colon'
    if (headers.names.length === maxHeaderLines) return 'too many headers'
    headers.add(lowerName(line.slice(0, colon).trimEnd()), line.slice(colon + 1).trim())
  }
  return headers
}

function stripReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line
}

/** §7.3.1: a line that begins with white space continues the one before. */
function isFolded(line: string): boolean {
  const first = line.charCodeAt(0)
  return first === 32 || first === 9
}

const mandatory = ['via', 'from', 'to', 'call-id', 'cseq'] as const

/** §8.1.1 and what RFC 4475 §3.1.2 warns of; null: fit to be used. */
function findFlaw(message: SipMessage): string | null {
  for (const name of mandatory) if (!message.headers.get(name)) return `no ${name}`
  for (const name of ['from', 'to', 'call-id', 'cseq', 'content-length'])
    if (message.headers.names.indexOf(name) !== message.headers.names.lastIndexOf(name))
      return `${name} twice`
  const cseq = cseqOf(message)
  if (cseq === null) return 'bad cseq'
  if (message.kind === 'request' && cseq.method !== message.method) return 'cseq of another method'
  return null
}

function addBody(message: SipMessage, bytes: Buffer, bodyAt: number): Parsed {
  const stated = message.headers.get('content-length')
  if (stated === null) {
    message.body = bytes.toString('utf8', bodyAt)
    return { message }
  }
  const length = readContentLength(stated)
  if (length === null) return malformed('bad content-length')
  if (bodyAt + length > bytes.length) return malformed('body shorter than its content-length')
  if (length > 0) message.body = bytes.toString('utf8', bodyAt, bodyAt + length)
  return { message }
}

/** null: no number, negative, or beyond any message. */
export function readContentLength(value: string): number | null {
  if (!/^\d{1,9}$/.test(value)) return null
  const length = Number(value)
  return length <= maxMessageBytes ? length : null
}

function malformed(why: string): Parsed {
  return { malformed: why }
}

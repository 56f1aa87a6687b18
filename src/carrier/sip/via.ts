// The Via header: the way that answers take back (RFC 3261 §18.2.2, §20.42; RFC 3581 for rport).
import { bracketed, parseParams } from './sip-uri.ts'

export interface Via {
  /** `UDP`, `TCP`, `TLS` … */
  transport: string
  host: string
  port: number | null
  branch: string
  received: string | null
  /** null: not asked for; '' asked for. */
  rport: string | null
}

/** §8.1.1.7: every branch of ours begins so. */
export const branchCookie = 'z9hG4bK'

const viaPattern =
  /^SIP\s*\/\s*2\.0\s*\/\s*([A-Za-z0-9-]+)\s+(\[[0-9a-f:.]+\]|[^\s:;[\]]+)\s*(?::\s*(\d{1,5}))?\s*(;.*)?$/is

/** null: no Via. A request of RFC 2543 has no branch: it is ''. */
export function parseVia(value: string): Via | null {
  const match = viaPattern.exec(value)
  if (match === null) return null
  const params = parseParams(match[4] ?? '')
  return {
    transport: match[1]!.toUpperCase(),
    host: match[2]!.replace(/^\[|\]$/g, '').toLowerCase(),
    port: match[3] === undefined ? null : Number(match[3]),
    branch: params.get('branch') ?? '',
    received: params.get('received') ?? null,
    rport: params.get('rport') ?? null,
  }
}

/**
 * Ours: `rport` is always asked for, since a NAT between us and the trunk changes the port. On streams `alias` asks for
 * requests to come back on the connection that we opened (RFC 5923 §5), since they may not be able to open one to us.
 */
export function writeVia(transport: string, host: string, port: number, branch: string): string {
  const alias = transport === 'UDP' ? '' : ';alias'
  return `SIP/2.0/${transport} ${bracketed(host)}:${port};rport;branch=${branch}${alias}`
}

const branchPattern = /;\s*branch\s*=\s*([^\s;,]+)/i

/** The branch of the topmost Via: a response is ours by it. Read without parsing the rest, it comes with each message. */
export function branchOf(topVia: string): string {
  return branchPattern.exec(topVia)?.[1] ?? ''
}

/** §18.2.1, RFC 3581 §4: where a request really came from is written into its topmost Via before it is answered. */
export function withSource(value: string, address: string, port: number): string {
  const [top = '', ...rest] = value.split(/,(.*)/s)
  const plain = top.replace(/;\s*rport(\s*=\s*\d*)?/i, '').replace(/;\s*received\s*=\s*[^;,\s]+/i, '')
  const asksPort = /;\s*rport/i.test(top)
  const source = `${plain};received=${address}${asksPort ? `;rport=${port}` : ''}`
  return rest[0] === undefined ? source : `${source},${rest[0]}`
}

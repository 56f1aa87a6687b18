// The transport port of SIP (RFC 3261 §18): messages to a hop and from one. Adapters: udp.ts, tcp.ts, tls.ts.

export type Protocol = 'udp' | 'tcp' | 'tls'

/** One end of a message's next step. `address` is an IP: names are looked up before (RFC 3263). */
export interface Hop {
  protocol: Protocol
  address: string
  port: number
  /** The name that a TLS certificate must bear; '' elsewhere. */
  serverName: string
  /** false: whatever certificate it shows is taken, as its trunk was told. Absent: it is checked. */
  verify?: boolean
}

export interface SendFailure {
  /** The message surely never arrived (refused connection, ICMP): another gateway may be tried. */
  isProof: boolean
  /** `ECONNREFUSED`, `ETIMEDOUT` … */
  reason: string
}

export interface Transport {
  readonly protocol: Protocol
  /** Where we listen: stands in Via and Contact. */
  readonly localPort: number
  /** Never throws. `onFailed` comes at most once; null: nobody wants to know. */
  send(text: string, to: Hop, onFailed: ((failure: SendFailure) => void) | null): void
  close(): Promise<void>
}

export interface TransportEvents {
  /** One whole message, not yet parsed. */
  received(bytes: Buffer, from: Hop): void
  /** A stream that does not carry SIP, a socket that broke: worth a line in the log. */
  flawed(what: string): void
}

/** How a hop is told from others. */
export function hopKey({ address, port, serverName, verify }: Hop): string {
  // A connection whose certificate nobody checked is not for those who want it checked.
  return `${address} ${port} ${serverName}${verify === false ? ' unverified' : ''}`
}

export function isReliable(protocol: Protocol): boolean {
  return protocol !== 'udp'
}

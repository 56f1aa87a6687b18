// SIP over TLS (RFC 3261 §26.2.1, RFC 5922): the stream transport behind a certificate.
import { isIP } from 'node:net'
import { createServer, connect as tlsConnect } from 'node:tls'
import { listen, StreamTransport } from './tcp.ts'
import type { Transport, TransportEvents } from './transport.ts'

export interface TlsOptions {
  /** IP to bind. */
  host: string
  /** 0: the kernel chooses. */
  port: number
  /** Certificates that are trusted beside the system's, PEM; null: the system's alone. */
  ca: string | null
  /** False only for a carrier in a laboratory. */
  verify: boolean
  /** Ours, PEM; without it nobody can connect to us, and requests come back on the connection that we opened (RFC 5923). */
  certificate: { cert: string; key: string } | null
}

/** The registered port of SIP over TLS: named in Via and Contact where we do not listen. */
const sipsPort = 5_061

export async function openTls(options: TlsOptions, events: TransportEvents): Promise<Transport> {
  const { host, port, ca, verify, certificate } = options
  const server = certificate === null ? null : createServer({ ...certificate, minVersion: 'TLSv1.2' })
  const open = (to: { address: string; port: number; serverName: string }) =>
    tlsConnect({
      host: to.address,
      port: to.port,
      minVersion: 'TLSv1.2',
      rejectUnauthorized: verify,
      // An IP address is no server name (RFC 6066 §3).
      ...(to.serverName !== '' && isIP(to.serverName) === 0 && { servername: to.serverName }),
      ...(ca !== null && { ca }),
      ...certificate,
    }).setNoDelay(true)
  const transport = new StreamTransport('tls', events, server, open, port === 0 ? sipsPort : port)
  if (server === null) return transport
  server.on('secureConnection', socket => transport.accept(socket))
  server.on('tlsClientError', error => events.flawed(`TLS: ${error.message}`))
  await listen(server, host, port)
  return transport
}

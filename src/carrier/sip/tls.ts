// SIP over TLS (RFC 3261 §26.2.1, RFC 5922): the stream transport behind a certificate.
import { isIP } from 'node:net'
import { createSecureContext, createServer, getCACertificates, connect as tlsConnect } from 'node:tls'
import { listen, StreamTransport } from './tcp.ts'
import type { Hop, Transport, TransportEvents } from './transport.ts'

export interface TlsOptions {
  /** IP to bind. */
  host: string
  /** 0: the kernel chooses. */
  port: number
  /** Certificates that are trusted beside the usual authorities', PEM; null: those alone. */
  ca: string | null
  /** Ours, PEM; without it nobody can connect to us, and requests come back on the connection that we opened (RFC 5923). */
  certificate: { cert: string; key: string } | null
}

/** The registered port of SIP over TLS: named in Via and Contact where we do not listen. */
const sipsPort = 5_061

export async function openTls(options: TlsOptions, events: TransportEvents): Promise<Transport> {
  const { host, port, ca, certificate } = options
  const server = certificate === null ? null : createServer({ ...certificate, minVersion: 'TLSv1.2' })
  // Made once: reading the 150 usual authorities takes some ms.
  const secureContext = createSecureContext({
    minVersion: 'TLSv1.2',
    // Node takes `ca` instead of the usual authorities: they are named beside it.
    ...(ca !== null && { ca: [...getCACertificates('default'), ca] }),
    ...certificate,
  })
  const open = (to: Hop) =>
    tlsConnect({
      host: to.address,
      port: to.port,
      secureContext,
      rejectUnauthorized: to.verify !== false,
      // An IP address is no server name (RFC 6066 §3).
      ...(to.serverName !== '' && isIP(to.serverName) === 0 && { servername: to.serverName }),
    }).setNoDelay(true)
  const transport = new StreamTransport('tls', events, server, open, port === 0 ? sipsPort : port)
  if (server === null) return transport
  server.on('secureConnection', socket => transport.accept(socket))
  server.on('tlsClientError', error => events.flawed(`TLS: ${error.message}`))
  await listen(server, host, port)
  return transport
}

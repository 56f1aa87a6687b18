// Kamailio as a carrier: digest 407, Record-Route, a limit on calls a second, UDP, TCP and TLS; SIPp or a telephone behind.
import { execFileSync, spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { endAfter, freePort, tempFolder, untilBound } from './peers.ts'

export interface KamailioOptions {
  /** Where calls are relayed to, UDP on 127.0.0.1. */
  nextPort: number
  /** Above it calls are answered 503. */
  callsPerSecond?: number
}

export interface Kamailio {
  port: number
  tlsPort: number
  /** Certificate of its own authority, PEM, for `localhost`. */
  ca: string
  /** Call-IDs that it let through, in order, as its log has them. */
  calls(): string[]
}

const template = join(import.meta.dirname, 'kamailio', 'carrier.cfg')

export async function startKamailio(
  t: TestContext,
  { nextPort, callsPerSecond = 1_000 }: KamailioOptions,
): Promise<Kamailio> {
  const folder = tempFolder(t)
  const [port, tlsPort] = [await freePort(), await freePort()]
  const certificate = makeCertificate(folder)
  const filled: Record<string, string> = {
    DIR: folder,
    PORT: String(port),
    TLS_PORT: String(tlsPort),
    NEXT_PORT: String(nextPort),
    CPS: String(callsPerSecond),
  }
  const text = readFileSync(template, 'utf8').replace(
    /@([A-Z_]+)@/g,
    (whole, name: string) => filled[name] ?? whole,
  )
  writeFileSync(join(folder, 'kamailio.cfg'), text)
  const child = spawn(
    'kamailio',
    ['-f', join(folder, 'kamailio.cfg'), '-DD', '-E', '-m', '64', '-M', '8', '-Y', folder],
    { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'], detached: true },
  )
  let log = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    log += chunk.toString('utf8')
  })
  endAfter(t, child, { group: true })
  await untilBound('udp', port, child)
  await untilBound('tcp', tlsPort, child)
  if (child.exitCode !== null) throw new Error(`Kamailio did not start: ${log.slice(-2_000)}`)
  return {
    port,
    tlsPort,
    ca: certificate,
    calls: () => [...log.matchAll(/CALL (\S+) /g)].map(match => match[1]!),
  }
}

/** Signs for itself, for an hour's worth of tests. */
function makeCertificate(folder: string): string {
  const [key, cert] = [join(folder, 'server.key'), join(folder, 'server.crt')]
  execFileSync(
    'openssl',
    [
      ...[
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '2',
      ],
      ...['-keyout', key, '-out', cert, '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'],
    ],
    { stdio: 'ignore' },
  )
  writeFileSync(
    join(folder, 'tls.cfg'),
    `[server:default]\nmethod = TLSv1.2+\nverify_certificate = no\nrequire_certificate = no\nprivate_key = ${key}\ncertificate = ${cert}\n`,
  )
  return readFileSync(cert, 'utf8')
}

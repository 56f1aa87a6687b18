// The SIP carrier with everything it stands on: transports, resolver, journal, media pool.

import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { isIP, isIPv6 } from 'node:net'
import { join } from 'node:path'
import type { Clock } from '../../runtime/clock.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { Random } from '../../runtime/random.ts'
import type { TlsFiles } from '../../runtime/tls-files.ts'
import type { MediaPool } from '../rtp/media.ts'
import { DialogJournal } from './dialog-journal.ts'
import { createResolver, type Dns, type Resolver } from './resolver.ts'
import { SipCarrier, type SipCarrierOptions } from './sip-carrier.ts'
import { SipTrace } from './sip-trace.ts'
import { systemDns } from './system-dns.ts'
import { openTcp } from './tcp.ts'
import { openTls } from './tls.ts'
import type { TransactionTiming } from './transaction-timing.ts'
import type { Transport, TransportEvents } from './transport.ts'
import type { SipTrunkSettings } from './trunk-settings.ts'
import { openUdp } from './udp.ts'
import { createUserAgent, type UserAgent } from './user-agent.ts'

export interface SipConfig {
  /** IP to bind, for SIP and RTP; `0.0.0.0`: all. */
  host: string
  /** UDP and TCP; 0: the kernel chooses. */
  port: number
  tlsPort: number
  /** Our address as carriers see it; null: the one that leads to each carrier. */
  publicAddress: string | null
  tls: TlsFiles
}

export interface OpenSipCarrierOptions
  extends Pick<SipCarrierOptions, 'agentSettings' | 'recordingPath' | 'held'> {
  sip: SipConfig
  /** Journal and key are kept here. */
  dataDir: string
  media: MediaPool
  clock: Clock
  logger: Logger
  random: Random
  dns?: Dns
  timing?: TransactionTiming
}

export interface OpenedSipCarrier {
  carrier: SipCarrier
  agent: UserAgent
  trace: SipTrace
}

/** Opens ports and files. @throws the listen error as Node has it (`EADDRINUSE` …); what was opened is closed again */
export async function openSipCarrier(options: OpenSipCarrierOptions): Promise<OpenedSipCarrier> {
  const { sip, dataDir, media, clock, logger, random, dns = systemDns, timing } = options
  const resolver = createResolver({ dns, clock, random })
  const trace = new SipTrace()
  const agent = await createUserAgent({
    openTransports: events => openTransports(sip, events),
    publicAddress: sip.publicAddress ?? (isWildcard(sip.host) ? '127.0.0.1' : sip.host),
    resolver,
    clock,
    logger,
    tagSecret: readSecret(join(dataDir, 'sip-secret')),
    onMessage: entry => trace.note(entry),
    isTracing: () => trace.isOn,
    ...(timing !== undefined && { timing }),
  })
  const carrier = new SipCarrier({
    ...options,
    agent,
    media,
    trace,
    journal: new DialogJournal(join(dataDir, 'sip-dialogs.jsonl'), clock),
    localAddress: sip.host,
    publicAddress: createAddressFinder(sip, resolver),
  })
  return { carrier, agent, trace }
}

/** A port that the kernel chose for UDP may be taken for TCP: then it chooses another. */
const maxPortTries = 8

async function openTransports(config: SipConfig, events: TransportEvents): Promise<Transport[]> {
  for (let tries = 1; ; tries++) {
    try {
      return await openOnce(config, events)
    } catch (error) {
      const isTaken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
      if (config.port !== 0 || !isTaken || tries === maxPortTries) throw error
    }
  }
}

async function openOnce(
  { host, port, tlsPort, tls }: SipConfig,
  events: TransportEvents,
): Promise<Transport[]> {
  const opened: Transport[] = []
  try {
    const udp = await openUdp({ host, port }, events)
    opened.push(udp)
    // The same port for TCP, so that one line in a firewall serves both.
    opened.push(await openTcp({ host, port: udp.localPort }, events))
    opened.push(await openTls({ host, port: tlsPort, ...tls }, events))
    return opened
  } catch (error) {
    await Promise.all(opened.map(transport => transport.close()))
    throw error
  }
}

/** A later life of this server knows the tags of this one's calls by it. */
function readSecret(path: string): Buffer {
  if (existsSync(path)) return readFileSync(path)
  const secret = randomBytes(32)
  writeFileSync(path, secret, { mode: 0o600 })
  return secret
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::'
}

/** What a carrier sees of us: as set, else the address we are bound to, else the one that leads to it. */
function createAddressFinder(
  sip: SipConfig,
  resolver: Resolver,
): (settings: SipTrunkSettings) => Promise<string> {
  const found = new Map<string, Promise<string>>()
  return async ({ publicAddress, gateways }) => {
    const set = publicAddress ?? sip.publicAddress
    if (set !== null) return set
    if (!isWildcard(sip.host)) return sip.host
    const gateway = gateways[0]
    if (gateway === undefined) return '127.0.0.1'
    const hop = isIP(gateway.host) === 0 ? (await resolver.resolve(gateway).catch(() => []))[0] : undefined
    const address = hop?.address ?? (isIP(gateway.host) === 0 ? '127.0.0.1' : gateway.host)
    return found.getOrInsertComputed(address, () => addressTowards(address))
  }
}

/** Connecting a datagram socket sends nothing; the kernel chooses the way and with it our address. */
async function addressTowards(address: string): Promise<string> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
  try {
    const connected = once(socket, 'connect')
    socket.connect(discardPort, address)
    await connected
    return socket.address().address
  } catch {
    return '127.0.0.1'
  } finally {
    socket.close()
  }
}

/** RFC 863; any port would do. */
const discardPort = 9

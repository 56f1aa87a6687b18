// From a gateway's name to addresses in the order in which they are tried (RFC 3263 §4, RFC 2782).
import { isIP } from 'node:net'
import type { Clock } from '../../runtime/clock.ts'
import type { Random } from '../../runtime/random.ts'
import type { Hop, Protocol } from './transport.ts'

export interface Gateway {
  /** Name or IP address. */
  host: string
  /** null: SRV records say, else the protocol's own. */
  port: number | null
  protocol: Protocol
  /** false: its certificate is not checked (TLS). */
  verify?: boolean
}

export interface SrvRecord {
  name: string
  port: number
  priority: number
  weight: number
}

/** What of DNS is used; both reject where there is no answer. */
export interface Dns {
  resolveSrv(name: string): Promise<SrvRecord[]>
  /** IP addresses, in order. */
  resolveAddresses(name: string): Promise<string[]>
}

export interface Resolver {
  /** Hops in order of preference. Rejects when the name leads nowhere. */
  resolve(gateway: Gateway): Promise<Hop[]>
}

const defaultPorts: Readonly<Record<Protocol, number>> = { udp: 5_060, tcp: 5_060, tls: 5_061 }
const srvNames: Readonly<Record<Protocol, string>> = { udp: '_sip._udp', tcp: '_sip._tcp', tls: '_sips._tcp' }

/** `node:dns` gives no time to live for SRV; a minute is short enough to follow a carrier that moves. */
const keepMs = 60_000
const maxKept = 1_000

export interface ResolverOptions {
  dns: Dns
  clock: Clock
  random: Random
}

export function createResolver({ dns, clock, random }: ResolverOptions): Resolver {
  const kept = new Map<string, { hops: Promise<Hop[]>; until: number }>()
  return {
    resolve(gateway) {
      const literal = literalHop(gateway)
      if (literal !== null) return Promise.resolve([literal])
      const key = `${gateway.protocol} ${gateway.host} ${gateway.port} ${gateway.verify}`
      const known = kept.get(key)
      if (known !== undefined && known.until > clock.now()) return known.hops
      if (kept.size >= maxKept) kept.clear()
      const hops = lookUp(gateway, dns, random)
      kept.set(key, { hops, until: clock.now() + keepMs })
      // A failure is not kept: the next call asks again.
      hops.catch(() => kept.delete(key))
      return hops
    },
  }
}

/** null: a name, which DNS has to know. */
export function literalHop({ host, port, protocol, verify }: Gateway): Hop | null {
  if (isIP(host) === 0) return null
  return {
    protocol,
    address: host,
    port: port ?? defaultPorts[protocol],
    serverName: host,
    ...(verify === false && { verify }),
  }
}

async function lookUp(gateway: Gateway, dns: Dns, random: Random): Promise<Hop[]> {
  const { host, port, protocol, verify } = gateway
  const srv = port === null ? await srvRecords(gateway, dns) : []
  const targets =
    srv.length === 0
      ? [{ name: host, port: port ?? defaultPorts[protocol] }]
      : inOrder(srv, random).map(record => ({ name: record.name, port: record.port }))
  const found = await Promise.allSettled(targets.map(target => addressesOf(target.name, dns)))
  const hops = found.flatMap((result, at) => {
    const addresses = result.status === 'fulfilled' ? result.value : []
    const trust = verify === false ? { verify } : {}
    return addresses.map(address => ({
      protocol,
      address,
      port: targets[at]!.port,
      serverName: host,
      ...trust,
    }))
  })
  if (hops.length > 0) return hops
  throw found.find(result => result.status === 'rejected')?.reason ?? new Error('ENOTFOUND')
}

async function srvRecords({ host, protocol }: Gateway, dns: Dns): Promise<SrvRecord[]> {
  try {
    const records = await dns.resolveSrv(`${srvNames[protocol]}.${host}`)
    // RFC 2782: a single record with the target "." means that the service is not offered.
    return records.filter(record => record.name !== '' && record.name !== '.')
  } catch {
    return []
  }
}

function addressesOf(name: string, dns: Dns): Promise<string[]> {
  return isIP(name) === 0 ? dns.resolveAddresses(name) : Promise.resolve([name])
}

/** RFC 2782: priorities ascending; within one, chance by weight. */
function inOrder(records: readonly SrvRecord[], random: Random): SrvRecord[] {
  const byPriority = Map.groupBy(records, record => record.priority)
  return [...byPriority].sort(([a], [b]) => a - b).flatMap(([, equals]) => drawByWeight(equals, random))
}

function drawByWeight(records: readonly SrvRecord[], random: Random): SrvRecord[] {
  // Those without weight come first in the running sum, and so have a small chance each (RFC 2782).
  const left = [...records].sort((a, b) => a.weight - b.weight)
  const drawn: SrvRecord[] = []
  while (left.length > 0) {
    const total = left.reduce((sum, record) => sum + record.weight, 0)
    const mark = random() * total
    let sum = 0
    const index = left.findIndex(record => {
      sum += record.weight
      return sum >= mark
    })
    drawn.push(...left.splice(Math.max(index, 0), 1))
  }
  return drawn
}

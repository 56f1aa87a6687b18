// What every call of the user agent works with: its transactions, its addresses, its clock.
import type { Clock } from '../../runtime/clock.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { ClientTransactions } from './client-transactions.ts'
import type { Dialog } from './dialog.ts'
import { nextHopUri } from './dialog.ts'
import type { GatewayHealth } from './gateway-health.ts'
import type { Resolver } from './resolver.ts'
import { literalHop } from './resolver.ts'
import type { ServerTransactions } from './server-transactions.ts'
import { bracketed, parseSipUri } from './sip-uri.ts'
import type { TimerWheel } from './timer-wheel.ts'
import type { TransactionTiming } from './transaction-timing.ts'
import type { Hop, Protocol, SendFailure } from './transport.ts'
import { branchCookie, writeVia } from './via.ts'

export interface CallContext {
  clock: Clock
  wheel: TimerWheel
  timing: TransactionTiming
  logger: Logger
  clients: ClientTransactions
  servers: ServerTransactions
  resolver: Resolver
  health: GatewayHealth
  addresses: OwnAddresses
  /** The `User-Agent` header. */
  product: string
  /** Unguessable and different at each call, fit for branches and cnonces. */
  newToken(): string
  send(text: string, hop: Hop, onFailed: ((failure: SendFailure) => void) | null): void
}

/** Methods that we answer within a call. */
export const allowedMethods = 'INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE'

/** Where the other side finds us: stands in Via and Contact. */
export class OwnAddresses {
  readonly #host: string
  readonly #ports: Partial<Record<Protocol, number>>

  /** `host` is the public address where we sit behind a NAT. */
  constructor(host: string, ports: Partial<Record<Protocol, number>>) {
    this.#host = host
    this.#ports = ports
  }

  via({ protocol }: Hop, branch: string): string {
    return writeVia(protocol.toUpperCase(), this.#host, this.#ports[protocol] ?? 0, branch)
  }

  contact({ protocol }: Hop): string {
    const transport = protocol === 'udp' ? '' : `;transport=${protocol}`
    return `<sip:outdial@${bracketed(this.#host)}:${this.#ports[protocol] ?? 0}${transport}>`
  }

  /** The same ports under another address. */
  at(host: string): OwnAddresses {
    return host === this.#host ? this : new OwnAddresses(host, this.#ports)
  }

  has(protocol: Protocol): boolean {
    return this.#ports[protocol] !== undefined
  }
}

/** A Via of ours for a new transaction. */
export function newVia(context: CallContext, hop: Hop): string {
  return context.addresses.via(hop, branchCookie + context.newToken())
}

/**
 * Where requests of a dialog go (RFC 3261 §8.1.2): its first route, else its target. `current` is where the call has
 * come to so far: its connection is kept in use, and it is the way out when the name cannot be looked up.
 */
export function hopOf(context: CallContext, dialog: Dialog, current: Hop): Hop | Promise<Hop> {
  const uri = parseSipUri(nextHopUri(dialog))
  if (uri === null) return current
  const stated = uri.scheme === 'sips' ? 'tls' : uri.params.get('transport')?.toLowerCase()
  const protocol = isProtocol(stated) && context.addresses.has(stated) ? stated : current.protocol
  const trust = current.verify === false ? { verify: false } : {}
  const gateway = { host: uri.params.get('maddr') ?? uri.host, port: uri.port, protocol, ...trust }
  const literal = literalHop(gateway)
  if (literal !== null) return sameConnection(literal, current) ? current : literal
  return context.resolver.resolve(gateway).then(
    hops => hops.find(hop => sameConnection(hop, current)) ?? hops[0] ?? current,
    () => current,
  )
}

/** A stream to the same machine is used again whatever port its Contact names (RFC 5923). */
function sameConnection(hop: Hop, current: Hop): boolean {
  if (hop.protocol !== current.protocol || hop.address !== current.address) return false
  return hop.protocol !== 'udp' || hop.port === current.port
}

function isProtocol(text: string | undefined): text is Protocol {
  return text === 'udp' || text === 'tcp' || text === 'tls'
}

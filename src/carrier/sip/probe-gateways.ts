// What can be learnt of a trunk's gateways without a call: what DNS says, whether each address answers, and how fast.
import type { GatewayAnswer, GatewayProbe, GatewayStanding } from '../../domain/gateway.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { GatewayState } from './gateway-health.ts'
import type { Gateway } from './resolver.ts'
import { bracketed } from './sip-uri.ts'
import type { Hop } from './transport.ts'
import type { SipTrunkSettings } from './trunk-settings.ts'
import type { UserAgent } from './user-agent.ts'

/** A gateway that is there answers within a round trip; the transaction itself goes on for 32 s. */
const patienceMs = 5_000
/** Of all addresses behind a name; further ones are looked up, not asked. */
const maxAsked = 16

/** Never rejects: what failed is part of the answer. */
export function probeGateways(
  { gateways }: SipTrunkSettings,
  agent: UserAgent,
  clock: Clock,
  ask: boolean,
): Promise<GatewayProbe[]> {
  return Promise.all(gateways.map(gateway => probe(gateway, agent, clock, ask)))
}

async function probe(gateway: Gateway, agent: UserAgent, clock: Clock, ask: boolean): Promise<GatewayProbe> {
  const startedAt = clock.now()
  let lookupFailure: string | null = null
  const hops = await agent.resolve(gateway).catch((error: NodeJS.ErrnoException) => {
    lookupFailure = error.code ?? error.message
    return []
  })
  const lookupMs = clock.now() - startedAt
  const asked = ask ? hops.slice(0, maxAsked) : []
  return {
    gateway: nameOf(gateway),
    addresses: hops.map(remoteOf),
    lookupMs,
    lookupFailure,
    answers: await Promise.all(asked.map(hop => askHop(hop, agent, clock))),
  }
}

async function askHop(hop: Hop, agent: UserAgent, clock: Clock): Promise<GatewayAnswer> {
  const startedAt = clock.now()
  const silent = Promise.withResolvers<{ status: null; failure: string }>()
  const timer = clock.at(startedAt + patienceMs, () =>
    silent.resolve({ status: null, failure: `no answer within ${patienceMs / 1_000} s` }),
  )
  const { status, failure } = await Promise.race([agent.options(hop), silent.promise])
  timer.cancel()
  return { remote: remoteOf(hop), status, roundTripMs: clock.now() - startedAt, failure }
}

/** What calls and OPTIONS have shown of the trunk's gateways; asks nobody. */
export function standingsOf(
  { gateways }: SipTrunkSettings,
  states: readonly GatewayState[],
): GatewayStanding[] {
  const isOf = ({ hop }: GatewayState) =>
    gateways.some(({ host, protocol }) => host === hop.serverName && protocol === hop.protocol)
  return states.filter(isOf).map(({ hop, downUntil, reason, seenAt }) => ({
    host: hop.serverName,
    transport: hop.protocol,
    remote: remoteOf(hop),
    downUntil,
    reason,
    since: seenAt,
  }))
}

/** `192.0.2.1:5060`, `[2001:db8::1]:5060`. */
export function remoteOf({ address, port }: Pick<Hop, 'address' | 'port'>): string {
  return `${bracketed(address)}:${port}`
}

function nameOf({ host, port, protocol }: Gateway): string {
  return `${protocol}:${bracketed(host)}${port === null ? '' : `:${port}`}`
}

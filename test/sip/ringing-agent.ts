// A user agent on real sockets for the tests with peers, and its calls with what was heard of them.
import type { TestContext } from 'node:test'
import {
  type CallHandlers,
  type InviteRequest,
  quietHandlers,
  type SipCall,
} from '../../src/carrier/sip/call.ts'
import { createResolver, type Gateway } from '../../src/carrier/sip/resolver.ts'
import { systemDns } from '../../src/carrier/sip/system-dns.ts'
import { openTcp } from '../../src/carrier/sip/tcp.ts'
import { openTls } from '../../src/carrier/sip/tls.ts'
import { openUdp } from '../../src/carrier/sip/udp.ts'
import { createUserAgent, type UserAgent } from '../../src/carrier/sip/user-agent.ts'
import type { Evidence } from '../../src/domain/outcome.ts'
import { type Clock, realClock } from '../../src/runtime/clock.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import { inviteRequest, sdp } from './wire.ts'

export interface AgentOptions {
  /** Time passes so many times as fast for our side. */
  speed?: number
  ca?: string
}

export async function openAgent(t: TestContext, { speed = 1, ca }: AgentOptions = {}): Promise<UserAgent> {
  const clock = speed === 1 ? realClock : fastClock(speed)
  const agent = await createUserAgent({
    openTransports: async events => [
      await openUdp({ host: '127.0.0.1', port: 0 }, events),
      await openTcp({ host: '127.0.0.1', port: 0 }, events),
      await openTls({ host: '127.0.0.1', port: 0, ca: ca ?? null, certificate: null }, events),
    ],
    publicAddress: '127.0.0.1',
    resolver: createResolver({ dns: systemDns, clock, random: () => 0.5 }),
    clock,
    logger: silentLogger,
  })
  t.after(() => agent.close())
  return agent
}

/** A session of 90 s is refreshed within a test, and SIPp does not mind. */
function fastClock(speed: number): Clock {
  const began = realClock.now()
  const slow = (at: number) => began + (at - began) / speed
  return {
    now: () => began + (realClock.now() - began) * speed,
    elapsed: () => realClock.elapsed() * speed,
    at: (at, task) => realClock.at(slow(at), task),
  }
}

export interface RungCall {
  call: SipCall
  provisional: number[]
  /** Resolves with the status of the first provisional above 100. */
  ringing: Promise<number>
  answered: Promise<string>
  offers: string[]
  ended: Promise<Evidence>
}

export function ring(
  agent: UserAgent,
  gateways: readonly (Gateway | number)[],
  more: Partial<InviteRequest> = {},
  handlers: Partial<CallHandlers> = {},
): RungCall {
  const ringing = Promise.withResolvers<number>()
  const answered = Promise.withResolvers<string>()
  const ended = Promise.withResolvers<Evidence>()
  const [provisional, offers]: [number[], string[]] = [[], []]
  const wanted = inviteRequest({
    callId: `${crypto.randomUUID()}@outdial`,
    ...more,
    gateways: gateways.map(gateway =>
      typeof gateway === 'number' ? { host: '127.0.0.1', port: gateway, protocol: 'udp' } : gateway,
    ),
  })
  const call = agent.invite(wanted, {
    ...quietHandlers,
    provisional: status => {
      provisional.push(status)
      ringing.resolve(status)
    },
    answered: answer => answered.resolve(answer),
    offered: offer => {
      offers.push(offer)
      return sdp
    },
    ended: evidence => ended.resolve(evidence),
    ...handlers,
  })
  return {
    call,
    provisional,
    offers,
    ringing: ringing.promise,
    answered: answered.promise,
    ended: ended.promise,
  }
}

// A user agent on virtual time whose network is this test: what it sends is read here, what it receives is written here.
import assert from 'node:assert/strict'
import {
  type CallHandlers,
  type InviteRequest,
  quietHandlers,
  type SipCall,
} from '../../src/carrier/sip/call.ts'
import { HeaderList } from '../../src/carrier/sip/header-list.ts'
import {
  responseTo,
  type SipMessage,
  type SipRequest,
  type SipResponse,
  writeMessage,
} from '../../src/carrier/sip/message.ts'
import { parseMessage } from '../../src/carrier/sip/parse-message.ts'
import { createResolver, type Dns } from '../../src/carrier/sip/resolver.ts'
import { writeOffer } from '../../src/carrier/sip/sdp.ts'
import type { Hop, Protocol, SendFailure } from '../../src/carrier/sip/transport.ts'
import { createUserAgent, type UserAgent, type UserAgentOptions } from '../../src/carrier/sip/user-agent.ts'
import type { Evidence } from '../../src/domain/outcome.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import { VirtualClock } from '../../src/runtime/virtual-clock.ts'

export interface Sent {
  message: SipMessage
  text: string
  to: Hop
  at: number
  fail(failure: SendFailure): void
}

export const gatewayHop: Hop = { protocol: 'udp', address: '192.0.2.1', port: 5060, serverName: '192.0.2.1' }

export const noDns: Dns = {
  resolveSrv: () => Promise.reject(Object.assign(new Error('none'), { code: 'ENODATA' })),
  resolveAddresses: () => Promise.reject(Object.assign(new Error('none'), { code: 'ENOTFOUND' })),
}

export const sdp = writeOffer({
  address: '198.51.100.7',
  port: 16_000,
  sessionId: '1',
  version: 1,
  codecs: ['PCMU', 'PCMA'],
  srtpKey: null,
  direction: 'sendrecv',
})

export interface Heard {
  provisional: { status: number; sdp: string }[]
  answered: string[]
  offered: string[]
  answers: string[]
  infos: string[]
  ended: Evidence[]
}

export class Wire {
  readonly clock: VirtualClock
  agent!: UserAgent
  /** Everything sent so far and not yet taken. */
  sent: Sent[] = []

  constructor() {
    this.clock = new VirtualClock(1_000_000)
  }

  async pass(ms: number): Promise<void> {
    await this.clock.run({ until: this.clock.now() + ms })
  }

  /** The next message that is no repetition of what was taken; asserts its method or status. */
  async take(what: string): Promise<Sent> {
    await this.pass(0)
    const next = this.sent.shift()
    assert.ok(next !== undefined, `${what} was not sent`)
    const { message } = next
    assert.equal(message.kind === 'request' ? message.method : String(message.status), what)
    return next
  }

  async takeRequest(method: string): Promise<Sent & { message: SipRequest }> {
    return (await this.take(method)) as Sent & { message: SipRequest }
  }

  async takeResponse(status: number): Promise<Sent & { message: SipResponse }> {
    return (await this.take(String(status))) as Sent & { message: SipResponse }
  }

  nothingSent(): void {
    assert.deepEqual(
      this.sent.map(({ text }) => text.split('\r\n')[0]),
      [],
    )
  }

  /** What was sent, as methods and statuses, and forgets it. */
  drain(): string[] {
    return this.sent
      .splice(0)
      .map(({ message }) => (message.kind === 'request' ? message.method : String(message.status)))
  }

  async receive(message: SipMessage | string, from: Hop = gatewayHop): Promise<void> {
    const text = typeof message === 'string' ? message : writeMessage(message)
    this.agent.receive(Buffer.from(text), from)
    await this.pass(0)
  }

  /** Answers a request of ours as a carrier does. */
  async reply(to: SipRequest, status: number, more: Reply = {}): Promise<SipResponse> {
    const tag = more.tag === undefined && status > 100 ? 'far' : (more.tag ?? null)
    const response = responseTo(to, status, tag, more.phrase)
    if (status > 100 && status < 300 && to.method === 'INVITE')
      response.headers.add('contact', more.contact ?? '<sip:far@192.0.2.1:5060>')
    for (const [name, value] of more.headers ?? []) response.headers.add(name, value)
    if (more.body) {
      response.headers.add('content-type', 'application/sdp')
      response.body = more.body
    }
    await this.receive(response)
    return response
  }

  /** A request of the other side within the call that `invite` began. */
  async ask(invite: SipRequest, method: string, cseq: number, more: Reply = {}): Promise<void> {
    const headers = new HeaderList()
      .add('via', `SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bKfar${more.branch ?? method}${cseq}`)
      .add('from', `${invite.headers.get('to')};tag=${more.tag ?? 'far'}`)
      .add('to', invite.headers.get('from') ?? '')
      .add('call-id', invite.headers.get('call-id') ?? '')
      .add('cseq', `${cseq} ${method}`)
      .add('contact', more.contact ?? '<sip:far@192.0.2.1:5060>')
    for (const [name, value] of more.headers ?? []) headers.add(name, value)
    if (more.body) headers.add('content-type', 'application/sdp')
    await this.receive({
      kind: 'request',
      method,
      uri: 'sip:outdial@198.51.100.7:5060',
      headers,
      body: more.body ?? '',
    })
  }

  invite(
    more: Partial<InviteRequest> = {},
    handlers: Partial<CallHandlers> = {},
  ): { call: SipCall; heard: Heard } {
    const heard: Heard = { provisional: [], answered: [], offered: [], answers: [], infos: [], ended: [] }
    const call = this.agent.invite(inviteRequest(more), {
      ...quietHandlers,
      provisional: (status, early) => heard.provisional.push({ status, sdp: early }),
      answered: answer => heard.answered.push(answer),
      offered: offer => {
        heard.offered.push(offer)
        return sdp
      },
      answerReceived: answer => heard.answers.push(answer),
      infoReceived: (_type, body) => heard.infos.push(body),
      ended: evidence => heard.ended.push(evidence),
      ...handlers,
    })
    return { call, heard }
  }

  /** Dials, is answered and takes the ACK. */
  async answeredCall(more: Partial<InviteRequest> = {}, reply: Reply = {}) {
    const { call, heard } = this.invite(more)
    const { message: invite } = await this.takeRequest('INVITE')
    await this.reply(invite, 200, { body: sdp, ...reply })
    const { message: ack } = await this.takeRequest('ACK')
    return { call, heard, invite, ack }
  }
}

export interface Reply {
  /** The method whose branch is used: the ACK to a refusal has its INVITE's. */
  branch?: string
  tag?: string
  phrase?: string
  contact?: string
  headers?: [string, string][]
  body?: string
}

export function inviteRequest(more: Partial<InviteRequest> = {}): InviteRequest {
  return {
    callId: 'call-1',
    gateways: [{ host: '192.0.2.1', port: null, protocol: 'udp' }],
    requestUri: 'sip:+12025550163@trunk.example',
    from: '<sip:+12025550199@trunk.example>',
    to: '<sip:+12025550163@trunk.example>',
    credentials: null,
    headers: [],
    sdpOffer: sdp,
    sessionSeconds: null,
    ...more,
  }
}

export interface WireOptions extends Partial<Pick<UserAgentOptions, 'tagSecret' | 'logger' | 'onIncoming'>> {
  protocols?: Protocol[]
  dns?: Dns
}

export async function openWire({
  protocols = ['udp'],
  dns = noDns,
  ...more
}: WireOptions = {}): Promise<Wire> {
  const wire = new Wire()
  wire.agent = await createUserAgent({
    openTransports: async () =>
      protocols.map(protocol => ({
        protocol,
        localPort: 5060,
        send: (text, to, onFailed) => {
          const parsed = parseMessage(Buffer.from(text))
          assert.ok('message' in parsed, `we sent what we could not read: ${JSON.stringify(parsed)}`)
          wire.sent.push({
            message: parsed.message,
            text,
            to,
            at: wire.clock.now(),
            fail: failure => onFailed?.(failure),
          })
        },
        close: async () => {},
      })),
    publicAddress: '198.51.100.7',
    resolver: createResolver({ dns, clock: wire.clock, random: () => 0.5 }),
    clock: wire.clock,
    logger: silentLogger,
    ...more,
  })
  return wire
}

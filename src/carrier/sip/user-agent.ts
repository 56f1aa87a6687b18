// The SIP user agent: places calls and answers for them (RFC 3261 §8). Layers below: calls and dialogs, transactions,
// transports; nothing else of the house knows any of them.
import { hash, randomBytes } from 'node:crypto'
import type { Clock } from '../../runtime/clock.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { CallHandlers, CallSnapshot, InviteRequest, SipCall } from './call.ts'
import { type CallContext, newVia, OwnAddresses } from './call-context.ts'
import { ClientTransactions } from './client-transactions.ts'
import { dialogFrom } from './dialog.ts'
import type { Credentials } from './digest.ts'
import { GatewayHealth, type GatewayState } from './gateway-health.ts'
import { HeaderList } from './header-list.ts'
import { IncomingCall } from './incoming-call.ts'
import { request, type SipRequest, type SipResponse, tagOf } from './message.ts'
import { type Hangover, hangUpOrphan } from './orphaned-call.ts'
import { OutgoingCall } from './outgoing-call.ts'
import { parseMessage } from './parse-message.ts'
import type { Gateway, Resolver } from './resolver.ts'
import { SampledLog } from './sampled-log.ts'
import { ServerTransactions } from './server-transactions.ts'
import { bracketed } from './sip-uri.ts'
import { answerHop, StrangerRequests, stampSource } from './stranger-requests.ts'
import { hangUpStray, inviteOfStray, isAnswerToInvite } from './stray-answer.ts'
import { TimerWheel } from './timer-wheel.ts'
import { standardTiming, type TransactionTiming } from './transaction-timing.ts'
import type { Hop, Transport, TransportEvents } from './transport.ts'

export interface UserAgentOptions {
  openTransports(events: TransportEvents): Promise<Transport[]>
  /** What stands in Via and Contact: our address as the carrier sees it. */
  publicAddress: string
  resolver: Resolver
  clock: Clock
  logger: Logger
  /** Keys the tags of our calls: kept on disk it lets a later life know them again. */
  tagSecret?: Buffer
  timing?: TransactionTiming
  product?: string
  /** Every message of every call, for its trace; null: none. */
  onMessage?: ((entry: TracedMessage) => void) | null
  /** Asked before a message is looked at; absent: always. */
  isTracing?: () => boolean
  /** Takes a call that comes in; absent: all are refused. */
  onIncoming?: (call: IncomingCall) => void
}

export interface TracedMessage {
  callId: string
  at: number
  direction: 'sent' | 'received'
  hop: Hop
  text: string
}

export interface UserAgentFigures {
  calls: number
  clientTransactions: number
  serverTransactions: number
  timers: number
}

/** Opens the transports; rejects when a port is taken. */
export async function createUserAgent(options: UserAgentOptions): Promise<UserAgent> {
  let agent: UserAgent | null = null
  const log = new SampledLog(options.logger, options.clock)
  const transports = await options.openTransports({
    received: (bytes, from) => agent?.receive(bytes, from),
    flawed: what => log.warn('a SIP connection failed', { what }),
  })
  agent = new UserAgent(options, transports, log)
  return agent
}

export class UserAgent {
  readonly #options: UserAgentOptions
  readonly #transports: Transport[]
  readonly #log: SampledLog
  readonly #context: CallContext
  readonly #strangers: StrangerRequests
  readonly #tagSecret: string
  readonly #calls = new Map<string, OutgoingCall | IncomingCall>()

  constructor(options: UserAgentOptions, transports: Transport[], log: SampledLog) {
    this.#options = options
    this.#transports = transports
    this.#log = log
    this.#tagSecret = (options.tagSecret ?? randomBytes(32)).toString('base64url')
    this.#context = this.#createContext()
    this.#strangers = new StrangerRequests(options.clock, (text, hop) => this.#send(text, hop, null))
  }

  /** Never throws and tells nothing before it has returned. A Call-ID may be live once. */
  invite(wanted: InviteRequest, handlers: CallHandlers): SipCall {
    const { callId, publicAddress } = wanted
    const context =
      publicAddress === undefined
        ? this.#context
        : { ...this.#context, addresses: this.#context.addresses.at(publicAddress) }
    const call = new OutgoingCall(context, wanted, this.#tagOf(callId), handlers, () =>
      this.#calls.delete(callId),
    )
    if (this.#calls.has(callId)) throw new Error('this Call-ID is live already')
    this.#calls.set(callId, call)
    call.start()
    return call
  }

  /** Hangs up what an earlier life of this process left at the carrier. */
  hangUp(snapshot: CallSnapshot, credentials: Credentials | null): Promise<Hangover> {
    return hangUpOrphan(this.#context, snapshot, credentials)
  }

  /** RFC 3261 §11: asks a gateway whether it is there. `failure` says why there is no status. */
  options(hop: Hop): Promise<{ status: number | null; failure: string | null }> {
    const { context, host } = { context: this.#context, host: bracketed(hop.address) }
    const own = bracketed(this.#options.publicAddress)
    const headers = new HeaderList()
      .add('via', newVia(context, hop))
      .add('max-forwards', '70')
      .add('from', `<sip:outdial@${own}>;tag=${context.newToken()}`)
      .add('to', `<sip:${host}:${hop.port}>`)
      .add('call-id', `${context.newToken()}-ping`)
      .add('cseq', '1 OPTIONS')
      .add('contact', context.addresses.contact(hop))
      .add('user-agent', context.product)
    return new Promise(resolve => {
      context.clients.open(request('OPTIONS', `sip:${host}:${hop.port}`, headers), hop, {
        response: ({ status }) => {
          if (status < 200) return
          if (status === 503) context.health.refused(hop, '503')
          else context.health.answered(hop)
          resolve({ status, failure: null })
        },
        timedOut: () => {
          context.health.refused(hop, 'no answer to OPTIONS')
          resolve({ status: null, failure: 'no answer' })
        },
        failed: ({ reason }) => {
          context.health.refused(hop, reason)
          resolve({ status: null, failure: reason })
        },
      })
    })
  }

  /** Where a gateway's calls would go, in order. Rejects when its name leads nowhere. */
  resolve(gateway: Gateway): Promise<Hop[]> {
    return this.#context.resolver.resolve(gateway)
  }

  gateways(): GatewayState[] {
    return this.#context.health.states()
  }

  localPort(protocol: Hop['protocol']): number | null {
    return this.#transports.find(transport => transport.protocol === protocol)?.localPort ?? null
  }

  figures(): UserAgentFigures {
    return {
      calls: this.#calls.size,
      clientTransactions: this.#context.clients.size,
      serverTransactions: this.#context.servers.size,
      timers: this.#context.wheel.size,
    }
  }

  /** Takes one message from the network. Whatever it is, it costs at most a log line. */
  receive(bytes: Buffer, from: Hop): void {
    try {
      this.#take(bytes, from)
    } catch (error) {
      this.#log.warn('a SIP message could not be dealt with', { err: error })
    }
  }

  async close(): Promise<void> {
    for (const call of this.#calls.values()) call.drop()
    this.#calls.clear()
    this.#context.clients.close()
    this.#context.servers.close()
    this.#context.wheel.close()
    await Promise.all(this.#transports.map(transport => transport.close()))
  }

  #take(bytes: Buffer, from: Hop): void {
    // Keep-alives: empty lines (RFC 5626 §3.5.1) and the zero bytes of some carriers.
    if (bytes.length <= 4) return
    const parsed = parseMessage(bytes)
    if ('malformed' in parsed)
      return void this.#log.warn('a message that is no SIP was dropped', { why: parsed.malformed })
    const { message } = parsed
    this.#trace('received', message.headers.get('call-id') ?? '', from, () => bytes.toString('utf8'))
    if (message.kind === 'response') return void this.#respond(message, from)
    stampSource(message, from)
    this.#serve(message, answerHop(message, from))
  }

  #respond(response: SipResponse, from: Hop): void {
    if (this.#context.clients.receive(response) || !isAnswerToInvite(response)) return
    const callId = response.headers.get('call-id') ?? ''
    // Only what our key signed is ours: nobody makes us send BYEs into the world by inventing answers.
    if (tagOf(response.headers.get('from') ?? '') !== this.#tagOf(callId)) return
    this.#log.warn('a call that is not live any more was answered: it is hung up', { callId })
    void hangUpStray(this.#context, dialogFrom(inviteOfStray(response), response), from)
  }

  #serve(received: SipRequest, from: Hop): void {
    if (this.#context.servers.absorb(received)) return
    const call = this.#calls.get(received.headers.get('call-id') ?? '')
    const isOurs = call !== undefined && tagOf(received.headers.get('to') ?? '') === call.localTag
    if (isOurs && call.receive(received, from)) return
    if (this.#comesIn(received, from)) return
    if (!this.#strangers.refuse(received, from) && received.method !== 'ACK')
      this.#log.warn('more requests came from strangers than are answered')
  }

  /** An INVITE from outside of any dialog, or its CANCEL, which bears no tag of ours (§9.1). */
  #comesIn(received: SipRequest, from: Hop): boolean {
    const { onIncoming } = this.#options
    if (onIncoming === undefined || tagOf(received.headers.get('to') ?? '') !== null) return false
    const callId = received.headers.get('call-id') ?? ''
    const known = this.#calls.get(callId)
    if (received.method === 'CANCEL' && known instanceof IncomingCall) return known.receive(received, from)
    if (received.method !== 'INVITE' || known !== undefined) return false
    const call = new IncomingCall(this.#context, received, from, this.#tagOf(callId), () =>
      this.#calls.delete(callId),
    )
    this.#calls.set(callId, call)
    onIncoming(call)
    return true
  }

  #createContext(): CallContext {
    const { clock, logger, publicAddress, resolver } = this.#options
    const timing = this.#options.timing ?? standardTiming
    const wheel = new TimerWheel(clock)
    const send: CallContext['send'] = (text, hop, onFailed) => this.#send(text, hop, onFailed)
    const transactions = { clock, wheel, timing, send }
    return {
      ...transactions,
      logger,
      clients: new ClientTransactions(transactions),
      servers: new ServerTransactions(transactions),
      resolver,
      health: new GatewayHealth(clock),
      addresses: new OwnAddresses(
        publicAddress,
        Object.fromEntries(this.#transports.map(({ protocol, localPort }) => [protocol, localPort])),
      ),
      product: this.#options.product ?? 'Outdial',
      newToken: tokenSource(),
    }
  }

  #send(text: string, hop: Hop, onFailed: Parameters<CallContext['send']>[2]): void {
    this.#trace('sent', null, hop, () => text)
    const transport = this.#transports.find(({ protocol }) => protocol === hop.protocol)
    if (transport !== undefined) return void transport.send(text, hop, onFailed)
    if (onFailed !== null)
      queueMicrotask(() => onFailed({ isProof: true, reason: `${hop.protocol} is not open` }))
  }

  #trace(direction: TracedMessage['direction'], callId: string | null, hop: Hop, textOf: () => string): void {
    const { onMessage, isTracing, clock } = this.#options
    if (!onMessage || isTracing?.() === false) return
    const text = textOf()
    const id = callId ?? /^Call-ID: (\S+)/im.exec(text)?.[1] ?? ''
    onMessage({ callId: id, at: clock.now(), direction, hop, text })
  }

  /**
   * §19.3: 96 bits that nobody guesses and that we know again. A hash over secret and Call-ID, cut to less than half, is
   * as good as an HMAC here and takes 1.5 µs instead of 8.
   */
  #tagOf(callId: string): string {
    return hash('sha256', this.#tagSecret + callId, 'base64url').slice(0, 16)
  }
}

/** 64 random bits of this process, then a count: as hard to guess as random ones, at a hundredth of the price. */
function tokenSource(): () => string {
  const prefix = randomBytes(8).toString('base64url')
  let count = 0
  return () => `${prefix}${(++count).toString(36)}`
}

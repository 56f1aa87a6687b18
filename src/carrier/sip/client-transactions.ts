// Requests of ours that wait for answers: each drives its state machine with one timer of the wheel (RFC 3261 §17.1).
import type { Clock, Timer } from '../../runtime/clock.ts'
import { type ClientEffect, startClientInvite, stepClientInvite } from './client-invite.ts'
import { startClientRequest, stepClientRequest } from './client-request.ts'
import { HeaderList } from './header-list.ts'
import { cseqOf, request, type SipRequest, type SipResponse, writeMessage } from './message.ts'
import type { TimerWheel } from './timer-wheel.ts'
import { type Step, type TransactionTiming, type Waiting, wakeAt } from './transaction-timing.ts'
import { type Hop, isReliable, type SendFailure } from './transport.ts'
import { branchOf } from './via.ts'

/** Who made the request. Nothing is called before the maker has returned. */
export interface ClientUser {
  /** Provisionals, the final answer; for INVITE each repeated 2xx too. */
  response(response: SipResponse): void
  /** Timer B or F: nothing final came. */
  timedOut(): void
  /** The message could not be sent. */
  failed(failure: SendFailure): void
  /** Asked before each repetition; absent: yes. */
  mayRepeat?(): boolean
}

export interface ClientTransaction {
  readonly hop: Hop
  readonly request: SipRequest
  /** Whoever called is no longer interested: what still comes is a stray. */
  drop(): void
}

export interface ClientDeps {
  clock: Clock
  wheel: TimerWheel
  timing: TransactionTiming
  send(text: string, hop: Hop, onFailed: ((failure: SendFailure) => void) | null): void
}

export class ClientTransactions {
  readonly #deps: ClientDeps
  readonly #live = new Map<string, LiveTransaction>()

  constructor(deps: ClientDeps) {
    this.#deps = deps
  }

  get size(): number {
    return this.#live.size
  }

  /** Sends `sent`, whose topmost Via is ours already, and keeps at it. */
  open(sent: SipRequest, hop: Hop, user: ClientUser): ClientTransaction {
    const key = keyOf(branchOf(sent.headers.get('via') ?? ''), sent.method)
    const transaction = new LiveTransaction(this.#deps, sent, hop, user, () => this.#live.delete(key))
    this.#live.set(key, transaction)
    transaction.start()
    return transaction
  }

  /**
   * Waits for answers to an INVITE that an earlier life of this process sent, as if a provisional had come; nothing is
   * sent.
   */
  adopt(sent: SipRequest, hop: Hop, user: ClientUser): ClientTransaction {
    const key = keyOf(branchOf(sent.headers.get('via') ?? ''), sent.method)
    const transaction = new LiveTransaction(this.#deps, sent, hop, user, () => this.#live.delete(key))
    this.#live.set(key, transaction)
    transaction.proceed()
    return transaction
  }

  /** §17.1.3: branch and method of CSeq. False: nobody waits for it. */
  receive(response: SipResponse): boolean {
    const key = keyOf(branchOf(response.headers.get('via') ?? ''), cseqOf(response)?.method ?? '')
    const transaction = this.#live.get(key)
    transaction?.receive(response)
    return transaction !== undefined
  }

  close(): void {
    for (const transaction of [...this.#live.values()]) transaction.drop()
  }
}

function keyOf(branch: string, method: string): string {
  return `${branch} ${method}`
}

type ClientEvent = 'provisional' | 'success' | 'failure' | 'timer' | 'transport-error'
type State = Waiting & { state: string }
type Machine = (event: ClientEvent, now: number) => Step<State, ClientEffect>

class LiveTransaction implements ClientTransaction {
  readonly #deps: ClientDeps
  readonly #user: ClientUser
  readonly #remove: () => void
  readonly request: SipRequest
  readonly hop: Hop
  #text: string
  #machine: Machine
  #state: State
  #timer: Timer | null = null
  #timerAt = Number.POSITIVE_INFINITY

  constructor(deps: ClientDeps, sent: SipRequest, hop: Hop, user: ClientUser, remove: () => void) {
    this.#deps = deps
    this.#user = user
    this.#remove = remove
    this.request = sent
    this.hop = hop
    this.#text = writeMessage(sent)
    const { machine, state } = startMachine(deps, sent, hop)
    this.#machine = machine
    this.#state = state
  }

  start(): void {
    this.#arm()
    this.#deps.send(this.#text, this.hop, failure => this.#failed(failure))
  }

  proceed(): void {
    this.#state = this.#machine('provisional', this.#deps.clock.now()).next
  }

  receive(response: SipResponse): void {
    const { status } = response
    this.#step(status < 200 ? 'provisional' : status < 300 ? 'success' : 'failure', response)
  }

  drop(): void {
    this.#timer?.cancel()
    this.#state = { ...this.#state, state: 'terminated', resendAt: null, endAt: null }
    this.#remove()
  }

  /** Only proof ends a transaction early; a connection that broke may still be replaced by the other side (§18.4). */
  #failed(failure: SendFailure): void {
    if (!failure.isProof) return
    this.#step('transport-error', null, failure)
  }

  #step(event: ClientEvent, response: SipResponse | null, failure?: SendFailure): void {
    const before = this.#state
    if (before.state === 'terminated') return
    const { next, effects } = this.#machine(event, this.#deps.clock.now())
    this.#state = next
    if (next.state === 'terminated') {
      this.#timer?.cancel()
      this.#remove()
    } else this.#arm()
    for (const effect of effects) this.#perform(effect, response, failure)
  }

  #perform(effect: ClientEffect, response: SipResponse | null, failure?: SendFailure): void {
    switch (effect) {
      case 'resend':
        if (this.#user.mayRepeat?.() !== false) this.#deps.send(this.#text, this.hop, null)
        return
      case 'acknowledge':
        return void this.#deps.send(writeMessage(acknowledgement(this.request, response!)), this.hop, null)
      case 'pass':
        return void this.#user.response(response!)
      case 'time-out':
        return void this.#user.timedOut()
      case 'fail':
        return void this.#user.failed(failure ?? { isProof: false, reason: 'unknown' })
    }
  }

  /** A timer that is due too early wakes for nothing, which costs less than to set a new one at every step. */
  #arm(): void {
    const at = wakeAt(this.#state)
    if (at === null) {
      this.#timer?.cancel()
      this.#timer = null
      this.#timerAt = Number.POSITIVE_INFINITY
      return
    }
    if (this.#timer !== null && this.#timerAt <= at) return
    this.#timer?.cancel()
    this.#timerAt = at
    this.#timer = this.#deps.wheel.at(at, () => {
      this.#timer = null
      this.#step('timer', null)
    })
  }
}

function startMachine(
  { clock, timing }: ClientDeps,
  sent: SipRequest,
  hop: Hop,
): { machine: Machine; state: State } {
  const reliable = isReliable(hop.protocol)
  if (sent.method === 'INVITE') {
    let at = startClientInvite(reliable, clock.now(), timing)
    const machine: Machine = (event, now) => {
      const step = stepClientInvite(at, event, now, timing)
      at = step.next
      return step
    }
    return { machine, state: at }
  }
  let at = startClientRequest(reliable, clock.now(), timing)
  const machine: Machine = (event, now) => {
    const step = stepClientRequest(
      at,
      event === 'success' || event === 'failure' ? 'final' : event,
      now,
      timing,
    )
    at = step.next
    return step
  }
  return { machine, state: at }
}

/** §17.1.1.3: the ACK to a final answer that is no 2xx is of the same transaction and takes the same way. */
export function acknowledgement(invite: SipRequest, response: SipResponse): SipRequest {
  const headers = new HeaderList()
  headers.add('via', invite.headers.get('via') ?? '')
  headers.add('max-forwards', '70')
  headers.addAll('route', invite.headers.lines('route'))
  headers.add('from', invite.headers.get('from') ?? '')
  headers.add('to', response.headers.get('to') ?? '')
  headers.add('call-id', invite.headers.get('call-id') ?? '')
  headers.add('cseq', `${cseqOf(invite)?.number ?? 1} ACK`)
  return request('ACK', invite.uri, headers)
}

/** §9.1: a CANCEL repeats the INVITE's branch, Request-URI, To (without tag), CSeq number and Route. */
export function cancellation(invite: SipRequest): SipRequest {
  const headers = new HeaderList()
  headers.add('via', invite.headers.get('via') ?? '')
  headers.add('max-forwards', '70')
  headers.addAll('route', invite.headers.lines('route'))
  for (const name of ['from', 'to', 'call-id']) headers.add(name, invite.headers.get(name) ?? '')
  headers.add('cseq', `${cseqOf(invite)?.number ?? 1} CANCEL`)
  return request('CANCEL', invite.uri, headers)
}

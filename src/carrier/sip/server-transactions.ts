// Requests of the other side that we answer within a call: repeated ones get the same answer (RFC 3261 §17.2).
import type { Timer } from '../../runtime/clock.ts'
import type { ClientDeps } from './client-transactions.ts'
import { cseqOf, type SipRequest, type SipResponse, writeMessage } from './message.ts'
import { type ServerEffect, startServerInvite, stepServerInvite } from './server-invite.ts'
import { startServerRequest, stepServerRequest } from './server-request.ts'
import { type Step, type Waiting, wakeAt } from './transaction-timing.ts'
import { type Hop, isReliable } from './transport.ts'
import { parseVia } from './via.ts'

export interface ServerTransaction {
  readonly request: SipRequest
  readonly from: Hop
  /** A provisional answer to an INVITE: said again when the INVITE comes again, until there is a final one. */
  progress(response: SipResponse): void
  /** A final answer, once. */
  answer(response: SipResponse): void
  /** The ACK to our 2xx came; it has a branch of its own and is found by its dialog. */
  acknowledged(): void
  drop(): void
}

/** Requests that may wait for their 64·T1; a flood beyond is not answered. */
export const maxServerTransactions = 10_000

export class ServerTransactions {
  readonly #deps: ClientDeps
  readonly #live = new Map<string, LiveTransaction>()

  constructor(deps: ClientDeps) {
    this.#deps = deps
  }

  get size(): number {
    return this.#live.size
  }

  /** True: it was seen before (or is the ACK to a refusal of ours) and is dealt with. */
  absorb(received: SipRequest): boolean {
    const transaction = this.#live.get(keyOf(received))
    transaction?.repeated(received)
    return transaction !== undefined
  }

  /** null: too many are open. `onUnacknowledged`: our answer to an INVITE has never been ACKed. */
  open(received: SipRequest, from: Hop, onUnacknowledged: () => void = () => {}): ServerTransaction | null {
    if (this.#live.size >= maxServerTransactions) return null
    const key = keyOf(received)
    const remove = () => this.#live.delete(key)
    const transaction = new LiveTransaction(this.#deps, received, from, remove, onUnacknowledged)
    this.#live.set(key, transaction)
    return transaction
  }

  close(): void {
    for (const transaction of [...this.#live.values()]) transaction.drop()
  }
}

/** §17.2.3: branch, sent-by and method; an ACK is the INVITE's. */
function keyOf(received: SipRequest): string {
  const via = parseVia(received.headers.list('via')[0] ?? '')
  const method = received.method === 'ACK' ? 'INVITE' : received.method
  // RFC 2543 has no branch: what tells its transactions apart is then the rest (§17.2.3).
  const branch = via?.branch || `${received.headers.get('call-id')} ${cseqOf(received)?.number}`
  return `${branch} ${via?.host} ${via?.port} ${method}`
}

type ServerEvent = 'request' | 'answer-success' | 'answer-failure' | 'ack' | 'timer'
type State = Waiting & { state: string }
type Machine = (event: ServerEvent, now: number) => Step<State, ServerEffect>

class LiveTransaction implements ServerTransaction {
  readonly #deps: ClientDeps
  readonly #remove: () => void
  readonly #onUnacknowledged: () => void
  readonly #machine: Machine
  readonly request: SipRequest
  readonly from: Hop
  #answer: string | null = null
  #isAnswered = false
  #timer: Timer | null = null
  #terminated = false

  constructor(
    deps: ClientDeps,
    received: SipRequest,
    from: Hop,
    remove: () => void,
    onUnacknowledged: () => void,
  ) {
    this.#deps = deps
    this.request = received
    this.from = from
    this.#remove = remove
    this.#onUnacknowledged = onUnacknowledged
    this.#machine = startMachine(deps, received, from)
  }

  progress(response: SipResponse): void {
    if (this.#isAnswered) return
    this.#answer = writeMessage(response)
    this.#send()
  }

  answer(response: SipResponse): void {
    if (this.#isAnswered) return
    this.#isAnswered = true
    this.#answer = writeMessage(response)
    this.#send()
    this.#step(response.status < 300 ? 'answer-success' : 'answer-failure')
  }

  acknowledged(): void {
    this.#step('ack')
  }

  repeated(received: SipRequest): void {
    this.#step(received.method === 'ACK' ? 'ack' : 'request')
  }

  drop(): void {
    this.#terminated = true
    this.#timer?.cancel()
    this.#remove()
  }

  #send(): void {
    if (this.#answer !== null) this.#deps.send(this.#answer, this.from, null)
  }

  #step(event: ServerEvent): void {
    if (this.#terminated) return
    const { next, effects } = this.#machine(event, this.#deps.clock.now())
    if (next.state === 'terminated') this.drop()
    else this.#arm(next)
    for (const effect of effects) effect === 'resend' ? this.#send() : this.#onUnacknowledged()
  }

  #arm(state: Waiting): void {
    this.#timer?.cancel()
    const at = wakeAt(state)
    this.#timer = at === null ? null : this.#deps.wheel.at(at, () => this.#step('timer'))
  }
}

function startMachine({ timing }: ClientDeps, received: SipRequest, from: Hop): Machine {
  const reliable = isReliable(from.protocol)
  if (received.method === 'INVITE') {
    let at = startServerInvite(reliable)
    return (event, now) => {
      const step = stepServerInvite(at, event, now, timing)
      at = step.next
      return step
    }
  }
  let at = startServerRequest(reliable)
  return (event, now) => {
    const step = stepServerRequest(
      at,
      event === 'request' || event === 'timer' ? event : event === 'ack' ? 'timer' : 'answer',
      now,
      timing,
    )
    at = step.next
    return step
  }
}

// A call that comes in, from its INVITE to its end (RFC 3261 §13.3, §9.2, §15).
//
//   coming in ──ring──▶ ringing ──accept──▶ answered ──ACK … BYE──▶ over
//        └────────────────┴── refuse, or their CANCEL ──▶ over
import { type Evidence, noEvidence } from '../../domain/outcome.ts'
import { type CallHandlers, quietHandlers } from './call.ts'
import { allowedMethods, type CallContext } from './call-context.ts'
import { dialogOfInvite } from './dialog.ts'
import { LiveDialog } from './live-dialog.ts'
import { cseqOf, responseTo, type SipRequest, type SipResponse, sdpOf, tagOf } from './message.ts'
import type { ServerTransaction } from './server-transactions.ts'
import { parseSipUri } from './sip-uri.ts'
import type { Hop } from './transport.ts'

/** What its owner hears; `ended` comes at most once, and not after `refuse`. */
export type IncomingHandlers = Partial<Pick<CallHandlers, 'offered' | 'answerReceived'>> &
  Pick<CallHandlers, 'ended'>

export class IncomingCall {
  readonly localTag: string
  readonly #context: CallContext
  readonly #invite: SipRequest
  readonly #from: Hop
  readonly #onOver: () => void
  /** null: more calls come in than are kept; it is not answered. */
  readonly #transaction: ServerTransaction | null
  #handlers: IncomingHandlers = { ended() {} }
  #live: LiveDialog | null = null
  #over = false

  constructor(context: CallContext, invite: SipRequest, from: Hop, localTag: string, onOver: () => void) {
    this.#context = context
    this.#invite = invite
    this.#from = from
    this.localTag = localTag
    this.#onOver = onOver
    // §13.3.1.4: an answer that is never acknowledged is hung up.
    this.#transaction = context.servers.open(invite, from, () => this.hangUp())
  }

  /** The user part of the Request-URI: the number that was dialled, as the caller wrote it. */
  get dialled(): string {
    return parseSipUri(this.#invite.uri)?.user ?? ''
  }

  /** Their SDP; '' when they want an offer of ours (their answer then comes with the ACK). */
  get offer(): string {
    return sdpOf(this.#invite)
  }

  handle(handlers: IncomingHandlers): void {
    this.#handlers = handlers
  }

  ring(): void {
    if (!this.#over && this.#live === null) this.#transaction?.progress(this.#respond(180, 'Ringing'))
  }

  /** Picks up. */
  accept(sdp: string): void {
    if (this.#over || this.#live !== null) return
    this.#live = new LiveDialog({
      context: this.#context,
      invite: this.#invite,
      dialog: dialogOfInvite(this.#invite, this.localTag),
      hop: this.#from,
      credentials: null,
      handlers: { ...quietHandlers, ...this.#handlers },
      onChanged: () => {},
      onOver: evidence => this.#end(evidence),
    })
    const response = this.#respond(200, 'OK')
    response.headers.add('allow', allowedMethods).add('content-type', 'application/sdp')
    response.body = sdp
    this.#transaction?.answer(response)
  }

  /** A final answer of 300 to 699; the call is over. */
  refuse(status: number, phrase: string, headers: readonly (readonly [string, string])[] = []): void {
    if (this.#over || this.#live !== null) return
    const response = this.#respond(status, phrase)
    for (const [name, value] of headers) response.headers.add(name, value)
    this.#transaction?.answer(response)
    this.drop()
  }

  /** BYE; `ended` follows. */
  hangUp(): void {
    this.#live?.bye()
  }

  /** A request of theirs: the CANCEL, or whatever comes within the dialog. False: it is not this call's. */
  receive(received: SipRequest, from: Hop): boolean {
    if (tagOf(received.headers.get('from') ?? '') !== tagOf(this.#invite.headers.get('from') ?? ''))
      return false
    if (received.method === 'CANCEL') this.#cancelled(received, from)
    else if (received.method === 'ACK' && this.#isOurs(received)) this.#acknowledged(received)
    else if (this.#live === null) return false
    else this.#live.receive(received, from)
    return true
  }

  /** Nothing is sent and nothing is told any more. */
  drop(): void {
    if (this.#over) return
    this.#over = true
    this.#live?.drop()
    this.#onOver()
  }

  /** §9.2: a CANCEL that comes after the answer changes nothing. */
  #cancelled(cancel: SipRequest, from: Hop): void {
    this.#context.servers.open(cancel, from)?.answer(responseTo(cancel, 200, this.localTag))
    if (this.#over || this.#live !== null) return
    this.#transaction?.answer(this.#respond(487, 'Request Terminated'))
    this.#end({ ...noEvidence, sipStatus: 487 })
  }

  #acknowledged(ack: SipRequest): void {
    this.#transaction?.acknowledged()
    const answer = sdpOf(ack)
    if (this.offer === '' && answer !== '') this.#handlers.answerReceived?.(answer)
  }

  #isOurs(ack: SipRequest): boolean {
    return cseqOf(ack)?.number === cseqOf(this.#invite)?.number
  }

  #respond(status: number, phrase: string): SipResponse {
    const response = responseTo(this.#invite, status, this.localTag, phrase)
    if (status < 300) response.headers.add('contact', this.#context.addresses.contact(this.#from))
    return response
  }

  #end(evidence: Evidence): void {
    if (this.#over) return
    this.drop()
    this.#handlers.ended(evidence, this.#context.clock.now())
  }
}

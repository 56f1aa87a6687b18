// What the other side asks within an answered call, and our answers (RFC 3261 §12.2.2, §14.2, §15.1.2; RFC 3311; RFC 6086).
import type { Evidence } from '../../domain/outcome.ts'
import type { CallHandlers } from './call.ts'
import { allowedMethods, type CallContext } from './call-context.ts'
import { type Dialog, withRemoteCSeq, withTargetOf } from './dialog.ts'
import { cseqOf, responseTo, type SipRequest, type SipResponse, sdpOf } from './message.ts'
import { evidenceOf } from './reason.ts'
import type { ServerTransaction } from './server-transactions.ts'
import { type SessionTimer, timerFromRequest } from './session-timer.ts'
import type { Hop } from './transport.ts'

export interface DialogRequestsOptions {
  context: CallContext
  handlers: CallHandlers
  dialog(): Dialog
  /** An INVITE of ours is under way: theirs meets a 491. */
  isInviting(): boolean
  onTarget(dialog: Dialog): void
  onSession(timer: SessionTimer | null): void
  onLocalSdp(sdp: string): void
  onBye(evidence: Evidence): void
  onUnacknowledged(): void
}

/** Extensions that a request may require of us. */
const supportedExtensions: ReadonlySet<string> = new Set(['timer'])
/** §21.4.6: methods that we know of and do not take within a call; others are 501. */
const refusedMethods: ReadonlySet<string> = new Set(
  'PRACK REFER SUBSCRIBE NOTIFY MESSAGE PUBLISH REGISTER CANCEL'.split(' '),
)

export function statusForUnwanted(method: string): 405 | 501 {
  return refusedMethods.has(method) ? 405 : 501
}

export class DialogRequests {
  readonly #options: DialogRequestsOptions
  /** Their INVITE, until its ACK. */
  #invite: { transaction: ServerTransaction; cseq: number; isAnswered: boolean; weOffered: boolean } | null =
    null

  constructor(options: DialogRequestsOptions) {
    this.#options = options
  }

  get isAnsweringInvite(): boolean {
    return this.#invite !== null
  }

  receive(received: SipRequest, from: Hop): void {
    if (received.method === 'ACK') return void this.#acknowledged(received)
    const { context, onTarget, onUnacknowledged } = this.#options
    const cseq = cseqOf(received)?.number ?? 0
    const unacknowledged = () => {
      this.#invite = null
      onUnacknowledged()
    }
    const transaction = context.servers.open(received, from, unacknowledged)
    if (transaction === null) return
    const dialog = withRemoteCSeq(this.#options.dialog(), cseq)
    if (dialog === null) return void this.#answer(transaction, 500)
    onTarget(dialog)
    const unsupported = received.headers.list('require').filter(name => !supportedExtensions.has(name))
    if (unsupported.length > 0 && received.method !== 'BYE')
      return void this.#answer(transaction, 420, response =>
        response.headers.add('unsupported', unsupported.join(', ')),
      )
    this.#serve(transaction, received, cseq)
  }

  #serve(transaction: ServerTransaction, received: SipRequest, cseq: number): void {
    switch (received.method) {
      case 'BYE':
        this.#answer(transaction, 200)
        return void this.#options.onBye(evidenceOf(received, this.#options.context.clock.now()))
      case 'INVITE':
        return void this.#reinvited(transaction, received, cseq)
      case 'UPDATE':
        return void this.#updated(transaction, received)
      case 'OPTIONS':
        return void this.#answer(transaction, 200, response =>
          response.headers.add('accept', 'application/sdp'),
        )
      case 'INFO':
        this.#answer(transaction, 200)
        return void this.#options.handlers.infoReceived(
          received.headers.get('content-type') ?? '',
          received.body,
        )
      default:
        return void this.#answer(transaction, statusForUnwanted(received.method))
    }
  }

  /** §14.2: one offer at a time. */
  #reinvited(transaction: ServerTransaction, received: SipRequest, cseq: number): void {
    if (this.#options.isInviting()) return void this.#answer(transaction, 491)
    if (this.#invite !== null)
      return void this.#answer(transaction, 500, response => response.headers.add('retry-after', '3'))
    const offer = sdpOf(received)
    this.#invite = { transaction, cseq, isAnswered: false, weOffered: offer === '' }
    void this.#answerOffer(transaction, received, offer).then(isTaken => {
      if (this.#invite?.transaction !== transaction) return
      if (isTaken) this.#invite.isAnswered = true
      else this.#invite = null
    })
  }

  async #updated(transaction: ServerTransaction, received: SipRequest): Promise<void> {
    const offer = sdpOf(received)
    if (offer !== '' && (this.#options.isInviting() || this.#invite !== null))
      return this.#answer(transaction, 491)
    if (offer !== '') return void (await this.#answerOffer(transaction, received, offer))
    this.#accept(transaction, received, '')
  }

  /** False: refused. */
  async #answerOffer(transaction: ServerTransaction, received: SipRequest, offer: string): Promise<boolean> {
    const sdp = await this.#ask(offer)
    if (sdp === null) this.#answer(transaction, 488)
    else this.#accept(transaction, received, sdp)
    return sdp !== null
  }

  async #ask(offer: string): Promise<string | null> {
    try {
      return await this.#options.handlers.offered(offer)
    } catch (error) {
      this.#options.context.logger.error({ err: error }, 'an offer within a call could not be answered')
      return null
    }
  }

  #accept(transaction: ServerTransaction, received: SipRequest, sdp: string): void {
    const { onTarget, onSession, onLocalSdp, dialog } = this.#options
    onTarget(withTargetOf(dialog(), received))
    const session = timerFromRequest(received)
    onSession(session?.timer ?? null)
    if (sdp !== '') onLocalSdp(sdp)
    this.#answer(transaction, 200, response => {
      if (session !== null) response.headers.add('require', 'timer').add('session-expires', session.header)
      if (sdp !== '') response.headers.add('content-type', 'application/sdp')
      response.body = sdp
    })
  }

  #acknowledged(ack: SipRequest): void {
    const invite = this.#invite
    if (invite === null || cseqOf(ack)?.number !== invite.cseq) return
    this.#invite = null
    invite.transaction.acknowledged()
    const answer = sdpOf(ack)
    if (invite.weOffered && answer !== '') this.#options.handlers.answerReceived(answer)
  }

  #answer(transaction: ServerTransaction, status: number, fill?: (response: SipResponse) => void): void {
    const { context, dialog } = this.#options
    const response = responseTo(transaction.request, status, dialog().localTag)
    if (transaction.request.method !== 'BYE')
      response.headers
        .add('contact', context.addresses.contact(transaction.from))
        .add('allow', allowedMethods)
        .add('supported', 'timer')
    fill?.(response)
    transaction.answer(response)
  }
}

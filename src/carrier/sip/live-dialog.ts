// An answered call: its ACK, its BYE, our re-INVITE and the session timer (RFC 3261 §13.2.2.4, §14, §15; RFC 4028).
import { type Evidence, noEvidence } from '../../domain/outcome.ts'
import type { Timer } from '../../runtime/clock.ts'
import type { CallHandlers } from './call.ts'
import { allowedMethods, type CallContext, hopOf, newVia } from './call-context.ts'
import { type Dialog, requestWithin, withTargetOf } from './dialog.ts'
import { DialogRequests } from './dialog-requests.ts'
import { type Credentials, DigestSession } from './digest.ts'
import { type SipRequest, type SipResponse, sdpOf, writeMessage } from './message.ts'
import { type SessionTimer, sessionDeadlineMs, timerFromAnswer } from './session-timer.ts'
import type { Hop } from './transport.ts'

export interface LiveDialogOptions {
  context: CallContext
  invite: SipRequest
  dialog: Dialog
  /** Where the INVITE went. */
  hop: Hop
  credentials: Credentials | null
  handlers: CallHandlers
  onChanged(dialog: Dialog): void
  /** The call is over on both sides, as far as we know. */
  onOver(evidence: Evidence): void
}

/** RFC 3261 §14.1: whoever made the Call-ID waits 2.1 to 4 s after a 491, in steps of 10 ms. */
const glareWaitMs = 3_000
const maxGlares = 3

export class LiveDialog {
  readonly #options: LiveDialogOptions
  readonly #requests: DialogRequests
  dialog: Dialog
  #hop: Hop
  /** Where requests go, while their target is the same. */
  #next: { target: string; hop: Hop } | null = null
  /** How the last 2xx was acknowledged, for when it comes again. */
  #ack: { text: string; hop: Hop } | null = null
  /** What we last said of our media: a refresh says it again. */
  #localSdp: string
  #updateAllowed = false
  #sessionTimer: Timer | null = null
  #session: SessionTimer | null = null
  #reinviting = false
  #ending = false
  #over = false

  constructor(options: LiveDialogOptions) {
    this.#options = options
    this.dialog = options.dialog
    this.#hop = options.hop
    this.#localSdp = options.invite.body
    this.#requests = new DialogRequests({
      context: options.context,
      handlers: options.handlers,
      dialog: () => this.dialog,
      isInviting: () => this.#reinviting,
      onTarget: dialog => this.#moveTo(dialog),
      onSession: timer => this.#startSession(timer),
      onLocalSdp: sdp => {
        this.#localSdp = sdp
      },
      onBye: evidence => this.#end(evidence),
      onUnacknowledged: () => this.bye(),
    })
  }

  /** §13.2.2.4: the ACK to a 2xx is a request of its own way, with the INVITE's CSeq and credentials. */
  acknowledge(response: SipResponse): void {
    this.#updateAllowed = response.headers.list('allow').includes('UPDATE')
    this.#startSession(timerFromAnswer(response))
    this.#sendAck(this.#options.invite, this.dialog.localCSeq)
  }

  acknowledgeAgain(): void {
    if (this.#ack !== null) this.#options.context.send(this.#ack.text, this.#ack.hop, null)
  }

  receive(received: SipRequest, from: Hop): void {
    this.#requests.receive(received, from)
  }

  bye(): void {
    if (this.#ending || this.#over) return
    this.#ending = true
    this.#request('BYE', '', () => this.#end(noEvidence))
  }

  /** Resolves with their answer; null: they refuse, or an offer of theirs is under way. */
  reinvite(sdp: string): Promise<string | null> {
    if (this.#ending || this.#reinviting || this.#requests.isAnsweringInvite) return Promise.resolve(null)
    return new Promise(resolve => this.#offer(sdp, resolve, 0))
  }

  drop(): void {
    this.#over = true
    this.#sessionTimer?.cancel()
  }

  #offer(sdp: string, resolve: (answer: string | null) => void, glares: number): void {
    this.#reinviting = true
    this.#request('INVITE', sdp, (response, sent) => {
      this.#reinviting = false
      const { context } = this.#options
      if (response === null || this.#over) return resolve(null)
      if (response.status === 491 && glares < maxGlares) {
        context.wheel.at(context.clock.now() + glareWaitMs, () =>
          this.#ending ? resolve(null) : this.#offer(sdp, resolve, glares + 1),
        )
        return
      }
      if (response.status >= 300) {
        if (isDead(response)) this.bye()
        return resolve(null)
      }
      this.#localSdp = sdp
      this.#moveTo(withTargetOf(this.dialog, response))
      this.#startSession(timerFromAnswer(response))
      this.#sendAck(sent, Number.parseInt(sent.headers.get('cseq') ?? '', 10))
      resolve(sdpOf(response) || null)
    })
  }

  #sendAck(invite: SipRequest, cseq: number): void {
    const ack = requestWithin(this.dialog, 'ACK', cseq)
    for (const name of ['authorization', 'proxy-authorization'])
      ack.headers.addAll(name, invite.headers.lines(name))
    this.#withHop(hop => {
      ack.headers.addFirst('via', newVia(this.#options.context, hop))
      this.#ack = { text: writeMessage(ack), hop }
      this.acknowledgeAgain()
    })
  }

  /**
   * Sends a request within the dialog, with credentials when it is challenged; null: no answer came. The 2xx of an
   * INVITE comes once, its repetitions are acknowledged here.
   */
  #request(
    method: string,
    body: string,
    onFinal: (response: SipResponse | null, sent: SipRequest) => void,
    digest = new DigestSession(this.#options.credentials, this.#options.context.newToken),
  ): void {
    const { context } = this.#options
    const cseq = this.dialog.localCSeq + 1
    this.#change({ ...this.dialog, localCSeq: cseq })
    const sent = this.#build(method, body, cseq, digest)
    let isFinal = false
    const finish = (response: SipResponse | null) => {
      if (isFinal) return method === 'INVITE' ? this.acknowledgeAgain() : undefined
      isFinal = true
      const isChallenge = response?.status === 401 || response?.status === 407
      if (isChallenge && digest.accept(response)) this.#request(method, body, onFinal, digest)
      else onFinal(response, sent)
    }
    this.#withHop(hop => {
      sent.headers.addFirst('via', newVia(context, hop))
      const transaction = context.clients.open(sent, hop, {
        response: response => {
          if (response.status < 200) return
          // Repetitions of a final answer find nobody and are dropped: timer K need not keep each BYE for 5 s.
          if (method !== 'INVITE') transaction.drop()
          finish(response)
        },
        timedOut: () => finish(null),
        failed: () => finish(null),
      })
    })
  }

  #build(method: string, body: string, cseq: number, digest: DigestSession): SipRequest {
    const { addresses, product } = this.#options.context
    const sent = requestWithin(this.dialog, method, cseq)
    const { headers } = sent
    if (method !== 'BYE') headers.add('contact', addresses.contact(this.#hop)).add('allow', allowedMethods)
    if (method !== 'BYE' && this.#session !== null) {
      const refresher = this.#session.refresher === 'us' ? 'uac' : 'uas'
      headers.add('supported', 'timer')
      headers.add('session-expires', `${this.#session.intervalMs / 1_000};refresher=${refresher}`)
    }
    for (const [name, value] of digest.headersFor(method, sent.uri)) headers.add(name, value)
    headers.add('user-agent', product)
    if (body !== '') headers.add('content-type', 'application/sdp')
    sent.body = body
    return sent
  }

  /** At once where the next hop is an address, which it nearly always is. */
  #withHop(send: (hop: Hop) => void): void {
    const { remoteTarget } = this.dialog
    if (this.#next !== null && this.#next.target === remoteTarget) return void send(this.#next.hop)
    const hop = hopOf(this.#options.context, this.dialog, this.#hop)
    if (hop instanceof Promise) return void hop.then(send)
    this.#next = { target: remoteTarget, hop }
    send(hop)
  }

  #moveTo(dialog: Dialog): void {
    if (dialog !== this.dialog) this.#change(dialog)
  }

  #change(dialog: Dialog): void {
    this.dialog = dialog
    this.#options.onChanged(dialog)
  }

  #startSession(session: SessionTimer | null): void {
    this.#sessionTimer?.cancel()
    this.#session = session
    if (session === null || this.#ending) return
    const { clock, wheel } = this.#options.context
    this.#sessionTimer = wheel.at(clock.now() + sessionDeadlineMs(session), () => {
      // RFC 4028 §10: nobody showed that the call still lives.
      if (session.refresher === 'them') this.bye()
      else this.#refresh()
    })
  }

  /** RFC 4028 §7.4: UPDATE needs no offer; where it is not known a re-INVITE says the same again. */
  #refresh(): void {
    if (!this.#updateAllowed) return void this.reinvite(this.#localSdp)
    this.#request('UPDATE', '', response => {
      if (this.#over || this.#ending) return
      if (response !== null && response.status < 300) return this.#startSession(timerFromAnswer(response))
      if (response === null || isDead(response)) return this.bye()
      this.#updateAllowed = false
      void this.reinvite(this.#localSdp)
    })
  }

  #end(evidence: Evidence): void {
    if (this.#over) return
    this.drop()
    this.#options.onOver(evidence)
  }
}

/** §12.2.1.2: these end the dialog. */
function isDead({ status }: SipResponse): boolean {
  return status === 481 || status === 408
}

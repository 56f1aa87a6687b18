// A call that we make, from the first gateway to the answer (RFC 3261 §13.2, §22.2, §9.1; RFC 3263 §4.3).
//
//   dialing ──1xx──▶ ringing ──2xx──▶ answered ──BYE──▶ over
//      │  401/407: again with credentials   300-699: over
//      │  refused for certain (DNS, connect, ICMP, 503), nothing above 100 heard: the next gateway
//      └─ silence for 64·T1: over; it proves nothing, so nobody else is asked
//   hangUp: CANCEL as soon as there was a provisional; a 2xx that wins the race is ACKed and BYEd
import { type Evidence, noEvidence, unplaced } from '../../domain/outcome.ts'
import type { Timer } from '../../runtime/clock.ts'
import type { CallHandlers, CallSnapshot, InviteRequest, SipCall } from './call.ts'
import { allowedMethods, type CallContext, newVia } from './call-context.ts'
import { type ClientTransaction, cancellation } from './client-transactions.ts'
import { type Dialog, dialogFrom } from './dialog.ts'
import { DigestSession } from './digest.ts'
import { GatewayQueue } from './gateway-queue.ts'
import { HeaderList } from './header-list.ts'
import { LiveDialog } from './live-dialog.ts'
import { request, type SipRequest, type SipResponse, sdpOf, tagOf } from './message.ts'
import { causeOf, evidenceOf } from './reason.ts'
import { minSessionOf, minSessionSeconds } from './session-timer.ts'
import { hangUpStray } from './stray-answer.ts'
import { patienceMs } from './transaction-timing.ts'
import type { Hop, SendFailure } from './transport.ts'

export class OutgoingCall implements SipCall {
  readonly #context: CallContext
  readonly #wanted: InviteRequest
  readonly #handlers: CallHandlers
  readonly #onOver: () => void
  readonly #gateways: GatewayQueue
  readonly localTag: string
  #cseq = 0
  #sessionSeconds: number | null
  #minSeconds = minSessionSeconds
  #digest: DigestSession
  #transaction: ClientTransaction | null = null
  #heard: 'nothing' | 'trying' | 'progress' = 'nothing'
  #earlySdp = ''
  #wantsEnd = false
  #cancelled = false
  #cancelTimer: Timer | null = null
  #live: LiveDialog | null = null
  #over = false
  /** Why the gateway before did not take the call. */
  #lastRefusal: Evidence = noEvidence

  constructor(
    context: CallContext,
    wanted: InviteRequest,
    localTag: string,
    handlers: CallHandlers,
    onOver: () => void,
  ) {
    this.#context = context
    this.#wanted = wanted
    this.localTag = localTag
    this.#handlers = handlers
    this.#onOver = onOver
    this.#sessionSeconds = wanted.sessionSeconds
    this.#gateways = new GatewayQueue(context, wanted.gateways)
    this.#digest = this.#newDigest()
  }

  get callId(): string {
    return this.#wanted.callId
  }

  start(): void {
    queueMicrotask(() => void this.#tryNext())
  }

  hangUp(): void {
    if (this.#over || this.#wantsEnd) return
    this.#wantsEnd = true
    if (this.#live !== null) this.#live.bye()
    else if (this.#heard !== 'nothing') this.#cancel()
  }

  reinvite(sdp: string): Promise<string | null> {
    return this.#live === null || this.#over ? Promise.resolve(null) : this.#live.reinvite(sdp)
  }

  /** A request of theirs within this call. False: no dialog of ours has that tag. */
  receive(received: SipRequest, from: Hop): boolean {
    const remoteTag = tagOf(received.headers.get('from') ?? '')
    if (this.#live === null || remoteTag !== (this.#live.dialog.remoteTag || null)) return false
    this.#live.receive(received, from)
    return true
  }

  /** The user agent closes: nothing is sent and nothing is told any more. */
  drop(): void {
    this.#over = true
    this.#cancelTimer?.cancel()
    this.#transaction?.drop()
    this.#live?.drop()
  }

  async #tryNext(): Promise<void> {
    if (this.#over) return
    if (this.#wantsEnd) return this.#end(noEvidence)
    const next = this.#gateways.next()
    const hop = next instanceof Promise ? await next : next
    if (this.#over) return
    if (hop === null) return this.#end(this.#unreachable())
    if (this.#wantsEnd) return this.#end(noEvidence)
    this.#digest = this.#newDigest()
    this.#invite(hop)
  }

  #unreachable(): Evidence {
    if (this.#lastRefusal !== noEvidence) return this.#lastRefusal
    return {
      ...noEvidence,
      phrase: `no gateway can be reached: ${this.#gateways.lastError ?? 'none is set'}`,
    }
  }

  #invite(hop: Hop): void {
    this.#heard = 'nothing'
    const invite = this.#buildInvite(hop)
    const kept = this.#changed(invite, hop, null)
    if (kept === undefined) return void this.#send(invite, hop)
    void kept
      .catch(() => false)
      .then(isOurs => {
        if (this.#over) return
        if (!isOurs || this.#wantsEnd) this.#end(unplaced('another node holds the call'))
        else this.#send(invite, hop)
      })
  }

  #send(invite: SipRequest, hop: Hop): void {
    if (this.#wanted.mayRing?.() === false) return void this.#end(unplaced('the lease ran out'))
    this.#transaction = this.#context.clients.open(invite, hop, {
      mayRepeat: () => this.#wanted.mayRing?.() !== false,
      response: response => this.#respond(invite, hop, response),
      timedOut: () => this.#end(noEvidence),
      failed: failure => this.#failed(hop, failure),
    })
  }

  #buildInvite(hop: Hop): SipRequest {
    const { requestUri, from, to, callId, headers: extra, sdpOffer } = this.#wanted
    const headers = new HeaderList()
    headers.add('via', newVia(this.#context, hop))
    headers.add('max-forwards', '70')
    headers.add('from', `${from};tag=${this.localTag}`)
    headers.add('to', to)
    headers.add('call-id', callId)
    headers.add('cseq', `${++this.#cseq} INVITE`)
    headers.add('contact', this.#context.addresses.contact(hop))
    for (const [name, value] of this.#digest.headersFor('INVITE', requestUri)) headers.add(name, value)
    headers.add('allow', allowedMethods)
    if (this.#sessionSeconds !== null) {
      headers.add('supported', 'timer')
      headers.add('session-expires', String(this.#sessionSeconds))
      headers.add('min-se', String(this.#minSeconds))
    }
    headers.add('user-agent', this.#context.product)
    for (const [name, value] of extra) headers.add(name, value)
    headers.add('content-type', 'application/sdp')
    return request('INVITE', requestUri, headers, sdpOffer)
  }

  #respond(invite: SipRequest, hop: Hop, response: SipResponse): void {
    if (this.#live !== null || this.#over) return void this.#answeredAgain(invite, hop, response)
    this.#context.health.answered(hop)
    if (response.status < 200) this.#provisional(response)
    else if (response.status < 300) this.#answered(invite, hop, response)
    else this.#refused(hop, response)
  }

  #provisional(response: SipResponse): void {
    if (response.status === 100) {
      if (this.#heard === 'nothing') this.#heard = 'trying'
    } else {
      this.#heard = 'progress'
      const sdp = sdpOf(response)
      if (sdp !== '') this.#earlySdp = sdp
      if (!this.#wantsEnd) this.#handlers.provisional(response.status, sdp, this.#context.clock.now())
    }
    if (this.#wantsEnd) this.#cancel()
  }

  #refused(hop: Hop, response: SipResponse): void {
    const { status } = response
    if (!this.#wantsEnd && (status === 401 || status === 407) && this.#digest.accept(response))
      return void this.#invite(hop)
    // RFC 4028 §6: their shortest session is longer than what we asked for.
    const minSeconds = status === 422 ? minSessionOf(response) : null
    if (minSeconds !== null && this.#sessionSeconds !== null && minSeconds > this.#minSeconds) {
      this.#minSeconds = minSeconds
      this.#sessionSeconds = Math.max(this.#sessionSeconds, minSeconds)
      return void this.#invite(hop)
    }
    const evidence = evidenceOf(response, null)
    if (status !== 503 || this.#heard === 'progress') return void this.#end(evidence)
    const { retryAfterSeconds } = causeOf(response)
    if (retryAfterSeconds !== null) this.#context.health.refused(hop, '503', retryAfterSeconds)
    this.#lastRefusal = evidence
    void this.#tryNext()
  }

  /** Only proof is reported (client-transactions.ts), so the message never arrived. */
  #failed(hop: Hop, { reason }: SendFailure): void {
    this.#context.health.refused(hop, reason)
    this.#lastRefusal = { ...noEvidence, phrase: `the gateway refused the connection: ${reason}` }
    void this.#tryNext()
  }

  #answered(invite: SipRequest, hop: Hop, response: SipResponse): void {
    const at = this.#context.clock.now()
    this.#cancelTimer?.cancel()
    const live = new LiveDialog({
      context: this.#context,
      invite,
      dialog: dialogFrom(invite, response),
      hop,
      credentials: this.#wanted.credentials,
      handlers: this.#handlers,
      onChanged: dialog => this.#changed(invite, hop, dialog),
      onOver: evidence => this.#end({ ...evidence, sipStatus: 200, answeredAt: at }),
    })
    this.#live = live
    live.acknowledge(response)
    this.#changed(invite, hop, live.dialog)
    if (this.#wantsEnd) return void live.bye()
    const sdp = sdpOf(response) || this.#earlySdp
    if (sdp !== '') return void this.#handlers.answered(sdp, at)
    // §13.2.1: an answer without SDP leaves us with nobody to talk to.
    live.bye()
    this.#end({ ...noEvidence, sipStatus: 200, phrase: 'answered without SDP' })
  }

  /** The 2xx came again (our ACK was lost), or another branch of a fork picked up as well (§13.2.2.4). */
  #answeredAgain(invite: SipRequest, hop: Hop, response: SipResponse): void {
    if (response.status < 200 || response.status >= 300) return
    const isSame = this.#live?.dialog.remoteTag === (tagOf(response.headers.get('to') ?? '') ?? '')
    if (isSame) this.#live?.acknowledgeAgain()
    else hangUpStray(this.#context, dialogFrom(invite, response), hop)
  }

  /** §9.1: never before a provisional; the INVITE's transaction waits 64·T1 for its 487 and is then given up. */
  #cancel(): void {
    if (this.#cancelled || this.#transaction === null) return
    this.#cancelled = true
    const { request: invite, hop } = this.#transaction
    const ignore = () => {}
    this.#context.clients.open(cancellation(invite), hop, {
      response: ignore,
      timedOut: ignore,
      failed: ignore,
    })
    const giveUpAt = this.#context.clock.now() + patienceMs(this.#context.timing)
    this.#cancelTimer = this.#context.wheel.at(giveUpAt, () => this.#end(noEvidence))
  }

  #end(evidence: Evidence): void {
    if (this.#over) return
    this.#over = true
    this.#cancelTimer?.cancel()
    // A 2xx that is still repeated is then a stray, which is ACKed and BYEd: 32 s of each call's memory are saved.
    if (this.#live !== null) this.#transaction?.drop()
    this.#handlers.changed?.(null)
    this.#onOver()
    this.#handlers.ended(evidence, this.#context.clock.now())
  }

  #changed(invite: SipRequest, hop: Hop, dialog: Dialog | null): Promise<boolean> | undefined {
    return this.#handlers.changed?.(snapshotOf(invite, this.#cseq, hop, dialog))
  }

  #newDigest(): DigestSession {
    return new DigestSession(this.#wanted.credentials, this.#context.newToken)
  }
}

function snapshotOf(invite: SipRequest, cseq: number, hop: Hop, dialog: Dialog | null): CallSnapshot {
  const [via, from, to] = ['via', 'from', 'to'].map(name => invite.headers.get(name) ?? '') as [
    string,
    string,
    string,
  ]
  const { uri, headers } = invite
  return {
    callId: headers.get('call-id') ?? '',
    hop,
    invite: { uri, via, from, to, routes: headers.lines('route'), cseq },
    dialog,
  }
}

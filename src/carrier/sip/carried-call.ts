// One call of the SIP carrier: its line in the media pool and its dialog, from the dial to the evidence.
//
//   opening a line ──▶ inviting ──▶ ringing ──▶ answered ──▶ closing the line ──▶ told
import { basename } from 'node:path'
import type { AgentSettings } from '../../agent/agent.ts'
import type { CallTrace } from '../../domain/call-trace.ts'
import type { Conversation } from '../../domain/conversation.ts'
import { type Evidence, noEvidence, unplaced } from '../../domain/outcome.ts'
import type { CallObserver, CallRequest } from '../carrier.ts'
import type { LineEvent, LineReport, MediaLine, MediaPool } from '../rtp/media.ts'
import type { CallHandlers, CallSnapshot, InviteRequest, SipCall } from './call.ts'
import { nameAddr } from './name-addr.ts'
import { answerOffer, type LocalMedia, readAnswer, writeOffer } from './sdp.ts'
import { sipUri } from './sip-uri.ts'
import { formatNumber, type SipTrunkSettings } from './trunk-settings.ts'

export interface CarriedCallOptions {
  request: CallRequest
  settings: SipTrunkSettings
  agent: AgentSettings
  media: MediaPool
  /** Where RTP is bound. */
  localAddress: string
  /** What stands in our SDP and Contact. */
  publicAddress(): Promise<string>
  recordingPath: string | null
  takeTrace(): CallTrace | null
  invite(wanted: InviteRequest, handlers: CallHandlers): SipCall
  observer: CallObserver
  now(): number
  onChanged(snapshot: CallSnapshot): Promise<boolean> | undefined
  /** Comes just before the observer hears of the end. */
  onOver(evidence: Evidence): void
}

export class CarriedCall {
  readonly #options: CarriedCallOptions
  #line: MediaLine | null = null
  #call: SipCall | null = null
  #local: LocalMedia | null = null
  #rang = false
  #answeredAt: number | null = null
  #wantsEnd = false
  /** What ended it on our side, which the carrier's words do not say. */
  #ours: Partial<Evidence> = {}
  #doNotCallAgain = false
  #over = false

  constructor(options: CarriedCallOptions) {
    this.#options = options
  }

  get isAnswered(): boolean {
    return this.#answeredAt !== null
  }

  async start(): Promise<void> {
    try {
      this.#line = await this.#openLine()
      const address = await this.#options.publicAddress()
      if (this.#wantsEnd) return await this.#end(noEvidence)
      this.#local = this.#describe(this.#line, address)
      this.#call = this.#options.invite(this.#inviteRequest(this.#local), this.#handlers())
    } catch (error) {
      // Not placed: no port, no worker, or this node is too late with its audio.
      const why = error instanceof Error ? error.message : String(error)
      await this.#end(unplaced(why))
    }
  }

  hangUp(): void {
    this.#wantsEnd = true
    this.#call?.hangUp()
  }

  takeTrace(): CallTrace | null {
    return this.#options.takeTrace()
  }

  #openLine(): Promise<MediaLine> {
    const { request, settings, agent, media, localAddress, recordingPath } = this.#options
    return media.open(
      {
        callId: request.callId,
        from: request.from,
        to: request.to,
        variables: readVariables(request.variablesJson),
        agent,
        localAddress,
        recordingPath,
        machine: request.answeringMachine ?? 'off',
        srtp: settings.srtp,
        rtpTimeoutMs: settings.rtpTimeoutMs,
      },
      event => this.#onLine(event),
    )
  }

  #describe(line: MediaLine, address: string): LocalMedia {
    return {
      address,
      port: line.port,
      // RFC 4566 §5.2: unique with our address; the port is ours alone while the call lives.
      sessionId: `${this.#options.now()}${line.port}`,
      version: 1,
      codecs: this.#options.settings.codecs,
      srtpKey: line.srtpKey,
      direction: 'sendrecv',
    }
  }

  #inviteRequest(local: LocalMedia): InviteRequest {
    const { request, settings } = this.#options
    const { domain, number, displayName } = settings
    const target = sipUri(formatNumber(request.to, number), domain, null)
    const caller = sipUri(formatNumber(request.from, { ...number, prefix: '', strip: '' }), domain, null)
    const identity = settings.assertIdentity ? [['p-asserted-identity', `<${caller}>`] as const] : []
    return {
      callId: request.callId,
      gateways: settings.gateways,
      requestUri: target,
      from: nameAddr(displayName, caller),
      to: `<${target}>`,
      credentials: settings.credentials,
      headers: [...identity, ...settings.headers],
      sdpOffer: writeOffer(local),
      sessionSeconds: settings.sessionSeconds,
      publicAddress: local.address,
      ...(request.mayRing === undefined ? {} : { mayRing: () => request.mayRing?.() !== false }),
    }
  }

  #handlers(): CallHandlers {
    return {
      provisional: (_status, sdp, at) => {
        if (sdp !== '') this.#connect(sdp)
        if (this.#rang) return
        this.#rang = true
        this.#options.observer.ringing(at)
      },
      answered: (sdp, at) => this.#answered(sdp, at),
      offered: sdp => this.#offered(sdp),
      answerReceived: sdp => void this.#connect(sdp),
      infoReceived: () => {},
      changed: snapshot => (snapshot === null ? undefined : this.#options.onChanged(snapshot)),
      ended: evidence => void this.#end(evidence),
    }
  }

  #answered(sdp: string, at: number): void {
    if (!this.#connect(sdp)) {
      this.#ours = { sipStatus: 488, phrase: 'the answer has no audio that suits us', answeredAt: null }
      return void this.hangUp()
    }
    this.#answeredAt = at
    this.#line?.answered()
    this.#options.observer.answered(at)
  }

  /** Early media, the answer, or the answer to an offer of ours; false: nothing of it suits us. */
  #connect(sdp: string): boolean {
    if (this.#local === null) return false
    const remote = readAnswer(sdp, this.#local)
    if (remote !== null) this.#line?.connect(remote)
    return remote !== null
  }

  #offered(sdp: string): string | null {
    if (this.#local === null) return null
    this.#local = { ...this.#local, version: this.#local.version + 1 }
    if (sdp === '') return writeOffer(this.#local)
    const answer = answerOffer(sdp, this.#local)
    if (answer === null) return null
    this.#line?.connect(answer.remote)
    return answer.sdp
  }

  #onLine(event: LineEvent): void {
    switch (event.kind) {
      case 'agent-hung-up':
        return void this.hangUp()
      case 'agent-failed':
        this.#ours = { agentFailed: true, phrase: event.reason }
        return void this.hangUp()
      case 'rtp-timeout':
        this.#ours = { phrase: 'no audio came from the network' }
        return void this.hangUp()
      case 'voicemail-done':
        this.#ours = { voicemail: true }
        return void this.hangUp()
      case 'do-not-call-again':
        this.#doNotCallAgain = true
        return
      case 'machine-detected':
        // What is made of it stands in the line's report.
        return
    }
  }

  async #end(said: Evidence): Promise<void> {
    if (this.#over) return
    this.#over = true
    const report = await this.#closeLine()
    const evidence: Evidence = {
      ...said,
      // A 200 that lost the race against our hang-up was never told to anybody, yet somebody picked up.
      answeredAt: this.#answeredAt ?? said.answeredAt,
      voicemail: report?.voicemail === true,
      ...this.#ours,
    }
    if (this.#doNotCallAgain) evidence.doNotCallAgain = true
    const { onOver, observer, now, recordingPath } = this.#options
    onOver(evidence)
    const talked = report !== null && evidence.answeredAt !== null
    observer.ended(evidence, now(), talked ? conversationOf(report, recordingPath) : undefined)
  }

  async #closeLine(): Promise<LineReport | null> {
    try {
      return this.#line === null ? null : await this.#line.close()
    } catch {
      // The worker died with the line: what it knew is gone, the call's end is not.
      return null
    }
  }
}

function conversationOf(report: LineReport, recordingPath: string | null): Conversation {
  const { transcript, results, recordingBytes } = report
  const { packetsSent, packetsReceived, packetsLost, jitterMs, firstAudioAfterMs } = report
  return {
    transcript,
    results,
    recordingFile: recordingPath === null || recordingBytes === null ? null : basename(recordingPath),
    recordingBytes,
    line: { packetsSent, packetsReceived, packetsLost, jitterMs, firstAudioAfterMs },
  }
}

function readVariables(json: string): Record<string, unknown> {
  try {
    const read: unknown = JSON.parse(json)
    return typeof read === 'object' && read !== null ? (read as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

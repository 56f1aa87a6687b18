// One call to a telephone of the street: it rings, somebody decides, and who picks up has a line and a voice.
import type { LineEvent, MediaLine, MediaPool } from '../carrier/rtp/media.ts'
import type { FinalAnswer } from '../carrier/simulated/behaviour.ts'
import type { IncomingCall } from '../carrier/sip/incoming-call.ts'
import { answerOffer, type LocalMedia, readAnswer, writeOffer } from '../carrier/sip/sdp.ts'
import type { Clock, Timer } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Person } from './person.ts'

export interface PhoneCallOptions {
  call: IncomingCall
  /** E.164. */
  number: string
  person: Person
  media: MediaPool
  /** Where RTP is bound and what stands in SDP. */
  address: string
  clock: Clock
  logger: Logger
  /** The call is over: what happened, in a few words. Comes once. */
  onOver(what: string): void
}

/** A caller that sends no audio has gone: its BYE was lost. */
const rtpTimeoutMs = 30_000
/** So long a trunk that refuses for want of anything wants to be left alone (Retry-After, s). */
const retryAfterSeconds = 1
/** Refusals that say when to come back (RFC 3261 §20.33). */
const comesBackLater: ReadonlySet<number> = new Set([429, 503])

export class PhoneCall {
  readonly #options: PhoneCallOptions
  readonly #startedAt: number
  #timer: Timer | null = null
  #line: Promise<MediaLine> | null = null
  #local: LocalMedia | null = null
  #answeredAt: number | null = null
  #weHungUp = false
  #isOver = false

  constructor(options: PhoneCallOptions) {
    this.#options = options
    this.#startedAt = options.clock.now()
    options.call.handle({
      offered: sdp => this.#answerAgain(sdp),
      answerReceived: sdp => void this.#connect(sdp),
      ended: () => this.#ended(),
    })
  }

  start(): void {
    const { script, life } = this.#options.person
    if (life !== null) {
      this.#line = this.#openLine()
      // It is waited for at the pick-up.
      this.#line.catch(() => {})
    }
    if (script.ringsAfterMs !== null) this.#at(script.ringsAfterMs, () => this.#ring())
    else if (script.answersAfterMs !== null) this.#at(script.answersAfterMs, () => void this.#decide())
  }

  /** The street closes. */
  hangUp(): void {
    this.#timer?.cancel()
    if (this.#answeredAt === null) this.#refuse(480, 'Temporarily Unavailable')
    else this.#end()
  }

  #ring(): void {
    const { call, person } = this.#options
    call.ring()
    if (person.script.answersAfterMs !== null)
      this.#at(person.script.answersAfterMs, () => void this.#decide())
  }

  async #decide(): Promise<void> {
    const { person, logger } = this.#options
    const { final } = person.script
    if (this.#line === null) return this.#refuse(final.sipStatus, final.phrase, reasonOf(final))
    try {
      const line = await this.#line
      if (!this.#isOver) this.#pickUp(line)
    } catch (error) {
      logger.warn({ err: error }, 'a telephone has no line')
      this.#refuse(503, 'No channels available')
    }
  }

  #pickUp(line: MediaLine): void {
    const { call, clock, address } = this.#options
    this.#local = {
      address,
      port: line.port,
      sessionId: `${clock.now()}${line.port}`,
      version: 1,
      codecs: ['PCMU', 'PCMA'],
      srtpKey: line.srtpKey,
      direction: 'sendrecv',
    }
    const answer = call.offer === '' ? null : answerOffer(call.offer, this.#local)
    if (call.offer !== '' && answer === null) return void this.#refuse(488, 'Not Acceptable Here')
    this.#answeredAt = clock.now()
    if (answer !== null) line.connect(answer.remote)
    call.accept(answer?.sdp ?? writeOffer(this.#local))
    line.answered()
  }

  #openLine(): Promise<MediaLine> {
    const { call, number, person, media, address } = this.#options
    return media.open(
      {
        callId: call.localTag,
        from: number,
        to: number,
        variables: {},
        agent: person.life!.agent,
        localAddress: address,
        recordingPath: null,
        machine: 'off',
        srtp: /^m=audio \d+ (UDP\/TLS\/)?RTP\/SAVP/m.test(call.offer),
        rtpTimeoutMs,
      },
      event => this.#hear(event),
    )
  }

  #hear(event: LineEvent): void {
    if (event.kind === 'agent-failed') this.#options.logger.warn({ why: event.reason }, 'a telephone broke')
    if (event.kind !== 'agent-hung-up' && event.kind !== 'agent-failed' && event.kind !== 'rtp-timeout')
      return
    this.#weHungUp = true
    this.#options.call.hangUp()
  }

  /** Hold, resume, media that moves. */
  #answerAgain(sdp: string): string | null {
    if (this.#local === null) return null
    this.#local = { ...this.#local, version: this.#local.version + 1 }
    if (sdp === '') return writeOffer(this.#local)
    const answer = answerOffer(sdp, this.#local)
    if (answer === null) return null
    void this.#line?.then(line => line.connect(answer.remote))
    return answer.sdp
  }

  /** To an offer of ours, in their ACK. */
  #connect(sdp: string): void {
    const remote = this.#local === null ? null : readAnswer(sdp, this.#local)
    if (remote === null) this.#options.call.hangUp()
    else void this.#line?.then(line => line.connect(remote))
  }

  #refuse(status: number, phrase: string, headers: readonly (readonly [string, string])[] = []): void {
    const later = comesBackLater.has(status) ? [['retry-after', String(retryAfterSeconds)] as const] : []
    this.#options.call.refuse(status, phrase, [...headers, ...later])
    this.#over(`${status} ${phrase}`)
  }

  #end(): void {
    this.#weHungUp = true
    this.#options.call.hangUp()
  }

  #ended(): void {
    if (this.#answeredAt === null) return void this.#over('rang until the caller gave up')
    const { person, clock } = this.#options
    const seconds = ((clock.now() - this.#answeredAt) / 1_000).toFixed(1)
    const who = person.life?.manner === 'machine' ? 'a machine answered' : 'picked up'
    this.#over(`${who}, ${seconds} s, ${this.#weHungUp ? 'and hung up' : 'the caller hung up'}`)
  }

  #over(what: string): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#timer?.cancel()
    void this.#line?.then(line => line.close()).catch(() => {})
    this.#options.onOver(what)
  }

  #at(ms: number, task: () => void): void {
    this.#timer = this.#options.clock.at(this.#startedAt + ms, task)
  }
}

function reasonOf({ q850, phrase }: FinalAnswer): (readonly [string, string])[] {
  return q850 === null ? [] : [['reason', `Q.850;cause=${q850};text="${phrase}"`]]
}

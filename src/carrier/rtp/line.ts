// One call's audio from opening to report: RTP session, bridge, agent, answering machine watch and recording, tick by tick.
import type { AgentSession, ConnectAgent } from '../../agent/agent.ts'
import { Bridge, type Law, type Outgoing } from '../../media/bridge.ts'
import { frameBytes, frameMs, ulawSilence } from '../../media/g711.ts'
import { createMachineWatch, type MachineNews, type MachineWatch } from '../../media/machine-watch.ts'
import type { Clock } from '../../runtime/clock.ts'
import { type Conversation, createCallLeg } from './call-leg.ts'
import type { DatagramSource } from './datagrams.ts'
import type { AudioCodec, LineEvent, LineReport, OpenLine, RemoteMedia } from './media.ts'
import type { Pacer } from './pacer.ts'
import { openRecording, type Recording } from './recording.ts'
import { openRtpSession, type RtpSession } from './session.ts'

export interface LineDeps {
  clock: Clock
  pacer: Pacer
  datagrams: DatagramSource
  connectAgent: ConnectAgent
}

const silentFrame = new Uint8Array(frameBytes).fill(ulawSilence)
/** RFC 3550 §6.2: five seconds, in ticks. */
const reportTicks = 250
/** After the message, so much silence of the agent's ends the call to a machine, in ticks: 2 s. */
const messageOverTicks = 100
/** Keys that wait for the agent: a card number, say. */
const maxEarlyKeys = 32
/** Events after which the call is only waiting to be closed. */
const finalEvents: ReadonlySet<LineEvent['kind']> = new Set([
  'agent-hung-up',
  'agent-failed',
  'rtp-timeout',
  'voicemail-done',
])

/** Binds the ports and begins to connect the agent. Rejects with the system's error when a port cannot be bound. */
export async function openLine(
  request: OpenLine,
  port: number,
  deps: LineDeps,
  onEvent: (event: LineEvent) => void,
): Promise<Line> {
  const handlers: { line: Line | null } = { line: null }
  const session = await openRtpSession(
    { ...deps, localAddress: request.localAddress, port, srtp: request.srtp },
    {
      audio: (timestamp, payload, type) => handlers.line?.hearAudio(timestamp, payload, type),
      key: (payload, timestamp) => handlers.line?.hearKey(payload, timestamp),
      newStream: () => handlers.line?.restart(),
    },
  )
  handlers.line = new Line(request, session, deps, onEvent)
  return handlers.line
}

export class Line {
  readonly #request: OpenLine
  readonly #session: RtpSession
  readonly #onEvent: (event: LineEvent) => void
  readonly #bridge: Bridge
  readonly #conversation: Conversation = { results: {}, transcript: [] }
  readonly #unpace: () => void
  #agent: AgentSession | null = null
  /** Pressed after the answer and before the agent was there. */
  #earlyKeys = ''
  #remote: RemoteMedia | null = null
  #recording: Recording | null = null
  #watch: MachineWatch | null = null
  #voicemail = false
  /** held: the agent's words wait for the beep · leaving: they are spoken to the machine. */
  #message: 'none' | 'held' | 'leaving' = 'none'
  #quietTicks = 0
  #ticks = 0
  #answeredTick: number | null = null
  #firstAudioTick: number | null = null
  #wasSending = false
  #heardPackets = 0
  #silentTicks = 0
  #isFinal = false
  #closing: Promise<LineReport> | null = null

  constructor(request: OpenLine, session: RtpSession, deps: LineDeps, onEvent: (event: LineEvent) => void) {
    this.#request = request
    this.#session = session
    this.#onEvent = onEvent
    this.#bridge = new Bridge({ heard: frame => this.#hear(frame) })
    this.#unpace = deps.pacer.add(() => this.#guard(() => this.#tick()))
    void this.#connectAgent(deps)
  }

  get srtpKey(): string | null {
    return this.#session.srtpKey
  }

  connect(remote: RemoteMedia): void {
    if (this.#closing !== null) return
    this.#session.connect(remote)
    this.#remote = remote
    this.#bridge.sendLaw(lawOf(remote.codec))
    this.#bridge.sendKeysAs(remote.telephoneEventType === null ? 'tones' : 'events')
    this.#silentTicks = 0
  }

  answered(): void {
    if (this.#closing !== null || this.#answeredTick !== null) return
    this.#answeredTick = this.#ticks
    this.#silentTicks = 0
    const { machine, recordingPath } = this.#request
    if (recordingPath !== null) this.#recording = openRecording(recordingPath)
    if (machine !== 'off') this.#watch = createMachineWatch(machine)
    if (machine === 'leave-message') this.#bridge.queue.keep()
    this.#guard(() => this.#agent?.answered())
  }

  hearAudio(timestamp: number, payload: Uint8Array, payloadType: number): void {
    const law = payloadType === 0 ? 'ulaw' : payloadType === 8 ? 'alaw' : lawOf(this.#remote?.codec ?? 'PCMU')
    this.#bridge.receive(timestamp, payload, law)
  }

  hearKey(payload: Uint8Array, timestamp: number): void {
    const key = this.#bridge.receiveKey(payload, timestamp)
    if (key === null || this.#answeredTick === null) return
    if (this.#agent !== null) this.#guard(() => this.#agent?.keyPressed(key))
    else if (this.#earlyKeys.length < maxEarlyKeys) this.#earlyKeys += key
  }

  restart(): void {
    this.#bridge.restart()
  }

  /** Idempotent; resolves when socket, agent and recording are released. */
  close(): Promise<LineReport> {
    this.#closing ??= this.#release()
    return this.#closing
  }

  async #connectAgent({ clock, connectAgent }: LineDeps): Promise<void> {
    const leg = createCallLeg({
      request: this.#request,
      bridge: this.#bridge,
      clock,
      conversation: this.#conversation,
      tell: event => this.#tell(event),
      tellMark: name => this.#guard(() => this.#agent?.markPlayed(name)),
      isOver: () => this.#closing !== null,
    })
    try {
      const agent = await connectAgent(leg, this.#request.agent)
      if (this.#closing !== null) return agent.close()
      this.#agent = agent
      if (this.#answeredTick !== null) agent.answered()
      for (const key of this.#earlyKeys) agent.keyPressed(key)
    } catch (error) {
      this.#tell({ kind: 'agent-failed', reason: sentenceOf(error) })
    }
  }

  #tick(): void {
    this.#ticks++
    this.#session.allowPackets()
    const { heard, said, outgoing } = this.#bridge.tick(() => this.#mayPlay())
    this.#send(outgoing)
    if (this.#answeredTick !== null) {
      this.#recording?.add(heard, said)
      this.#noteSpeech(outgoing.kind === 'audio' && outgoing.isSpeech)
      this.#noteSilence()
    }
    if (this.#ticks % reportTicks === 0) this.#session.report(this.#ticks * frameBytes)
  }

  #mayPlay(): boolean {
    return this.#answeredTick !== null && this.#agent !== null && this.#sends() && this.#message !== 'held'
  }

  #send(outgoing: Outgoing): void {
    const sends = this.#sends()
    const timestamp = this.#ticks * frameBytes
    if (sends && outgoing.kind === 'key') {
      this.#session.sendKey(outgoing.payload, timestamp - outgoing.startedBefore, outgoing.marker)
    } else if (sends && outgoing.kind === 'audio') {
      // The first packet after a pause carries the marker: the other side may set its delay anew.
      this.#session.sendAudio(outgoing.payload, timestamp, !this.#wasSending)
    }
    this.#wasSending = sends
  }

  #hear(frame: Uint8Array): void {
    if (this.#answeredTick === null) return
    const news = this.#watch?.hear(frame) ?? null
    if (news !== null) this.#obey(news)
    if (this.#watch?.isOver()) this.#stopWatching()
    // A machine's greeting is nothing to answer: what the agent says to it would become part of the message.
    this.#agent?.hear(this.#message === 'held' ? silentFrame : frame)
  }

  #obey({ verdict, order }: MachineNews): void {
    if (verdict !== null)
      this.#tell({ kind: 'machine-detected', verdict: verdict.verdict, afterMs: verdict.afterMs })
    if (order === null) return
    this.#voicemail = true
    if (order === 'hang-up') this.#tell({ kind: 'voicemail-done' })
    if (order === 'wait-for-beep' || order === 'speak') this.#bridge.queue.rewind()
    if (order === 'wait-for-beep') this.#message = 'held'
    if (order === 'speak') this.#message = 'leaving'
  }

  /** It is a person, or all is decided: what was said need not be kept for the beep any longer. */
  #stopWatching(): void {
    this.#watch = null
    this.#bridge.queue.forget()
  }

  #noteSpeech(isSpeech: boolean): void {
    if (isSpeech) this.#firstAudioTick ??= this.#ticks
    if (this.#message !== 'leaving') return
    this.#quietTicks = isSpeech ? 0 : this.#quietTicks + 1
    if (this.#quietTicks === messageOverTicks) this.#tell({ kind: 'voicemail-done' })
  }

  #noteSilence(): void {
    const received = this.#session.received()
    const isExpected = this.#remote?.direction === 'sendrecv' || this.#remote?.direction === 'recvonly'
    this.#silentTicks = received === this.#heardPackets && isExpected ? this.#silentTicks + 1 : 0
    this.#heardPackets = received
    if (this.#silentTicks * frameMs >= this.#request.rtpTimeoutMs) this.#tell({ kind: 'rtp-timeout' })
  }

  #sends(): boolean {
    return this.#remote?.direction === 'sendrecv' || this.#remote?.direction === 'sendonly'
  }

  /** Tells how the call is to end once; what else is told does not come after that. */
  #tell(event: LineEvent): void {
    if (this.#closing !== null || (this.#isFinal && event.kind !== 'do-not-call-again')) return
    this.#isFinal ||= finalEvents.has(event.kind)
    this.#onEvent(event)
  }

  /** An agent's error ends its own call: the thread carries hundreds of others. */
  #guard(act: () => void): void {
    try {
      act()
    } catch (error) {
      this.#tell({ kind: 'agent-failed', reason: sentenceOf(error) })
    }
  }

  async #release(): Promise<LineReport> {
    this.#unpace()
    try {
      this.#agent?.close()
    } catch {
      // It is over for this agent either way.
    }
    const [recordingBytes] = await Promise.all([this.#recording?.close() ?? null, this.#session.close()])
    return { ...this.#conversation, ...this.#packetFigures(), recordingBytes, voicemail: this.#voicemail }
  }

  #packetFigures() {
    const { sent, received, lost, jitterMs } = this.#session.figures()
    const firstAudioAfterMs =
      this.#firstAudioTick === null || this.#answeredTick === null
        ? null
        : (this.#firstAudioTick - this.#answeredTick - 1) * frameMs
    return { packetsSent: sent, packetsReceived: received, packetsLost: lost, jitterMs, firstAudioAfterMs }
  }
}

function lawOf(codec: AudioCodec): Law {
  return codec === 'PCMA' ? 'alaw' : 'ulaw'
}

function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

// An agent that speaks Twilio Media Streams: to it we are Twilio, so whatever bot was built for Twilio works unchanged.
import { renderVariables } from '../../domain/variables.ts'
import type { Clock, Timer } from '../../runtime/clock.ts'
import type { AgentSession, CallLeg } from '../agent.ts'
import { type AgentSocket, openAgentSocket } from '../agent-socket.ts'
import type { MediaStreamSettings } from './media-stream-settings.ts'
import { createStreamWriter, readAgentMessage, type StreamWriter } from './messages.ts'
import { signRequest } from './signature.ts'
import { askForStream } from './stream-webhook.ts'
import { callSidOf, defaultAccountSid, streamSidOf } from './twilio-ids.ts'
import type { StreamTarget } from './twiml.ts'

/** Marks that wait for their audio. openai-agents sends one with each delta: some thousands in ten minutes. */
const maxWaitingMarks = 20_000
/** Known events without their fields. */
const maxBrokenMessages = 10

/**
 * Opens the WebSocket while the telephone rings; the stream itself (`connected`, `start`) begins when the person has
 * answered, as Twilio does it: an agent that spoke at `start` would speak to nobody before.
 */
export async function connectMediaStream(
  leg: CallLeg,
  settings: MediaStreamSettings,
  clock: Clock,
): Promise<AgentSession> {
  const accountSid = settings.accountSid ?? defaultAccountSid
  const target = await findStream(leg, settings, accountSid, clock)
  const ids = { accountSid, callSid: callSidOf(leg.callId), streamSid: streamSidOf(leg.callId) }
  const call = new StreamedCall(leg, createStreamWriter(ids, settings.frameMs))
  const socket = await openAgentSocket(
    { url: target.url, headers: signedHeaders(target.url, settings), timeoutMs: settings.connectTimeoutMs },
    call,
    clock,
  )
  return call.begin(socket, {
    parameters: { ...asText(leg.variables), ...target.parameters },
    firstAudioTimeoutMs: settings.firstAudioTimeoutMs,
    clock,
  })
}

/** Where the agent's stream is: it is configured, or the agent's webhook says so. */
async function findStream(
  leg: CallLeg,
  settings: MediaStreamSettings,
  accountSid: string,
  clock: Clock,
): Promise<StreamTarget> {
  const { url, webhookUrl, authToken, connectTimeoutMs } = settings
  const entries = Object.entries(settings.parameters)
  const own = Object.fromEntries(
    entries.map(([name, text]) => [name, renderVariables(text, leg.variables).text]),
  )
  if (url !== null) return { url, parameters: own }
  const request = { url: webhookUrl!, accountSid, authToken, timeoutMs: connectTimeoutMs }
  const target = await askForStream(request, leg, clock)
  return { url: target.url, parameters: { ...own, ...target.parameters } }
}

function signedHeaders(url: string, { authToken, headers }: MediaStreamSettings): Record<string, string> {
  return authToken === null ? headers : { ...headers, 'X-Twilio-Signature': signRequest(authToken, url) }
}

/** Custom parameters are strings on the wire. */
function asText(variables: Readonly<Record<string, unknown>>): Record<string, string> {
  const text = (value: unknown) =>
    typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value ?? '')
  return Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, text(value)]))
}

interface Beginning {
  parameters: Record<string, string>
  firstAudioTimeoutMs: number | null
  clock: Clock
}

/**
 * One call over one stream. `waiting` (connected, not answered) → `streaming` → `over`; `over` is entered once, by
 * whoever ends first: the agent by closing or breaking, or the call.
 */
class StreamedCall implements AgentSession {
  readonly #leg: CallLeg
  readonly #writer: StreamWriter
  #state: 'waiting' | 'streaming' | 'over' = 'waiting'
  #socket: AgentSocket | null = null
  #beginning: Beginning | null = null
  #silence: Timer | null = null
  #hasSpoken = false
  #waitingMarks = 0
  #brokenMessages = 0

  constructor(leg: CallLeg, writer: StreamWriter) {
    this.#leg = leg
    this.#writer = writer
  }

  begin(socket: AgentSocket, beginning: Beginning): AgentSession {
    this.#socket = socket
    this.#beginning = beginning
    // The first messages may have come, and been the last, before the socket was handed over.
    if (this.#state === 'over') socket.close()
    return this
  }

  answered(): void {
    if (this.#state !== 'waiting' || this.#beginning === null) return
    this.#state = 'streaming'
    const { parameters, firstAudioTimeoutMs, clock } = this.#beginning
    for (const message of this.#writer.opening(parameters)) this.#socket?.send(message)
    if (firstAudioTimeoutMs === null || this.#hasSpoken) return
    this.#silence = clock.at(clock.now() + firstAudioTimeoutMs, () =>
      this.#fail(`The agent said nothing for ${firstAudioTimeoutMs} ms after the answer.`),
    )
  }

  hear(frame: Uint8Array): void {
    if (this.#state !== 'streaming') return
    const message = this.#writer.media(frame)
    if (message !== null) this.#socket?.send(message)
  }

  keyPressed(digit: string): void {
    if (this.#state === 'streaming') this.#socket?.send(this.#writer.dtmf(digit))
  }

  markPlayed(name: string): void {
    if (this.#waitingMarks > 0) this.#waitingMarks--
    if (this.#state === 'streaming') this.#socket?.send(this.#writer.mark(name))
  }

  close(): void {
    const wasStreaming = this.#state === 'streaming'
    if (!this.#end()) return
    if (wasStreaming) this.#socket?.send(this.#writer.stop())
    this.#socket?.close()
  }

  /** From the socket: the agent says something. */
  message(message: Record<string, unknown>): void {
    if (this.#state === 'over') return
    const said = readAgentMessage(message)
    if (said.kind === 'media') this.#play(said.audio)
    else if (said.kind === 'clear') this.#leg.clear()
    else if (said.kind === 'mark') this.#mark(said.name)
    else if (said.kind === 'broken' && ++this.#brokenMessages > maxBrokenMessages)
      this.#fail('The agent sends media and marks that cannot be read.')
  }

  /** From the socket: the agent hangs up. What it has said before is still heard: that was its goodbye. */
  closed(): void {
    if (this.#state === 'waiting') this.#fail('The agent closed the connection before the call was answered.')
    else if (this.#end()) this.#leg.hangUp('when-played')
  }

  /** From the socket. */
  broken(reason: string): void {
    this.#fail(reason)
  }

  #play(audio: Uint8Array): void {
    this.#hasSpoken = true
    this.#silence?.cancel()
    this.#leg.play(audio)
  }

  #mark(name: string): void {
    if (++this.#waitingMarks > maxWaitingMarks) this.#fail('The agent sends marks without end.')
    else this.#leg.mark(name)
  }

  #fail(reason: string): void {
    if (!this.#end()) return
    this.#leg.fail(reason)
    this.#socket?.close()
  }

  /** False: it was over already. */
  #end(): boolean {
    if (this.#state === 'over') return false
    this.#state = 'over'
    this.#silence?.cancel()
    return true
  }
}

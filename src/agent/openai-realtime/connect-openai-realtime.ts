// An agent that is a model behind OpenAI's Realtime API: audio both ways over one WebSocket, and tools that act on the call.
import { frameBytes, frameMs as lineFrameMs } from '../../media/g711.ts'
import type { Clock, Timer } from '../../runtime/clock.ts'
import type { AgentSession, CallLeg } from '../agent.ts'
import { type AgentSocket, openAgentSocket } from '../agent-socket.ts'
import type { OpenaiRealtimeSettings } from './openai-realtime-settings.ts'
import { readServerEvent, type ServerEvent } from './server-event.ts'
import { firstResponse, sessionUpdate } from './session-update.ts'
import { createSpokenItems } from './spoken-items.ts'
import { useTool } from './telephone-tools.ts'

const bytesPerMs = 8
/** Keys that follow each other within this are told to the agent together. */
const keyPauseMs = 1_000
/** Errors that end a session; others are answers to one message of ours and leave the call as it is. */
const fatalErrors: ReadonlySet<string> = new Set([
  'session_expired',
  'insufficient_quota',
  'rate_limit_exceeded',
  'server_error',
  'invalid_api_key',
  'model_not_found',
])
/** Named functions whose arguments have not come. */
const maxNamedFunctions = 100

/** Resolves when the service has taken our session: from then on it can speak at once. */
export async function connectOpenaiRealtime(
  leg: CallLeg,
  settings: OpenaiRealtimeSettings,
  clock: Clock,
): Promise<AgentSession> {
  const { baseUrl, model, apiKey, headers, connectTimeoutMs } = settings
  if (apiKey === null) throw new Error('The agent has no API key.')
  const url = `${baseUrl.replace(/\/+$/, '')}/realtime?model=${encodeURIComponent(model)}`
  const call = new RealtimeCall(leg, settings, clock)
  const startedAt = clock.now()
  const socket = await openAgentSocket(
    { url, headers: { ...headers, Authorization: `Bearer ${apiKey}` }, timeoutMs: connectTimeoutMs },
    call,
    clock,
  )
  return call.prepare(socket, Math.max(0, connectTimeoutMs - (clock.now() - startedAt)))
}

/**
 * One call. `preparing` (the session is asked for) → `waiting` (ready, not answered) → `talking` → `over`; `over` is
 * entered once, by whoever ends first.
 */
class RealtimeCall implements AgentSession {
  readonly #leg: CallLeg
  readonly #settings: OpenaiRealtimeSettings
  readonly #clock: Clock
  readonly #items = createSpokenItems()
  readonly #functionNames = new Map<string, string>()
  readonly #prepared = Promise.withResolvers<AgentSession>()
  readonly #gathered: Buffer
  #gatheredBytes = 0
  #state: 'preparing' | 'waiting' | 'talking' | 'over' = 'preparing'
  #socket: AgentSocket | null = null
  #timer: Timer | null = null
  #hasSpoken = false
  #isResponding = false
  /** The agent is to go on as soon as its present response has ended. */
  #owesResponse = false
  #isEnding = false
  #keys = ''
  #sinceKeyMs = 0

  constructor(leg: CallLeg, settings: OpenaiRealtimeSettings, clock: Clock) {
    this.#leg = leg
    this.#settings = settings
    this.#clock = clock
    this.#gathered = Buffer.alloc((settings.frameMs / lineFrameMs) * frameBytes)
    this.#prepared.promise.catch(() => {})
  }

  prepare(socket: AgentSocket, timeoutMs: number): Promise<AgentSession> {
    this.#socket = socket
    if (this.#state === 'over') socket.close()
    else {
      this.#after(timeoutMs, 'The agent did not take our session in time.')
      socket.send(sessionUpdate(this.#settings, this.#leg.variables))
    }
    return this.#prepared.promise
  }

  answered(): void {
    if (this.#state !== 'waiting') return
    this.#state = 'talking'
    if (!this.#settings.speaksFirst) return
    this.#isResponding = true
    this.#socket?.send(firstResponse(this.#settings, this.#leg.variables))
    const { firstAudioTimeoutMs } = this.#settings
    if (firstAudioTimeoutMs === null) return
    this.#after(firstAudioTimeoutMs, `The agent said nothing for ${firstAudioTimeoutMs} ms after the answer.`)
  }

  hear(frame: Uint8Array): void {
    if (this.#state !== 'talking') return
    this.#gathered.set(frame, this.#gatheredBytes)
    this.#gatheredBytes += frame.length
    if (this.#gatheredBytes >= this.#gathered.length) {
      this.#gatheredBytes = 0
      this.#socket?.send({ type: 'input_audio_buffer.append', audio: this.#gathered.toString('base64') })
    }
    this.#tellKeysAfterPause()
  }

  keyPressed(digit: string): void {
    if (this.#state !== 'talking') return
    this.#keys += digit
    this.#sinceKeyMs = 0
  }

  markPlayed(): void {}

  close(): void {
    if (this.#end()) this.#socket?.close()
  }

  /** From the socket. */
  message(message: Record<string, unknown>): void {
    if (this.#state !== 'over') this.#take(readServerEvent(message))
  }

  /** From the socket. Agents hang up by their tool: a connection that ends has broken off, however orderly. */
  closed(): void {
    this.#fail('The agent closed the connection.')
  }

  /** From the socket. */
  broken(reason: string): void {
    this.#fail(reason)
  }

  #take(event: ServerEvent): void {
    if (event.kind === 'session-ready') this.#becomeReady()
    else if (event.kind === 'audio') this.#play(event)
    else if (event.kind === 'speech-started') this.#interrupt()
    else if (event.kind === 'agent-words') this.#write('agent', event.text)
    else if (event.kind === 'human-words') this.#write('human', event.text)
    else if (event.kind === 'response-started') this.#isResponding = true
    else if (event.kind === 'response-ended') this.#endResponse(event.failed)
    else if (event.kind === 'function-named') this.#nameFunction(event)
    else if (event.kind === 'function-called') this.#callFunction(event)
    else if (event.kind === 'error') this.#hearError(event.code)
  }

  #becomeReady(): void {
    if (this.#state !== 'preparing') return
    this.#state = 'waiting'
    this.#timer?.cancel()
    this.#prepared.resolve(this)
  }

  #play({ itemId, contentIndex, audio }: Extract<ServerEvent, { kind: 'audio' }>): void {
    if (this.#items.isUnwanted(itemId)) return
    if (!this.#hasSpoken) this.#timer?.cancel()
    this.#hasSpoken = true
    this.#items.queued(itemId, contentIndex, audio.length / bytesPerMs, this.#leg.playedMs())
    this.#leg.play(audio)
  }

  /** Barge-in: the service must know which of its words were heard, or it takes all of them as said. */
  #interrupt(): void {
    const truncations = this.#items.interrupt(this.#leg.playedMs())
    if (truncations.length === 0) return
    this.#leg.clear()
    for (const { itemId, contentIndex, heardMs } of truncations) {
      this.#socket?.send({
        type: 'conversation.item.truncate',
        item_id: itemId,
        content_index: contentIndex,
        audio_end_ms: heardMs,
      })
    }
  }

  #write(role: 'agent' | 'human', text: string): void {
    const message = text.trim()
    if (message !== '') this.#leg.addTranscript({ role, message, at: this.#leg.now() })
  }

  #nameFunction({ itemId, name }: Extract<ServerEvent, { kind: 'function-named' }>): void {
    if (this.#functionNames.size < maxNamedFunctions) this.#functionNames.set(itemId, name)
  }

  #callFunction({
    itemId,
    callId,
    name,
    argumentsJson,
  }: Extract<ServerEvent, { kind: 'function-called' }>): void {
    const known = name ?? this.#functionNames.get(itemId) ?? ''
    this.#functionNames.delete(itemId)
    const { output, endsCall } = useTool(known, argumentsJson, this.#leg)
    this.#socket?.send({
      type: 'conversation.item.create',
      item: { type: 'function_call_output', call_id: callId, output },
    })
    if (endsCall) this.#isEnding = true
    else this.#respond()
    if (!this.#isResponding) this.#endResponse(null)
  }

  /** A second response while one runs is refused by the service. */
  #respond(): void {
    if (this.#isResponding) this.#owesResponse = true
    else {
      this.#owesResponse = false
      this.#isResponding = true
      this.#socket?.send({ type: 'response.create' })
    }
  }

  #endResponse(failed: string | null): void {
    this.#isResponding = false
    if (failed !== null) this.#fail(`The agent could not answer: ${failed}.`)
    // The goodbye may come after the tool's call: all of it is queued now.
    else if (this.#isEnding) this.#hangUp()
    else if (this.#owesResponse) this.#respond()
  }

  #hearError(code: string): void {
    if (this.#state === 'preparing' || fatalErrors.has(code))
      this.#fail(`The agent reports an error: ${code}.`)
  }

  #tellKeysAfterPause(): void {
    if (this.#keys === '') return
    this.#sinceKeyMs += lineFrameMs
    if (this.#sinceKeyMs < keyPauseMs) return
    const text = `The person pressed these keys of the telephone: ${this.#keys}`
    this.#keys = ''
    this.#write('human', text)
    this.#socket?.send({
      type: 'conversation.item.create',
      item: { type: 'message', role: 'user', content: [{ type: 'input_text', text }] },
    })
    this.#respond()
  }

  #hangUp(): void {
    if (!this.#end()) return
    this.#leg.hangUp('when-played')
    this.#socket?.close()
  }

  #fail(reason: string): void {
    const wasPreparing = this.#state === 'preparing'
    if (!this.#end()) return
    if (wasPreparing) this.#prepared.reject(new Error(reason))
    else this.#leg.fail(reason)
    this.#socket?.close()
  }

  #after(ms: number, reason: string): void {
    this.#timer = this.#clock.at(this.#clock.now() + ms, () => this.#fail(reason))
  }

  /** False: it was over already. */
  #end(): boolean {
    if (this.#state === 'over') return false
    this.#state = 'over'
    this.#timer?.cancel()
    return true
  }
}

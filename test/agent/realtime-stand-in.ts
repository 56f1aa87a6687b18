// A stand-in for OpenAI's Realtime service, written from its published schema (GA names), not the service itself: what is
// sent to it is checked against that schema, and the test decides what it says.
import { z } from 'zod'
import { type Message, openSocketServer, type Peer } from './socket-server.ts'

const audioFormat = z.strictObject({ type: z.literal('audio/pcmu') })

/** Client events, as far as agents on the telephone send them. */
const clientEvents = z.discriminatedUnion('type', [
  z.looseObject({
    type: z.literal('session.update'),
    session: z.looseObject({
      type: z.literal('realtime'),
      instructions: z.string().optional(),
      output_modalities: z.array(z.enum(['audio', 'text'])).optional(),
      audio: z.looseObject({
        input: z.looseObject({ format: audioFormat }),
        output: z.looseObject({ format: audioFormat, voice: z.string().optional() }),
      }),
      tools: z
        .array(
          z.looseObject({
            type: z.literal('function'),
            name: z.string(),
            parameters: z.record(z.string(), z.unknown()),
          }),
        )
        .optional(),
    }),
  }),
  z.looseObject({ type: z.literal('input_audio_buffer.append'), audio: z.base64() }),
  z.looseObject({ type: z.literal('response.create'), response: z.looseObject({}).optional() }),
  z.looseObject({ type: z.literal('response.cancel') }),
  z.looseObject({
    type: z.literal('conversation.item.create'),
    item: z.discriminatedUnion('type', [
      z.looseObject({ type: z.literal('function_call_output'), call_id: z.string(), output: z.string() }),
      z.looseObject({
        type: z.literal('message'),
        role: z.enum(['user', 'system', 'assistant']),
        content: z.array(z.looseObject({ type: z.string() })),
      }),
    ]),
  }),
  z.looseObject({
    type: z.literal('conversation.item.truncate'),
    item_id: z.string(),
    content_index: z.int().nonnegative(),
    audio_end_ms: z.int().nonnegative(),
  }),
])

export interface StandInOptions {
  /** What is said to each `response.create`, µ-law; absent: nothing until the test says so. */
  words?: Uint8Array
  /** Keeps silent instead of taking the session. */
  ignoresSession?: boolean
}

/** One session, from the service's side. */
export interface RealtimeSession {
  readonly peer: Peer
  /** What was wrong with what was sent, in the words of the schema. */
  readonly faults: string[]
  /** Begins a response; refused by the real service, and a fault here, while another one runs. */
  beginResponse(): string
  /** Audio of an item, in one delta. */
  say(responseId: string, itemId: string, audio: Uint8Array): void
  endResponse(responseId: string, status?: 'completed' | 'cancelled' | 'failed', code?: string): void
  callFunction(responseId: string, name: string, args: object): void
  /** The person begins to speak: what runs is cancelled, as the service does it. */
  startSpeech(): void
  event(type: string, body?: object): void
}

export interface RealtimeStandIn {
  readonly url: string
  session(n?: number): Promise<RealtimeSession>
  readonly sessions: RealtimeSession[]
  close(): Promise<void>
}

export async function openRealtimeStandIn(options: StandInOptions = {}): Promise<RealtimeStandIn> {
  const sessions: RealtimeSession[] = []
  const server = await openSocketServer(peer => {
    sessions.push(openSession(peer, options))
  })
  return {
    url: `${server.url}/v1`,
    sessions,
    async session(n = 0) {
      await server.peer(n)
      return sessions[n]!
    },
    close: server.close,
  }
}

function openSession(peer: Peer, { words, ignoresSession = false }: StandInOptions): RealtimeSession {
  const faults: string[] = []
  let ids = 0
  let running: string | null = null
  const event = (type: string, body: object = {}) => {
    if (peer.socket.readyState === peer.socket.OPEN) peer.send({ event_id: `event_${++ids}`, type, ...body })
  }
  const session: RealtimeSession = {
    peer,
    faults,
    event,
    beginResponse() {
      if (running !== null) faults.push('conversation_already_has_active_response')
      running = `resp_${++ids}`
      event('response.created', {
        response: { id: running, object: 'realtime.response', status: 'in_progress' },
      })
      return running
    },
    say(responseId, itemId, audio) {
      const place = { response_id: responseId, item_id: itemId, output_index: 0, content_index: 0 }
      event('response.output_item.added', {
        response_id: responseId,
        output_index: 0,
        item: { id: itemId, type: 'message', role: 'assistant', status: 'in_progress', content: [] },
      })
      event('response.output_audio.delta', { ...place, delta: Buffer.from(audio).toString('base64') })
    },
    endResponse(responseId, status = 'completed', code) {
      running = null
      const details =
        code === undefined ? {} : { status_details: { type: status, error: { type: 'error', code } } }
      event('response.done', {
        response: { id: responseId, object: 'realtime.response', status, output: [], ...details },
      })
    },
    callFunction(responseId, name, args) {
      const item = { id: `item_${++ids}`, type: 'function_call', name, call_id: `call_${++ids}` }
      event('response.output_item.added', { response_id: responseId, output_index: 1, item })
      event('response.function_call_arguments.done', {
        response_id: responseId,
        item_id: item.id,
        output_index: 1,
        call_id: item.call_id,
        name,
        arguments: JSON.stringify(args),
      })
    },
    startSpeech() {
      event('input_audio_buffer.speech_started', { audio_start_ms: 0, item_id: `item_${++ids}` })
      if (running !== null) session.endResponse(running, 'cancelled')
    },
  }
  const answer = (message: Message) => {
    const read = clientEvents.safeParse(message)
    if (!read.success) {
      faults.push(`${message.type}: ${z.prettifyError(read.error)}`)
      event('error', {
        error: { type: 'invalid_request_error', code: 'invalid_value', message: 'see faults' },
      })
    } else if (message.type === 'session.update') {
      if (!ignoresSession) event('session.updated', { session: message.session as object })
    } else if (message.type === 'response.create') {
      const response = session.beginResponse()
      if (words === undefined) return
      session.say(response, `item_${++ids}`, words)
      session.endResponse(response)
    }
  }
  peer.socket.on('message', data => answer(JSON.parse(data.toString()) as Message))
  event('session.created', { session: { type: 'realtime', object: 'realtime.session', id: 'sess_1' } })
  return session
}

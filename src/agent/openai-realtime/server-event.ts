// What the service says, as far as a telephone call needs it. GA names and the beta's are read alike.
import { decodeAudio } from '../media-stream/messages.ts'

export type ServerEvent =
  | { kind: 'session-ready' }
  | { kind: 'audio'; itemId: string; contentIndex: number; audio: Uint8Array }
  | { kind: 'agent-words'; text: string }
  | { kind: 'human-words'; text: string }
  | { kind: 'speech-started' }
  | { kind: 'response-started' }
  /** `failed`: why the service could not answer; null: it did. */
  | { kind: 'response-ended'; failed: string | null }
  /** A function's name may come before its arguments, with the item alone. */
  | { kind: 'function-named'; itemId: string; name: string }
  | { kind: 'function-called'; itemId: string; callId: string; name: string | null; argumentsJson: string }
  | { kind: 'error'; code: string }
  | { kind: 'other' }

type Message = Readonly<Record<string, unknown>>

/** Codes are short words of the service's; texts may hold what was said and are never passed on. */
const codePattern = /^[a-z0-9_.-]{1,60}$/i

const readers: Readonly<Record<string, (message: Message) => ServerEvent>> = {
  'session.updated': () => ({ kind: 'session-ready' }),
  'response.output_audio.delta': readAudio,
  'response.audio.delta': readAudio,
  'response.output_audio_transcript.done': message => ({
    kind: 'agent-words',
    text: text(message.transcript),
  }),
  'response.audio_transcript.done': message => ({ kind: 'agent-words', text: text(message.transcript) }),
  'conversation.item.input_audio_transcription.completed': message => ({
    kind: 'human-words',
    text: text(message.transcript),
  }),
  'input_audio_buffer.speech_started': () => ({ kind: 'speech-started' }),
  'response.created': () => ({ kind: 'response-started' }),
  'response.done': message => ({ kind: 'response-ended', failed: failureOf(message.response) }),
  'response.output_item.added': readItem,
  'response.function_call_arguments.done': readFunctionCall,
  error: ({ error }) => ({ kind: 'error', code: codeOf(error) }),
}

export function readServerEvent(message: Message): ServerEvent {
  const type = text(message.type)
  return Object.hasOwn(readers, type) ? readers[type]!(message) : { kind: 'other' }
}

function readAudio(message: Message): ServerEvent {
  const audio = decodeAudio(text(message.delta))
  if (audio === null) return { kind: 'other' }
  const contentIndex = typeof message.content_index === 'number' ? message.content_index : 0
  return { kind: 'audio', itemId: text(message.item_id), contentIndex, audio }
}

function readItem({ item }: Message): ServerEvent {
  const fields = record(item)
  if (fields.type !== 'function_call') return { kind: 'other' }
  return { kind: 'function-named', itemId: text(fields.id), name: text(fields.name) }
}

function readFunctionCall(message: Message): ServerEvent {
  return {
    kind: 'function-called',
    itemId: text(message.item_id),
    callId: text(message.call_id),
    name: typeof message.name === 'string' ? message.name : null,
    argumentsJson: text(message.arguments),
  }
}

function failureOf(response: unknown): string | null {
  const { status, status_details: details } = record(response)
  return status === 'failed' ? codeOf(record(details).error) : null
}

function codeOf(error: unknown): string {
  const { code, type } = record(error)
  return (
    [code, type].find((word): word is string => typeof word === 'string' && codePattern.test(word)) ??
    'unknown'
  )
}

function record(value: unknown): Message {
  return typeof value === 'object' && value !== null ? (value as Message) : {}
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

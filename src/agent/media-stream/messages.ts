// Media Streams on the wire: what we send (as Twilio would) and what agents send. Numbers travel as strings.
import { frameBytes, frameMs } from '../../media/g711.ts'

export interface StreamIds {
  accountSid: string
  callSid: string
  streamSid: string
}

/** Makes the messages of one stream, in order: each is numbered, audio is stamped with its place in the stream. */
export interface StreamWriter {
  /** The first two messages. */
  opening(customParameters: Record<string, string>): object[]
  /** Takes one 20 ms frame; the message when enough frames are gathered, else null. */
  media(frame: Uint8Array): object | null
  dtmf(digit: string): object
  mark(name: string): object
  stop(): object
}

/** @param messageMs audio in one message, a multiple of 20; Twilio sends 20 */
export function createStreamWriter(ids: StreamIds, messageMs: number): StreamWriter {
  const { accountSid, callSid, streamSid } = ids
  const gathered = Buffer.alloc((messageMs / frameMs) * frameBytes)
  let filledBytes = 0
  let sequence = 0
  let chunk = 0
  const numbered = (event: string, body: object) => ({
    event,
    sequenceNumber: String(++sequence),
    ...body,
    streamSid,
  })
  return {
    opening: customParameters => [
      { event: 'connected', protocol: 'Call', version: '1.0.0' },
      numbered('start', {
        start: {
          accountSid,
          streamSid,
          callSid,
          tracks: ['inbound'],
          customParameters,
          mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 1 },
        },
      }),
    ],
    media(frame) {
      gathered.set(frame, filledBytes)
      filledBytes += frame.length
      if (filledBytes < gathered.length) return null
      filledBytes = 0
      // The stamp is counted from the audio, so it can never drift from it.
      const timestamp = String(chunk * messageMs)
      const payload = gathered.toString('base64')
      return numbered('media', { media: { track: 'inbound', chunk: String(++chunk), timestamp, payload } })
    },
    dtmf: digit => numbered('dtmf', { dtmf: { track: 'inbound_track', digit } }),
    mark: name => numbered('mark', { mark: { name } }),
    stop: () => numbered('stop', { stop: { accountSid, callSid } }),
  }
}

export type AgentMessage =
  | { kind: 'media'; audio: Uint8Array }
  | { kind: 'mark'; name: string }
  | { kind: 'clear' }
  /** An event that we do not know: agents may be newer than we are. */
  | { kind: 'other' }
  /** An event that we know, without what belongs into it. */
  | { kind: 'broken' }

/** Twilio's own limit is not published; names are echoed, so they have an end. */
const maxMarkNameChars = 1000

export function readAgentMessage({ event, media, mark }: Record<string, unknown>): AgentMessage {
  if (event === 'clear') return { kind: 'clear' }
  if (event === 'mark') {
    const name = fieldOf(mark, 'name')
    return typeof name === 'string' && name.length <= maxMarkNameChars
      ? { kind: 'mark', name }
      : { kind: 'broken' }
  }
  if (event !== 'media') return { kind: 'other' }
  const payload = fieldOf(media, 'payload')
  const audio = typeof payload === 'string' ? decodeAudio(payload) : null
  return audio === null ? { kind: 'broken' } : { kind: 'media', audio }
}

/** Base64 to bytes; null: it is none. `Buffer` skips what it does not know, so the length tells (8 times faster than `fromBase64`). */
export function decodeAudio(base64: string): Uint8Array | null {
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0
  const audio = Buffer.from(base64, 'base64')
  return audio.length === Math.floor(((base64.length - padding) * 3) / 4) ? audio : null
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
}

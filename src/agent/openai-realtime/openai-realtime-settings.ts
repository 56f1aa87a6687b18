// What an openai-realtime agent's connection may say.
import { z } from 'zod'
import { connectTimeoutMs, firstAudioTimeoutMs, frameMs, headers, socketUrl } from '../settings-fields.ts'

const maxTextChars = 100_000

const optionalText = z
  .string('must be a text')
  .max(maxTextChars, `must have at most ${maxTextChars} characters`)
  .nullable()
  .default(null)
const shortText = z
  .string('must be a text')
  .min(1, 'must not be empty')
  .max(200, 'must have at most 200 characters')

export const openaiRealtimeSettings = z.strictObject({
  kind: z.literal('openai-realtime'),
  /** Where the service is; `/realtime?model=` is added. Other services that speak the same protocol have their own. */
  baseUrl: socketUrl.default('wss://api.openai.com/v1'),
  /** Secret; null: the server's own. */
  apiKey: z.string('must be a text').min(1, 'must not be empty').max(500).nullable().default(null),
  /** Further headers of the handshake. Secret. */
  headers,
  model: shortText.default('gpt-realtime'),
  voice: shortText.default('marin'),
  /** May hold `{{variables}}`; null: the agent's prompt. */
  instructions: optionalText,
  /** Said first, word for word; may hold `{{variables}}`; null: the agent's first message. */
  firstMessage: optionalText,
  /** Whether the agent speaks first; without a first message it chooses its words. */
  speaksFirst: z.boolean('must be true or false').default(true),
  /** Writes down what the person says; null: only the agent's words are in the transcript. */
  transcriptionModel: shortText.nullable().default('gpt-4o-mini-transcribe'),
  /** How the service notices that somebody speaks, as its documentation describes it. */
  turnDetection: z.record(z.string(), z.json()).default({ type: 'server_vad' }),
  frameMs,
  connectTimeoutMs,
  firstAudioTimeoutMs,
})

export type OpenaiRealtimeSettings = z.output<typeof openaiRealtimeSettings>

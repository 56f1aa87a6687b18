// What a media-stream agent's connection may say.
import { z } from 'zod'
import {
  connectTimeoutMs,
  firstAudioTimeoutMs,
  frameMs,
  headers,
  httpUrl,
  socketUrl,
} from '../settings-fields.ts'

const maxParameters = 100
const maxParameterChars = 10_000

/** Twilio's own form of an account's id, for agents that compare it. */
const accountSid = z
  .string()
  .regex(/^AC[0-9a-fA-F]{32}$/, 'must be AC and 32 hex digits, like an account SID of Twilio')

export const mediaStreamSettings = z
  .strictObject({
    kind: z.literal('media-stream'),
    /** The agent's WebSocket. */
    url: socketUrl.nullable().default(null),
    /** Or where to ask for it: answers a POST with TwiML. */
    webhookUrl: httpUrl.nullable().default(null),
    accountSid: accountSid.nullable().default(null),
    /** Signs handshake and webhook; the password for the hang-up route. Secret. */
    authToken: z.string().min(1, 'must not be empty').max(500).nullable().default(null),
    /** Added to the row's variables in `customParameters`; texts may hold `{{variables}}`. */
    parameters: z
      .record(z.string().min(1).max(200), z.string().max(maxParameterChars))
      .refine(
        fields => Object.keys(fields).length <= maxParameters,
        `may hold at most ${maxParameters} names`,
      )
      .default({}),
    /** Further headers of the handshake, e.g. `Authorization`. Secret. */
    headers,
    frameMs,
    connectTimeoutMs,
    firstAudioTimeoutMs,
  })
  .refine(settings => (settings.url === null) !== (settings.webhookUrl === null), {
    path: ['url'],
    error: 'or webhookUrl must be given, and not both',
  })

export type MediaStreamSettings = z.output<typeof mediaStreamSettings>

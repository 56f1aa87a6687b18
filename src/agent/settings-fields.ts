// Fields that the settings of several kinds of agents share, with the sentences that say what is wrong with them.
import { z } from 'zod'

/** What is wrong, in the field's own words; a record's wrong key hides them one level down. */
export function complaintOf(issue: z.core.$ZodIssue): string {
  return issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message
}

const maxUrlChars = 2000
const maxHeaders = 20
const maxTimeoutMs = 60_000
const maxFrameMs = 200

export const socketUrl = url(/^wss?:\/\//, 'must be a ws:// or wss:// URL without #')
export const httpUrl = url(/^https?:\/\//, 'must be an http:// or https:// URL without #')

function url(scheme: RegExp, sentence: string) {
  return z
    .string(sentence)
    .max(maxUrlChars, `must have at most ${maxUrlChars} characters`)
    .refine(text => scheme.test(text) && URL.parse(text)?.hash === '', sentence)
}

/** RFC 9110 §5.1 names; values without line breaks. */
export const headers = z
  .record(
    z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/, 'is no name of a header'),
    z.string().regex(/^[\t\x20-\x7e]{0,4000}$/, 'is no value of a header'),
  )
  .refine(fields => Object.keys(fields).length <= maxHeaders, `may hold at most ${maxHeaders} headers`)
  .default({})

/** Audio in one message to the agent: 20 as Twilio sends, more costs less CPU and adds as much delay. */
export const frameMs = z
  .int('must be a whole number')
  .min(20, 'must be at least 20')
  .max(maxFrameMs, `must be at most ${maxFrameMs}`)
  .multipleOf(20, 'must be a multiple of 20')
  .default(20)

export const connectTimeoutMs = z
  .int('must be a whole number')
  .min(100, 'must be at least 100')
  .max(maxTimeoutMs, `must be at most ${maxTimeoutMs}`)
  .default(10_000)

/** After the answer; null: the agent may stay silent for ever. */
export const firstAudioTimeoutMs = z
  .int('must be a whole number')
  .min(1_000, 'must be at least 1000')
  .max(maxTimeoutMs, `must be at most ${maxTimeoutMs}`)
  .nullable()
  .default(20_000)

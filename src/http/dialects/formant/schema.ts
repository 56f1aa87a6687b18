// What Formant's clients send: the fields of a create and the query of a list, with defaults and ranges.
import { z } from 'zod'
import type { RetryPolicy } from '../../../domain/retry.ts'
import { integerField, optionalField, textField, timeField, zoneField } from '../fields.ts'

const maxInteger = Number.MAX_SAFE_INTEGER
const minute = 60_000

export const phoneColumn = 'customer_phone'
/** CSV as documented, and what people upload when they are told CSV. */
export const maxFileBytes = 10 * 1024 * 1024
export const maxNameChars = 200

/** The form of `POST /v1/batch-call`; all but the first two are our extension. */
export const createForm = z.object({
  agent_id: integerField(1, maxInteger),
  name: textField(maxNameChars),
  scheduled_for: timeField,
  timezone: zoneField,
  record: optionalField(
    z.enum(['true', 'false'], { error: 'must be true or false' }).transform(text => text === 'true'),
  ).transform(record => record ?? false),
})

const maxParameters = 200
const maxParameterNameChars = 200
const maxParameterChars = 10_000
const maxKeyChars = 255

const parameterValue = z.union([z.string().max(maxParameterChars), z.number(), z.boolean(), z.null()], {
  error: `must be text of at most ${maxParameterChars} characters, a number, a boolean or null`,
})
const parameters = z
  .array(z.object({ name: textField(maxParameterNameChars), value: parameterValue }))
  .max(maxParameters)
  .refine(sent => new Set(sent.map(({ name }) => name)).size === sent.length, 'has a name twice')
  .transform(sent => Object.fromEntries(sent.map(({ name, value }) => [name, value])))
  .refine(
    ({ [phoneColumn]: phone }) =>
      (typeof phone === 'string' && phone.trim() !== '') || typeof phone === 'number',
    `must hold ${phoneColumn}, the number to call`,
  )

/** The body of `POST /v1/call`; `timezone` and `record` are our extension. */
export const callBody = z.object({
  agent_id: integerField(1, maxInteger),
  parameters,
  idempotency_key: optionalField(textField(maxKeyChars)),
  metadata: optionalField(z.record(z.string(), z.json(), { error: 'must be a JSON object' })),
  scheduled_for: timeField,
  timezone: zoneField,
  record: optionalField(z.boolean({ error: 'must be true or false' })).transform(record => record ?? false),
})

/** A single call is scheduled at most so far ahead, ms. */
export const maxCallAheadMs = 30 * 24 * 60 * minute

/** The query of `GET /v1/batch-calls` and `GET /v1/conversations`. */
export const listQuery = z.object({
  agent_id: integerField(1, maxInteger).optional(),
  limit: integerField(1, 100).default(20),
  offset: integerField(0, maxInteger).default(0),
})

/** A client cannot say: busy and unanswered people are rung three times at most, after 5 and 30 minutes. */
export const retryPolicy: RetryPolicy = {
  maxAttempts: 3,
  delaysMs: {
    busy: [5 * minute, 30 * minute],
    'no-answer': [5 * minute, 30 * minute],
    // Not the person's doing: our own process died while it rang.
    lost: [1 * minute],
  },
}

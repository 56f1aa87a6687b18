// What Formant's clients send: the fields of a create and the query of a list, with defaults and ranges.
import { z } from 'zod'
import type { RetryPolicy } from '../../../domain/retry.ts'
import { integerField, textField, timeField, zoneField } from '../fields.ts'

const maxInteger = Number.MAX_SAFE_INTEGER
const minute = 60_000

export const phoneColumn = 'customer_phone'
/** CSV as documented, and what people upload when they are told CSV. */
export const maxFileBytes = 10 * 1024 * 1024
export const maxNameChars = 200

/** The form of `POST /v1/batch-call`; `scheduled_for` and `timezone` are our extension. */
export const createForm = z.object({
  agent_id: integerField(1, maxInteger),
  name: textField(maxNameChars),
  scheduled_for: timeField,
  timezone: zoneField,
})

/** The query of `GET /v1/batch-calls`. */
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

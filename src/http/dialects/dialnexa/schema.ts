// What DialNexa's clients send: the fields of a create, queries and the pause/resume/cancel body.
import { z } from 'zod'
import type { BatchStatus } from '../../../domain/batch.ts'
import { Refusal } from '../../../domain/refusal.ts'
import { noRetries, type RetryPolicy } from '../../../domain/retry.ts'
import { integerField, optionalField, textField, timeField, zoneField } from '../fields.ts'

const minute = 60_000

export const phoneColumn = 'phone_number'
export const maxFileBytes = 10 * 1024 * 1024
const maxConcurrentCalls = 1_000
const maxRetries = 20
/** A week: a later retry is a new batch. */
const maxRetryIntervalMinutes = 7 * 24 * 60

const retryConfigError =
  'must be JSON such as {"max_retries":2,"retry_interval_minutes":60}: ' +
  `max_retries from 0 to ${maxRetries}, retry_interval_minutes from 0 to ${maxRetryIntervalMinutes}`

const retryConfigObject = z.object(
  {
    max_retries: z
      .int({ error: retryConfigError })
      .min(0, { error: retryConfigError })
      .max(maxRetries, {
        error: retryConfigError,
      })
      .default(2),
    retry_interval_minutes: z
      .number({ error: retryConfigError })
      .min(0, { error: retryConfigError })
      .max(maxRetryIntervalMinutes, { error: retryConfigError })
      .default(60),
  },
  { error: retryConfigError },
)

/** The form of `POST /v1/batch-calls`; `timezone` is our extension. */
export const createForm = z.object({
  agent_id: textField(200),
  from_phone_number: optionalField(
    z
      .string()
      .trim()
      .regex(/^\+[1-9]\d{5,14}$/, { error: 'must be in E.164 format, such as +912234567890' }),
  ),
  name: optionalField(textField(200)),
  scheduled_at: timeField,
  timezone: zoneField,
  max_concurrent_calls: optionalField(integerField(1, maxConcurrentCalls)).default(10),
  retry_config: optionalField(
    z
      .string({ error: retryConfigError })
      .transform((text, context) => parseJson(text) ?? rejected(context))
      .pipe(retryConfigObject),
  ),
})

/** Statuses that a client may ask for, and which of ours they stand for. `initiated` is only ever an acknowledgement. */
export const batchStatusFilter: Readonly<Record<string, readonly BatchStatus[]>> = {
  initiated: [],
  draft: ['draft'],
  active: ['scheduled'],
  running: ['running'],
  paused: ['paused'],
  completed: ['completed'],
  cancelled: ['cancelled', 'failed'],
}

const paging = {
  page: integerField(1, 1_000_000_000).default(1),
  limit: integerField(1, 100).default(20),
}

/** The query of `GET /v1/batch-calls`. */
export const listQuery = z.object({
  ...paging,
  status: z
    .enum(Object.keys(batchStatusFilter), {
      error: `must be one of: ${Object.keys(batchStatusFilter).join(', ')}`,
    })
    .optional(),
})

/** The query of `GET /v1/call-logs`. */
export const callLogQuery = z.object({
  ...paging,
  batch_id: z.string({ error: 'must be given once' }).optional(),
})

const statusActions = ['pause', 'resume', 'cancel'] as const
const statusBody = z.object({ action: z.enum(statusActions) })

/** The body of `PATCH /v1/batch-calls/{id}/status`. Refusal `invalid_action` in the vendor's own sentence. */
export function readStatusAction(body: unknown): (typeof statusActions)[number] {
  const read = statusBody.safeParse(body)
  if (read.success) return read.data.action
  const sentence = `Invalid action. Must be one of: ${statusActions.join(', ')}`
  throw new Refusal('invalid', 'invalid_action', sentence)
}

/** What `retry_config` asks for; nothing at all means one call each. `failed` calls are never tried again. */
export function retryPolicyOf(config: z.output<typeof retryConfigObject> | undefined): RetryPolicy {
  if (config === undefined) return noRetries
  const delayMs = Math.round(config.retry_interval_minutes * minute)
  return {
    maxAttempts: config.max_retries + 1,
    delaysMs: {
      busy: [delayMs],
      'no-answer': [delayMs],
      // Not the person's doing: our own process died while it rang.
      lost: [1 * minute],
    },
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function rejected(context: z.RefinementCtx): never {
  context.addIssue({ code: 'custom', message: retryConfigError })
  return z.NEVER
}

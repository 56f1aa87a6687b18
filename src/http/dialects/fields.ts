// Fields as they come in a form, a query or JSON: zod pieces that the dialects share, and the reading of a start.
import { z } from 'zod'
import { Refusal } from '../../domain/refusal.ts'
import { isIanaZone, resolveStart } from '../../domain/scheduled-start.ts'

/** A whole number, as digits (form, query) or as a JSON number. */
export function integerField(min: number, max: number) {
  const error =
    max === Number.MAX_SAFE_INTEGER
      ? `must be a whole number, ${min} or more`
      : `must be a whole number from ${min} to ${max}`
  const digits = z
    .string({ error })
    .trim()
    .regex(/^\d{1,15}$/, { error, abort: true })
    .transform(Number)
  return z.preprocess(
    value => (typeof value === 'string' ? (digits.safeParse(value).data ?? value) : value),
    z.int({ error, abort: true }).min(min, { error }).max(max, { error }),
  )
}

/** As `integerField` for JSON, where digits in quotes are a wrong type. */
export function jsonIntegerField(min: number, max: number) {
  const error = `must be a whole number from ${min} to ${max}`
  return z.int({ error, abort: true }).min(min, { error }).max(max, { error })
}

/** Text of 1 to `maxChars` characters after trimming. */
export function textField(maxChars: number) {
  const error = `must be text of 1 to ${maxChars} characters`
  return z.string({ error }).trim().min(1, { error }).max(maxChars, { error })
}

/** Nothing at all, JSON null and an empty form field mean the same: not given. */
export function optionalField<T extends z.ZodType>(schema: T) {
  return z.preprocess(value => (value === null || value === '' ? undefined : value), schema.optional())
}

export const timeField = optionalField(
  z.string({ error: 'must be an ISO 8601 date and time, such as 2030-02-28T09:00:00' }).trim(),
)
export const zoneField = optionalField(
  z.string({ error: 'must be an IANA time zone, such as America/New_York' }).trim(),
)

/**
 * When a batch starts, epoch ms; null: at once. A naive `text` is read in `timezone`. Refusals: `invalid_timezone`,
 * `invalid_scheduled_time`, `past_scheduled_time`.
 */
export function readStart(
  field: string,
  text: string | undefined,
  timezone: string,
  now: number,
): number | null {
  if (!isIanaZone(timezone))
    throw new Refusal('invalid', 'invalid_timezone', `Invalid timezone '${timezone.slice(0, 100)}'`)
  if (text === undefined) return null
  const resolved = resolveStart(text, timezone)
  if (!('at' in resolved)) {
    const sentence = `\`${field}\`: must be an ISO 8601 date and time, such as 2030-02-28T09:00:00 or 2030-02-28T14:00:00Z`
    throw new Refusal('invalid', 'invalid_scheduled_time', sentence, { field })
  }
  if (resolved.at <= now)
    throw new Refusal('invalid', 'past_scheduled_time', 'Scheduled time must be in the future', { field })
  return resolved.at
}

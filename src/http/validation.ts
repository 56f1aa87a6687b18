// What clients send, read through zod schemas; what does not fit becomes one refusal that names the fields.
import { z } from 'zod'
import { Refusal } from '../domain/refusal.ts'

export interface FieldError {
  /** Dotted path, e.g. `retry.maxAttempts`; empty for the body as a whole. */
  field: string
  message: string
}

/** Reads `value` by `schema`. Refusal `invalid_request`, with `details.errors` listing every field that is wrong. */
export function readAs<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const read = schema.safeParse(value)
  if (read.success) return read.data
  throw fieldRefusal(
    read.error.issues.map(({ path, message }) => ({
      field: path.map(String).join('.'),
      message: plainMessage(message),
    })),
  )
}

/** Zod says "Invalid input: expected string, received undefined" of a field that is missing. */
export function plainMessage(message: string): string {
  if (/expected object, received (null|undefined)$/.test(message)) return 'must be a JSON object'
  if (message.endsWith('received undefined')) return 'is required'
  return message.replace(/^(Invalid input|Invalid option|Too small|Too big): /, 'is not valid: ')
}

/** The refusal for fields that are wrong; its sentence tells of the first. */
export function fieldRefusal(errors: FieldError[]): Refusal {
  const [first] = errors
  const where = first === undefined || first.field === '' ? 'The request' : `\`${first.field}\``
  return new Refusal('invalid', 'invalid_request', `${where}: ${first?.message ?? 'is not readable'}`, {
    errors,
  })
}

/** A whole number written in a query or a form. */
export function integerText(range: { min: number; max: number }) {
  return z
    .string()
    .trim()
    .regex(/^[+-]?\d{1,15}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(range.min).max(range.max))
}

/** The number in a path or cursor; null when it is none: to the client such a thing does not exist. */
export function readId(text: string): number | null {
  return /^[1-9]\d{0,14}$/.test(text) ? Number(text) : null
}

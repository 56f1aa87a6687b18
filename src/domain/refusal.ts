// A "no" to a client: a stable code, one sentence that says what to do, details. Dialects turn it into their own shape.

/** Which HTTP class a refusal belongs to; a dialect may print another status where its seed says so. */
export type RefusalKind =
  | 'invalid' // 400: the request or its file is wrong
  | 'unauthorized' // 401
  | 'forbidden' // 403
  | 'not-found' // 404
  | 'method-not-allowed' // 405
  | 'conflict' // 409: the thing stands where this cannot be done
  | 'too-large' // 413
  | 'unsupported-media-type' // 415
  | 'unprocessable' // 422: an idempotency key was used with another body
  | 'too-many' // 429: a limit is reached, later it may be done
  | 'unavailable' // 503: try again later
  | 'internal' // 500: a defect of ours; says nothing of its inside

export class Refusal extends Error {
  readonly kind: RefusalKind
  /** snake_case, stable: clients may compare it. */
  readonly code: string
  readonly details: Readonly<Record<string, unknown>>

  constructor(kind: RefusalKind, code: string, sentence: string, details: Record<string, unknown> = {}) {
    super(sentence)
    this.name = 'Refusal'
    this.kind = kind
    this.code = code
    this.details = details
  }
}

/** Why a row of a file was not taken: also the groups of DialNexa's strict 400. */
export const rowReasons = {
  missing_phone: 'phone number is missing',
  invalid_phone: 'invalid phone number',
  ambiguous_phone: 'two phone numbers in one cell',
  unsupported_country: 'unsupported destination country',
  unsupported_prefix: 'unsupported prefix',
  no_enabled_countries: 'no enabled countries configured',
  duplicate: 'the number stands in an earlier row',
  suppressed: 'the number is on the suppression list',
  invalid_timezone: 'unknown time zone',
  blank: 'the row is blank',
} as const

export type RowReason = keyof typeof rowReasons

// Refusals as problem details (RFC 9457): `type`, `title`, `status`, `detail`, our stable `code`, and the details beside.
import type { Refusal, RefusalKind } from '../../domain/refusal.ts'
import { type ErrorAnswer, statusOfRefusal } from '../dialect.ts'

const titles: Readonly<Record<RefusalKind, string>> = {
  invalid: 'Bad Request',
  unauthorized: 'Unauthorized',
  forbidden: 'Forbidden',
  'not-found': 'Not Found',
  'method-not-allowed': 'Method Not Allowed',
  conflict: 'Conflict',
  'too-large': 'Content Too Large',
  'unsupported-media-type': 'Unsupported Media Type',
  unprocessable: 'Unprocessable Content',
  'too-many': 'Too Many Requests',
  internal: 'Internal Server Error',
  unavailable: 'Service Unavailable',
}

/**
 * `about:blank` as type: the status says it, and `code` says it exactly (RFC 9457 §4.2.1). `status` is the HTTP status
 * there, so where a thing stands that could not be moved is `currentStatus`.
 */
export function presentProblem(refusal: Refusal): ErrorAnswer {
  const status = statusOfRefusal[refusal.kind]
  const { status: currentStatus, ...details } = refusal.details
  return {
    status,
    headers: { 'content-type': 'application/problem+json; charset=utf-8' },
    body: {
      ...details,
      ...(currentStatus === undefined ? {} : { currentStatus }),
      type: 'about:blank',
      title: titles[refusal.kind],
      status,
      detail: refusal.message,
      code: refusal.code,
    },
  }
}

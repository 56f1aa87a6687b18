// Whatever a request may die of, as a refusal: the dialects present refusals and nothing else.
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod'
import { Refusal } from '../domain/refusal.ts'
import { fieldRefusal, plainMessage } from './validation.ts'

/** Our refusals pass; Fastify's own errors get our words; all else is ours and tells the client nothing. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  if (hasZodFastifySchemaValidationErrors(error))
    return fieldRefusal(
      error.validation.map(({ instancePath, message }) => ({
        field: instancePath.slice(1).replaceAll('/', '.'),
        message: plainMessage(message ?? 'is not valid'),
      })),
    )
  return ofFramework(error) ?? internal()
}

function ofFramework(error: unknown): Refusal | null {
  if (typeof error !== 'object' || error === null || !('statusCode' in error)) return null
  const { statusCode } = error
  const code = 'code' in error ? error.code : undefined
  if (code === 'FST_ERR_CTP_INVALID_JSON_BODY' || error instanceof SyntaxError)
    return new Refusal('invalid', 'malformed_json', 'The body is not valid JSON.')
  if (statusCode === 413) return new Refusal('too-large', 'body_too_large', 'The body is too large.')
  if (statusCode === 415)
    return new Refusal(
      'unsupported-media-type',
      'unsupported_media_type',
      'This content type is not read here; send application/json or multipart/form-data.',
    )
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500)
    return new Refusal('invalid', 'malformed_request', 'The request could not be read.')
  return null
}

function internal(): Refusal {
  return new Refusal('internal', 'internal_error', 'Something went wrong on our side. Try again later.')
}

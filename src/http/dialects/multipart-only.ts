// A route that takes a multipart form and nothing else says so before it reads anything.
import type { FastifyRequest } from 'fastify'
import { Refusal } from '../../domain/refusal.ts'

/** Refusal `unsupported_media_type` for a body of another type; a request without a body has its form missed later. */
export function requireMultipart(request: FastifyRequest): void {
  if (request.isMultipart() || request.headers['content-type'] === undefined) return
  throw new Refusal(
    'unsupported-media-type',
    'unsupported_media_type',
    'Send the list as multipart/form-data.',
  )
}

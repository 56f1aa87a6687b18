// Who asks: the API key in the request, and the workspace behind it.
import type { FastifyRequest } from 'fastify'
import { findEntry } from '../batches/api-keys.ts'
import { Refusal } from '../domain/refusal.ts'
import type { ApiKey, Workspace } from '../domain/workspace.ts'
import type { HttpDeps } from './dialect.ts'

/**
 * Finds the key that the request carries, and its workspace, in `Authorization: Bearer KEY` (RFC 6750 §2.1; the scheme's case
 * does not matter, RFC 9110 §11.1) or, where the dialect takes it, in `x-api-key`. Refusal `missing_api_key` or
 * `invalid_api_key` (unauthorized).
 */
export async function authenticate(
  deps: HttpDeps,
  request: FastifyRequest,
  options: { acceptsApiKeyHeader: boolean },
): Promise<{ workspace: Workspace; apiKey: ApiKey }> {
  const key =
    bearerOf(request.headers.authorization) ??
    (options.acceptsApiKeyHeader ? headerOf(request.headers['x-api-key']) : null)
  if (key === null)
    throw new Refusal(
      'unauthorized',
      'missing_api_key',
      'No API key: send it as `Authorization: Bearer KEY`.',
    )
  const entry = await findEntry(deps, key)
  if (entry === null) throw new Refusal('unauthorized', 'invalid_api_key', 'The API key is not valid.')
  return entry
}

function bearerOf(header: string | undefined): string | null {
  const match = /^bearer +(\S+) *$/i.exec(header ?? '')
  return match?.[1] ?? null
}

function headerOf(header: string | string[] | undefined): string | null {
  return typeof header === 'string' && header !== '' ? header : null
}

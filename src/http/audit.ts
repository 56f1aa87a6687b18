// Who did what: each request that changes something is in the audit log before its client reads the answer.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { maskNumber } from '../runtime/logger.ts'
import type { HttpDeps } from './dialect.ts'

const reading = new Set(['GET', 'HEAD', 'OPTIONS'])

/** For all routes of the scope. What was refused, and an answer that was given before, changed nothing. */
export function keepAudit(scope: FastifyInstance, { store, clock, logger }: HttpDeps): void {
  scope.addHook('onSend', async (request, reply) => {
    const { workspace, apiKey, method, routeOptions } = request
    if (reading.has(method) || workspace === undefined || reply.statusCode >= 400) return
    if (reply.getHeader('idempotency-replayed') !== undefined) return
    const entry = {
      workspaceId: workspace.id,
      at: clock.now(),
      apiKeyId: apiKey.id,
      apiKeyPrefix: apiKey.prefix,
      action: `${method} ${routeOptions.url}`,
      subject: subjectOf(request),
    }
    // It is done, and the client must know that.
    await store.writeAudit(entry).catch(error => logger.error({ err: error, entry }, 'the audit log failed'))
  })
}

/** A number would outlive the erasure of its person. */
function subjectOf({ auditSubject, params }: FastifyRequest): string | null {
  if (auditSubject !== null) return auditSubject
  const parts = Object.entries((params ?? {}) as Record<string, string>).map(([name, value]) =>
    name === 'number' ? maskNumber(value) : value,
  )
  return parts.length === 0 ? null : parts.join('/')
}

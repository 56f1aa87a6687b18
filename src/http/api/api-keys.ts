// `/api-keys`: who may enter the workspace. A key is shown once, when it is made.
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { apiKeyNotFound, issueApiKey, revokeApiKey } from '../../batches/api-keys.ts'
import type { HttpDeps } from '../dialect.ts'
import { readId } from '../validation.ts'
import { presentApiKey } from './present.ts'
import { nameText } from './schema.ts'

const newApiKey = z.object({ name: nameText })

export function apiKeyRoutes(app: FastifyInstance, deps: HttpDeps): void {
  const api = app.withTypeProvider<ZodTypeProvider>()

  api.get('/api-keys', async ({ workspace }) => ({
    data: (await deps.store.listApiKeys(workspace.id)).map(presentApiKey),
    nextCursor: null,
  }))

  // No Idempotency-Key is read: a kept answer would keep the key.
  api.post('/api-keys', { schema: { body: newApiKey } }, async (request, reply) => {
    const { key, apiKey } = await issueApiKey(deps, {
      workspaceId: request.workspace.id,
      name: request.body.name,
    })
    request.auditSubject = String(apiKey.id)
    return reply.code(201).send({ ...presentApiKey({ ...apiKey, revokedAt: null }), key })
  })

  api.delete(
    '/api-keys/:id',
    { schema: { params: z.object({ id: z.string() }) } },
    async ({ workspace, params }, reply) => {
      const id = readId(params.id)
      if (id === null) throw apiKeyNotFound(params.id)
      await revokeApiKey(deps, workspace.id, id)
      return reply.code(204).send()
    },
  )
}

// `/webhook-endpoints`: who is told of what happens, in whose words, with which secret.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { WebhookEndpoint } from '../../store/webhook-records.ts'
import {
  createEndpoint,
  type EndpointChanges,
  endpointNotFound,
  findEndpoint,
  rotateSecret,
  testEndpoint,
  updateEndpoint,
} from '../../webhooks/control-endpoint.ts'
import type { HttpDeps } from '../dialect.ts'
import { answerOnce } from '../idempotency.ts'
import { readAs, readId } from '../validation.ts'
import { pageQuery, readCursor, toPage } from './paging.ts'
import { toIso } from './present.ts'
import { ref } from './schema.ts'

const maxText = 2_048
const maxEvents = 100

const url = z.string().trim().max(maxText)
const events = z.array(z.string().max(100)).min(1, 'must name one event at least, or be null').max(maxEvents)
const description = z.string().trim().max(maxText).nullable()
const secret = z.string().max(maxText).nullable().default(null)

const newEndpoint = z.object({
  url,
  format: z.string().default('outdial'),
  events: events.nullable().default(null),
  agentId: ref.nullable().default(null),
  batchId: z.int().positive().nullable().default(null),
  description: description.default(null),
  enabled: z.boolean().default(true),
  secret,
})

const endpointPatch = z.object({
  url: url.optional(),
  events: events.nullable().optional(),
  description: description.optional(),
  enabled: z.boolean().optional(),
})

const rotation = z.object({ secret })

export function webhookEndpointRoutes(app: FastifyInstance, deps: HttpDeps): void {
  const api = app.withTypeProvider<ZodTypeProvider>()
  api.post('/webhook-endpoints', { schema: { body: newEndpoint } }, async (request, reply) => {
    const { agentId: agentRef, ...fields } = request.body
    return answerOnce<WebhookEndpoint>(deps, request, reply, {
      content: [request.body],
      create: idempotency =>
        createEndpoint(deps, { workspaceId: request.workspace.id, agentRef, ...fields }, idempotency),
      answer: endpoint => ({ status: 201, body: presentWithSecret(endpoint) }),
    })
  })
  api.get('/webhook-endpoints', { schema: { querystring: pageQuery } }, async ({ workspace, query }) => {
    const page = { after: readCursor(query.cursor) ?? 0, limit: query.limit + 1 }
    const found = await deps.store.listWebhookEndpoints(workspace.id, page)
    return toPage(found, query.limit, ({ id }) => id, presentEndpoint)
  })
  api.get('/webhook-endpoints/:id', async request => presentEndpoint(await endpointOf(deps, request)))
  api.patch('/webhook-endpoints/:id', { schema: { body: endpointPatch } }, async request => {
    const sent = Object.entries(request.body).filter(([, value]) => value !== undefined)
    const changes: EndpointChanges = Object.fromEntries(sent)
    return presentEndpoint(await updateEndpoint(deps, await endpointOf(deps, request), changes))
  })
  api.delete('/webhook-endpoints/:id', async (request, reply) => {
    const { id } = await endpointOf(deps, request)
    await deps.store.deleteWebhookEndpoint(request.workspace.id, id)
    return reply.code(204).send()
  })
  actionRoutes(app, deps)
}

function actionRoutes(app: FastifyInstance, deps: HttpDeps): void {
  app.post('/webhook-endpoints/:id/rotate-secret', async request => {
    const sent = readAs(rotation, request.body ?? {})
    return presentWithSecret(await rotateSecret(deps, await endpointOf(deps, request), sent.secret))
  })
  app.post('/webhook-endpoints/:id/test', async request => {
    const { messageId, delivered, status, durationMs, error, response } = await testEndpoint(
      deps,
      await endpointOf(deps, request),
    )
    return { messageId, delivered, status, durationMs, error, response }
  })
}

/** The endpoint in the path. Refusal `webhook_endpoint_not_found`, also for what is no id. */
export async function endpointOf(deps: HttpDeps, request: FastifyRequest): Promise<WebhookEndpoint> {
  const { id } = request.params as { id: string }
  const endpointId = readId(id)
  if (endpointId === null) throw endpointNotFound(id)
  return findEndpoint(deps, request.workspace.id, endpointId)
}

/** Its secrets are never shown again. */
function presentEndpoint({ id, url, format, events, agentId, batchId, ...endpoint }: WebhookEndpoint) {
  return {
    id,
    url,
    format,
    events,
    agentId,
    batchId,
    description: endpoint.description,
    enabled: endpoint.enabled,
    disabledReason: endpoint.disabledReason,
    previousSecretUntil: toIso(endpoint.previousSecretUntil),
    position: endpoint.position,
    waiting: endpoint.waiting,
    failingSince: toIso(endpoint.failingSince),
    lastDeliveredAt: toIso(endpoint.lastDeliveredAt),
    createdAt: toIso(endpoint.createdAt),
    updatedAt: toIso(endpoint.updatedAt),
  }
}

function presentWithSecret(endpoint: WebhookEndpoint) {
  return { ...presentEndpoint(endpoint), secret: endpoint.secret }
}

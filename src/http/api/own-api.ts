// Our own API as a dialect like the others: camelCase, problem+json (RFC 9457), cursor pages; described at /api/openapi.json.
import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import { jsonSchemaTransform } from 'fastify-type-provider-zod'
import type { DialectPlugin, HttpDeps } from '../dialect.ts'
import { apiKeyRoutes } from './api-keys.ts'
import { attemptRoutes } from './attempts.ts'
import { auditRoutes } from './audit.ts'
import { backupRoutes } from './backups.ts'
import { batchControlRoutes } from './batch-control.ts'
import { batchReportRoutes } from './batch-reports.ts'
import { batchRoutes } from './batches.ts'
import { callRoutes } from './calls.ts'
import { erasureRoutes } from './erasures.ts'
import { eventRoutes } from './events.ts'
import { holdRoutes } from './hold.ts'
import { nodeRoutes } from './nodes.ts'
import { outdialWebhook } from './outdial-webhook.ts'
import { presentProblem } from './problem.ts'
import { resourceRoutes } from './resources.ts'
import { suppressionRoutes } from './suppressions.ts'
import { trunkRoutes } from './trunks.ts'
import { webhookDeliveryRoutes } from './webhook-deliveries.ts'
import { webhookEndpointRoutes } from './webhook-endpoints.ts'
import { workspaceRoutes } from './workspace.ts'

export const ownApi: DialectPlugin = {
  name: 'outdial',
  prefix: '/api',
  acceptsApiKeyHeader: true,
  routes,
  presentError: presentProblem,
  webhook: outdialWebhook,
}

async function routes(app: FastifyInstance, deps: HttpDeps): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Outdial', version: '1' },
      components: { securitySchemes: { apiKey: { type: 'http', scheme: 'bearer' } } },
      security: [{ apiKey: [] }],
    },
    transform: jsonSchemaTransform,
  })
  app.get('/openapi.json', { schema: { hide: true }, config: { anonymous: true } }, async () => app.swagger())
  app.register(
    async v1 => {
      const families = [
        workspaceRoutes,
        resourceRoutes,
        trunkRoutes,
        suppressionRoutes,
        batchRoutes,
        batchControlRoutes,
        batchReportRoutes,
        attemptRoutes,
        callRoutes,
        eventRoutes,
        webhookEndpointRoutes,
        webhookDeliveryRoutes,
        apiKeyRoutes,
        auditRoutes,
        erasureRoutes,
        backupRoutes,
        holdRoutes,
        nodeRoutes,
      ]
      for (const family of families) family(v1, deps)
    },
    { prefix: '/v1' },
  )
}

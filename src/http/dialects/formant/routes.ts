// Formant's routes: create a batch from a CSV file, list batches, read one and its metrics; single calls and conversations.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { createBatch } from '../../../batches/create-batch.ts'
import { listBatches } from '../../../batches/report-batch.ts'
import type { Batch } from '../../../domain/batch.ts'
import type { DialectPlugin, HttpDeps } from '../../dialect.ts'
import { answerOnce } from '../../idempotency.ts'
import { type Form, requireFile, withForm } from '../../upload.ts'
import { readAs } from '../../validation.ts'
import { readStart } from '../fields.ts'
import { findSentBatch } from '../find-batch.ts'
import { requireMultipart } from '../multipart-only.ts'
import { callRoutes } from './calls.ts'
import { conversationRoutes } from './conversations.ts'
import { formantList } from './list.ts'
import { pageByAgent } from './paging.ts'
import { presentBatchCall, presentCreated, presentError, presentMetrics } from './present.ts'
import { createForm, maxFileBytes, retryPolicy } from './schema.ts'
import { formantWebhook } from './webhook.ts'

export const formant: DialectPlugin = {
  name: 'formant',
  prefix: '/formant',
  acceptsApiKeyHeader: false,
  presentError,
  webhook: formantWebhook,
  routes(app, deps) {
    app.post('/v1/batch-call', async (request, reply) => {
      requireMultipart(request)
      return withForm(deps, request, { maxFileBytes }, form => createFromForm(deps, request, reply, form))
    })
    app.get('/v1/batch-calls', request => listBatchCalls(deps, request))
    registerReads(app, deps)
    callRoutes(app, deps)
    conversationRoutes(app, deps)
  },
}

interface BatchPath {
  Params: { batch_id: string }
}

function registerReads(app: FastifyInstance, deps: HttpDeps): void {
  app.get<BatchPath>('/v1/batch-calls/:batch_id', async request => {
    return { data: presentBatchCall(await findBatch(deps, request)) }
  })
  app.get<BatchPath>('/v1/batch-calls/:batch_id/metrics', async request => {
    const batch = await findBatch(deps, request)
    return { data: presentMetrics(batch.progress, batch.totalRecipients) }
  })
}

async function createFromForm(deps: HttpDeps, request: FastifyRequest, reply: FastifyReply, form: Form) {
  const fields = readAs(createForm, form.fields)
  const file = requireFile(form)
  return answerOnce<Batch>(deps, request, reply, {
    content: [fields, file.sha256],
    create: async idempotency => {
      const timezone = fields.timezone ?? 'UTC'
      const scheduledAt = readStart('scheduled_for', fields.scheduled_for, timezone, deps.clock.now())
      const { batch } = await createBatch(
        deps,
        {
          workspace: request.workspace,
          dialect: 'formant',
          agentRef: String(fields.agent_id),
          phoneNumberRef: null,
          name: fields.name,
          description: null,
          source: file,
          list: formantList(request.workspace, timezone, deps.config.maxRows),
          timezone,
          scheduledAt,
          startAs: 'running',
          open: false,
          maxConcurrentCalls: null,
          callsPerSecond: null,
          retry: retryPolicy,
          window: null,
          record: fields.record,
        },
        idempotency,
      )
      return batch
    },
    answer: batch => ({ status: 200, body: { data: presentCreated(batch) } }),
  })
}

async function listBatchCalls(deps: HttpDeps, request: FastifyRequest) {
  return pageByAgent(deps, request, async (workspaceId, filter, page) => {
    const { batches, total } = await listBatches(deps, workspaceId, filter, page)
    return { data: batches.map(presentBatchCall), total }
  })
}

function findBatch(deps: HttpDeps, request: FastifyRequest<BatchPath>): Promise<Batch> {
  return findSentBatch(deps, request.workspace.id, request.params.batch_id, { prefix: '', noun: 'Batch' })
}

// DialNexa's routes: create a batch from a list, list batches, read one, change its status, and the call logs.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { cancelBatch, pauseBatch, resumeBatch } from '../../../batches/control-batch.ts'
import { listBatches } from '../../../batches/report-batch.ts'
import type { Batch } from '../../../domain/batch.ts'
import type { DialectPlugin, HttpDeps } from '../../dialect.ts'
import { withForm } from '../../upload.ts'
import { readAs } from '../../validation.ts'
import { findSentBatch } from '../find-batch.ts'
import { requireMultipart } from '../multipart-only.ts'
import { createFromForm } from './create.ts'
import {
  batchPrefix,
  presentBatch,
  presentCallLog,
  presentError,
  presentPage,
  presentStatusChange,
} from './present.ts'
import { batchStatusFilter, callLogQuery, listQuery, maxFileBytes, readStatusAction } from './schema.ts'
import { dialnexaWebhook } from './webhook.ts'

export const dialnexa: DialectPlugin = {
  name: 'dialnexa',
  prefix: '/dialnexa',
  acceptsApiKeyHeader: false,
  presentError,
  webhook: dialnexaWebhook,
  routes(app, deps) {
    app.post('/v1/batch-calls', async (request, reply) => {
      requireMultipart(request)
      return withForm(deps, request, { maxFileBytes }, form => createFromForm(deps, request, reply, form))
    })
    app.get('/v1/batch-calls', request => listPage(deps, request))
    app.get('/v1/call-logs', request => listCallLogs(deps, request))
    registerBatch(app, deps)
  },
}

interface BatchPath {
  Params: { id: string }
}

function registerBatch(app: FastifyInstance, deps: HttpDeps): void {
  app.get<BatchPath>('/v1/batch-calls/:id', async request => {
    return presentBatch(await findBatch(deps, request.workspace.id, request.params.id))
  })
  app.patch<BatchPath>('/v1/batch-calls/:id/status', async request => {
    const action = readStatusAction(request.body)
    const { id } = await findBatch(deps, request.workspace.id, request.params.id)
    const { batch, dropped } = await changeStatus(deps, request.workspace.id, id, action)
    return presentStatusChange(batch, action, dropped)
  })
}

async function changeStatus(
  deps: HttpDeps,
  workspaceId: number,
  batchId: number,
  action: 'pause' | 'resume' | 'cancel',
): Promise<{ batch: Batch; dropped: number }> {
  if (action === 'cancel') return cancelBatch(deps, workspaceId, batchId)
  const change = action === 'pause' ? pauseBatch : resumeBatch
  return { batch: await change(deps, workspaceId, batchId), dropped: 0 }
}

async function listPage(deps: HttpDeps, request: FastifyRequest) {
  const { page, limit, status } = readAs(listQuery, request.query)
  const statuses = status === undefined ? undefined : batchStatusFilter[status]
  if (statuses?.length === 0) return presentPage([], page, limit, 0)
  const filter = statuses === undefined ? {} : { statuses: [...statuses] }
  const { batches, total } = await listBatches(deps, request.workspace.id, filter, {
    offset: (page - 1) * limit,
    limit,
  })
  return presentPage(batches.map(presentBatch), page, limit, total)
}

async function listCallLogs(deps: HttpDeps, request: FastifyRequest) {
  const { page, limit, batch_id: sentBatchId } = readAs(callLogQuery, request.query)
  const workspaceId = request.workspace.id
  const filter =
    sentBatchId === undefined ? {} : { batchId: (await findBatch(deps, workspaceId, sentBatchId)).id }
  const offset = (page - 1) * limit
  const total = await deps.store.countAttempts(workspaceId, filter)
  // A page behind the last one is not looked for: the store reads its way there from the first call.
  const attempts = offset < total ? await deps.store.listAttempts(workspaceId, filter, { offset, limit }) : []
  return presentPage(attempts.map(presentCallLog), page, limit, total)
}

function findBatch(deps: HttpDeps, workspaceId: number, sent: string): Promise<Batch> {
  return findSentBatch(deps, workspaceId, sent, { prefix: batchPrefix, noun: 'Batch' })
}

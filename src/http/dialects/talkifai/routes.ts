// TalkifAI's routes: create a job, list jobs, read one with its contacts, and what may be done to it.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { listBatches, listRecipients } from '../../../batches/report-batch.ts'
import type { Batch } from '../../../domain/batch.ts'
import { estimateBatch } from '../../../domain/estimate.ts'
import { countLive } from '../../../domain/progress.ts'
import { Refusal } from '../../../domain/refusal.ts'
import type { DialectPlugin, HttpDeps } from '../../dialect.ts'
import { withForm } from '../../upload.ts'
import { readAs } from '../../validation.ts'
import { parseWireId } from '../wire-id.ts'
import { registerActions } from './actions.ts'
import { createFromForm, createFromJson } from './create.ts'
import { findJob, type JobPath } from './find-job.ts'
import { organizationPrefix, presentJob, presentJobWithContacts } from './present.ts'
import { presentError } from './present-error.ts'
import { jobQuery, jobStatusFilter, listQuery, maxFileBytes, standingsOf } from './schema.ts'
import { talkifaiWebhook } from './webhook.ts'

export const talkifai: DialectPlugin = {
  name: 'talkifai',
  prefix: '/talkifai',
  acceptsApiKeyHeader: true,
  presentError,
  webhook: talkifaiWebhook,
  routes(app, deps) {
    app.post('/batch/create', (request, reply) => create(deps, request, reply))
    app.get('/batch/jobs', request => listJobs(deps, request))
    app.get<JobPath>('/batch/jobs/:id', request => readJob(deps, request))
    registerActions(app, deps)
  },
}

async function create(deps: HttpDeps, request: FastifyRequest, reply: FastifyReply) {
  if (request.isMultipart())
    return withForm(deps, request, { maxFileBytes }, form => createFromForm(deps, request, reply, form))
  const type = request.headers['content-type']
  if (type !== undefined && !/^application\/json\b/i.test(type))
    throw new Refusal(
      'unsupported-media-type',
      'unsupported_media_type',
      'Send a CSV file as multipart/form-data or contacts as application/json',
    )
  return createFromJson(deps, request, reply)
}

async function listJobs(deps: HttpDeps, request: FastifyRequest) {
  const { organizationId, status, page, pageSize } = readAs(listQuery, request.query)
  const workspaceId = request.workspace.id
  if (organizationId !== undefined && parseWireId(organizationId, organizationPrefix) !== workspaceId) {
    const sentence = `Organization ${organizationId} not found: this API key belongs to ${organizationPrefix}${workspaceId}`
    throw new Refusal('not-found', 'organization_not_found', sentence)
  }
  const statuses = status === undefined ? undefined : jobStatusFilter[status]
  const { batches, total } = await listBatches(
    deps,
    workspaceId,
    statuses === undefined ? {} : { statuses: [...statuses] },
    { offset: (page - 1) * pageSize, limit: pageSize },
  )
  const now = deps.clock.now()
  return {
    batchJobs: batches.map(batch => presentJob(batch, estimatedEnd(batch, now))),
    total,
    page,
    pageSize,
  }
}

async function readJob(deps: HttpDeps, request: FastifyRequest<JobPath>) {
  const { contactStatus, contactsPage: page, contactsPageSize: pageSize } = readAs(jobQuery, request.query)
  const batch = await findJob(deps, request)
  const standings = contactStatus === undefined ? undefined : standingsOf(contactStatus)
  const contacts = await listRecipients(
    deps,
    request.workspace.id,
    batch.id,
    standings === undefined ? {} : { standings },
    { offset: (page - 1) * pageSize, limit: pageSize },
  )
  const total =
    standings === undefined ? batch.totalRecipients : await deps.store.countRecipients(batch.id, standings)
  return presentJobWithContacts(batch, estimatedEnd(batch, deps.clock.now()), {
    contacts,
    total,
    page,
    pageSize,
  })
}

const msPerMinute = 60_000

/** Two minutes for each round of calls that is still to come, from now or from the start; null where nothing is due. */
function estimatedEnd(batch: Batch, now: number): number | null {
  if (batch.status !== 'running' && batch.status !== 'scheduled') return null
  const from = batch.status === 'scheduled' ? (batch.scheduledAt ?? now) : now
  const { minutes } = estimateBatch(countLive(batch.progress), batch.maxConcurrentCalls ?? 1, 'pipeline')
  return from + minutes * msPerMinute
}

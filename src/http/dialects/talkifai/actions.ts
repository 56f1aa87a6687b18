// What may be done to a job: cancel, start, reschedule, pause, resume, delete, export.
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import {
  cancelBatch,
  deleteBatch,
  pauseBatch,
  rescheduleBatch,
  resumeBatch,
  startBatch,
} from '../../../batches/control-batch.ts'
import { exportRecipients } from '../../../batches/export-recipients.ts'
import { standings } from '../../../domain/recipient.ts'
import { Refusal } from '../../../domain/refusal.ts'
import type { HttpDeps } from '../../dialect.ts'
import { readAs } from '../../validation.ts'
import { readStart } from '../fields.ts'
import { findJob, type JobPath } from './find-job.ts'
import {
  isFailed,
  isSuccessful,
  presentCancelled,
  presentDeleted,
  presentRescheduled,
  presentStarted,
  presentStatus,
} from './present.ts'
import { type ExportFilter, exportBody, rescheduleQuery } from './schema.ts'

type JobRequest = FastifyRequest<JobPath>

export function registerActions(app: FastifyInstance, deps: HttpDeps): void {
  app.post<JobPath>('/batch/jobs/:id/cancel', async request => {
    const before = await findJob(deps, request)
    const { batch, dropped } = await cancelBatch(deps, request.workspace.id, before.id)
    return presentCancelled(batch, dropped, before.status === 'scheduled')
  })
  app.post<JobPath>('/batch/jobs/:id/start', async request => {
    const before = await findJob(deps, request)
    const batch = await startBatch(deps, request.workspace.id, before.id)
    return presentStarted(batch, before.status === 'scheduled', deps.clock.now())
  })
  app.patch<JobPath>('/batch/jobs/:id/reschedule', request => reschedule(deps, request))
  app.post<JobPath>('/batch/:id/pause', async request => {
    const { id } = await findJob(deps, request)
    return presentStatus(await pauseBatch(deps, request.workspace.id, id), 'Batch job paused')
  })
  app.post<JobPath>('/batch/:id/resume', async request => {
    const { id } = await findJob(deps, request)
    return presentStatus(await resumeBatch(deps, request.workspace.id, id), 'Batch job resumed')
  })
  app.delete<JobPath>('/batch/:id', async request => {
    const { id } = await findJob(deps, request)
    await deleteBatch(deps, request.workspace.id, id)
    return presentDeleted(id)
  })
  app.post<JobPath>('/batch/jobs/:id/export', async (request, reply) => {
    const { filter } = readAs(exportBody, request.body)
    const { id } = await findJob(deps, request)
    const chunks = await exportRecipients(deps, request.workspace.id, id, exportFilters[filter])
    return reply
      .header('content-type', 'text/csv; charset=utf-8')
      .header('content-disposition', `attachment; filename="batch_${id}.csv"`)
      .send(Readable.from(chunks))
  })
}

const exportFilters: Readonly<Record<ExportFilter, Parameters<typeof exportRecipients>[3]>> = {
  all: {},
  successful: { standings: standings.filter(isSuccessful) },
  failed: { standings: standings.filter(isFailed) },
}

/** Both may stand in the query, as documented, or in a JSON body, as a program would write it. */
async function reschedule(deps: HttpDeps, request: JobRequest) {
  const body = typeof request.body === 'object' && request.body !== null ? request.body : {}
  const fields = readAs(rescheduleQuery, { ...body, ...(request.query as object) })
  const before = await findJob(deps, request)
  const { timezone } = fields
  const scheduledAt = readStart('scheduledStartTime', fields.scheduledStartTime, timezone, deps.clock.now())
  if (scheduledAt === null)
    throw new Refusal('invalid', 'invalid_request', '`scheduledStartTime`: is required')
  const batch = await rescheduleBatch(deps, request.workspace.id, before.id, { scheduledAt, timezone })
  return presentRescheduled(batch, before.status === 'scheduled')
}

// `/batches/{id}/recipients|attempts|report|rows|export`: what became of everybody.
import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { exportRecipients } from '../../batches/export-recipients.ts'
import { listAttempts, listIngestRows, listRecipients, reportBatch } from '../../batches/report-batch.ts'
import { type Standing, standings } from '../../domain/recipient.ts'
import type { HttpDeps } from '../dialect.ts'
import { fieldRefusal } from '../validation.ts'
import { batchIdOf } from './batches.ts'
import { pageQuery, readCursor, toPage } from './paging.ts'
import {
  presentCaller,
  presentHold,
  presentIngestRow,
  presentListedAttempt,
  presentRecipient,
} from './present.ts'

const millicentsPerCent = 1_000

const standingQuery = z.object({ standing: z.string().optional() })
const recipientQuery = pageQuery.extend(standingQuery.shape)
const rowQuery = pageQuery.extend({
  status: z.enum(['accepted', 'invalid', 'duplicate', 'suppressed']).optional(),
})

export function batchReportRoutes(app: FastifyInstance, deps: HttpDeps): void {
  reportRoutes(app, deps)
  listRoutes(app, deps)
}

function reportRoutes(app: FastifyInstance, deps: HttpDeps): void {
  const api = app.withTypeProvider<ZodTypeProvider>()
  api.get('/batches/:id/report', async request => {
    const batchId = batchIdOf(request)
    const { costMillicents, callers, hold, ...report } = await reportBatch(
      deps,
      request.workspace.id,
      batchId,
    )
    return {
      batchId,
      ...report,
      costCents: costMillicents / millicentsPerCent,
      ...presentHold(hold),
      callers: callers.map(presentCaller),
    }
  })
  api.get('/batches/:id/export', { schema: { querystring: standingQuery } }, async (request, reply) => {
    const batchId = batchIdOf(request)
    const filter = readStandings(request.query.standing)
    const chunks = await exportRecipients(deps, request.workspace.id, batchId, filter)
    return reply
      .header('content-type', 'text/csv; charset=utf-8')
      .header('content-disposition', `attachment; filename="batch-${batchId}.csv"`)
      .send(Readable.from(chunks))
  })
}

function listRoutes(app: FastifyInstance, deps: HttpDeps): void {
  const api = app.withTypeProvider<ZodTypeProvider>()
  api.get('/batches/:id/recipients', { schema: { querystring: recipientQuery } }, async request => {
    const { limit, cursor, standing } = request.query
    const page = { afterPosition: readCursor(cursor) ?? 0, limit: limit + 1 }
    const filter = readStandings(standing)
    const found = await listRecipients(deps, request.workspace.id, batchIdOf(request), filter, page)
    return toPage(found, limit, recipient => recipient.position, presentRecipient)
  })
  api.get('/batches/:id/attempts', { schema: { querystring: pageQuery } }, async request => {
    const { limit, cursor } = request.query
    const page = { afterId: readCursor(cursor) ?? 0, limit: limit + 1 }
    const found = await listAttempts(deps, request.workspace.id, batchIdOf(request), page)
    return toPage(found, limit, attempt => attempt.id, presentListedAttempt)
  })
  api.get('/batches/:id/rows', { schema: { querystring: rowQuery } }, async request => {
    const { limit, cursor, status } = request.query
    const filter = status === undefined ? {} : { status }
    const page = { afterRow: readCursor(cursor) ?? 0, limit: limit + 1 }
    const found = await listIngestRows(deps, request.workspace.id, batchIdOf(request), filter, page)
    return toPage(found, limit, row => row.rowNumber, presentIngestRow)
  })
}

function readStandings(text: string | undefined): { standings?: Standing[] } {
  if (text === undefined) return {}
  const sent = text.split(',')
  if (!sent.every(one => (standings as readonly string[]).includes(one)))
    throw fieldRefusal([{ field: 'standing', message: `must be one or more of ${standings.join(', ')}` }])
  return { standings: sent as Standing[] }
}

// `/backups`: a copy of the whole store is made, watched, fetched, and put away; recordings one by one. The operator's.
import { createReadStream } from 'node:fs'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { requireOperator } from '../../batches/accept-restore.ts'
import { Refusal } from '../../domain/refusal.ts'
import type { Backups } from '../../housekeeping/backups.ts'
import type { HttpDeps } from '../dialect.ts'
import { pageQuery, readCursor, toPage } from './paging.ts'
import { toIso } from './present.ts'

const byId = { schema: { params: z.object({ id: z.string() }) } }
const byFile = { schema: { params: z.object({ file: z.string() }) } }

export function backupRoutes(app: FastifyInstance, deps: HttpDeps): void {
  app.register(async scope => {
    scope.addHook('preHandler', ({ workspace }) => requireOperator(deps, workspace))
    const api = scope.withTypeProvider<ZodTypeProvider>()

    api.post('/backups', async (request, reply) => {
      const backup = await backupsOf(deps).start()
      request.auditSubject = backup.id
      return reply.code(202).send(present(backup))
    })

    api.get('/backups/:id', byId, async ({ params }) => present(await backupsOf(deps).find(params.id)))

    api.get('/backups/:id/file', byId, async ({ params }, reply) => {
      const { path, bytes } = await backupsOf(deps).open(params.id)
      return reply
        .header('content-type', 'application/vnd.sqlite3')
        .header('content-length', bytes)
        .send(createReadStream(path))
    })

    api.delete('/backups/:id', byId, async ({ params }, reply) => {
      await backupsOf(deps).remove(params.id)
      return reply.code(204).send()
    })

    api.get('/backups/recordings', { schema: { querystring: pageQuery } }, async ({ query }) => {
      const page = { after: readCursor(query.cursor) ?? 0, limit: query.limit + 1 }
      const recordings = await deps.store.listAllRecordings(page)
      return toPage(
        recordings,
        query.limit,
        ({ attemptId }) => attemptId,
        ({ file }) => ({ file }),
      )
    })

    api.get('/backups/recordings/:file', byFile, async ({ params }, reply) => {
      const { path, bytes } = await backupsOf(deps).openRecording(params.file)
      return reply
        .header('content-type', 'audio/wav')
        .header('content-length', bytes)
        .send(createReadStream(path))
    })
  })
}

function backupsOf({ backups }: HttpDeps): Backups {
  if (backups === undefined)
    throw new Refusal('unavailable', 'no_backups', 'This server makes no backups of its own.')
  return backups
}

function present({ startedAt, ...backup }: Awaited<ReturnType<Backups['find']>>) {
  return { ...backup, startedAt: toIso(startedAt) }
}

// `/audit`: who did what in the workspace, newest first.
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import type { HttpDeps } from '../dialect.ts'
import { pageQuery, readCursor, toPage } from './paging.ts'
import { presentAuditEntry } from './present.ts'

export function auditRoutes(app: FastifyInstance, { store }: HttpDeps): void {
  app
    .withTypeProvider<ZodTypeProvider>()
    .get('/audit', { schema: { querystring: pageQuery } }, async ({ workspace, query }) => {
      const beforeId = readCursor(query.cursor)
      const page = { limit: query.limit + 1, ...(beforeId === undefined ? {} : { beforeId }) }
      const entries = await store.listAudit(workspace.id, page)
      return toPage(entries, query.limit, ({ id }) => id, presentAuditEntry)
    })
}

// A dialect with a shape of its own and routes that misbehave: shows what the frame does for any dialect.
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { Refusal } from '../../src/domain/refusal.ts'
import { type DialectPlugin, type HttpDeps, statusOfRefusal } from '../../src/http/dialect.ts'
import { requireFile, withForm } from '../../src/http/upload.ts'

export const maxFakeFileBytes = 1_000

/** @param onUpload told when an upload's request is over, with what its handler returned or threw */
export function fakeDialect(onUpload: (result: unknown) => void = () => {}): DialectPlugin {
  return {
    name: 'formant',
    prefix: '/fake',
    acceptsApiKeyHeader: false,
    routes: (app, deps) => fakeRoutes(app, deps, onUpload),
    presentError: refusal => ({
      status: statusOfRefusal[refusal.kind],
      body: { fake: refusal.code, sentence: refusal.message, ...refusal.details },
    }),
  }
}

function fakeRoutes(app: FastifyInstance, deps: HttpDeps, onUpload: (result: unknown) => void): void {
  app.get('/things/:id', async request => ({ workspace: request.workspace.id }))
  app.post('/things/:id', async request => ({ body: request.body ?? null }))
  app.get('/defect', async () => {
    throw new Error('SELECT secret FROM keys')
  })
  app.get('/conflict', async () => {
    throw new Refusal('conflict', 'wrong_status', 'It stands elsewhere.')
  })
  app.get(
    '/typed',
    { schema: { querystring: z.object({ limit: z.coerce.number().max(5) }) } },
    async request => request.query,
  )
  app.post('/upload', async request => {
    const outcome = withForm(deps, request, { maxFileBytes: maxFakeFileBytes }, async form => {
      const { path: _, ...file } = requireFile(form)
      return { fields: form.fields, file }
    })
    outcome.then(onUpload, onUpload)
    return outcome
  })
}

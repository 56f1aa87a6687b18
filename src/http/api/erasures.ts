// `/erasures`: a person is forgotten.
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { erasePerson } from '../../batches/erase-person.ts'
import type { HttpDeps } from '../dialect.ts'

const maxNumberLength = 100

const newErasure = z.object({ number: z.string().trim().min(1).max(maxNumberLength) })

export function erasureRoutes(app: FastifyInstance, deps: HttpDeps): void {
  app
    .withTypeProvider<ZodTypeProvider>()
    .post('/erasures', { schema: { body: newErasure } }, async ({ workspace, body }) =>
      erasePerson(deps, workspace, body.number),
    )
}

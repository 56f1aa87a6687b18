// `/suppressions`: numbers that are never dialled.
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { suppressNumbers, unsuppressNumber } from '../../batches/suppress-number.ts'
import type { Suppression } from '../../domain/workspace.ts'
import type { HttpDeps } from '../dialect.ts'
import { answerOnce } from '../idempotency.ts'
import { pageQuery, toPage } from './paging.ts'
import { presentSuppression } from './present.ts'

const maxNumbers = 10_000
const maxNumberLength = 100
const maxReasonLength = 500

const numberText = z.string().trim().min(1).max(maxNumberLength)
const newSuppressions = z
  .object({
    number: numberText.optional(),
    numbers: z.array(numberText).min(1).max(maxNumbers).optional(),
    reason: z.string().trim().min(1).max(maxReasonLength).default('api'),
  })
  .refine(({ number, numbers }) => (number === undefined) !== (numbers === undefined), {
    path: ['numbers'],
    message: 'send either `number` or `numbers`',
  })

export function suppressionRoutes(app: FastifyInstance, deps: HttpDeps): void {
  const api = app.withTypeProvider<ZodTypeProvider>()

  api.post('/suppressions', { schema: { body: newSuppressions } }, async (request, reply) => {
    const { workspace, body } = request
    const numbers = body.numbers ?? [body.number ?? '']
    return answerOnce<Suppression[]>(deps, request, reply, {
      content: [body],
      create: idempotency => suppressNumbers(deps, { workspace, numbers, reason: body.reason }, idempotency),
      answer: suppressions => ({ status: 201, body: { data: suppressions.map(presentSuppression) } }),
    })
  })

  api.get('/suppressions', { schema: { querystring: pageQuery } }, async ({ workspace, query }) => {
    const found = await deps.store.listSuppressions(workspace.id, {
      ...(query.cursor === undefined ? {} : { afterNumber: query.cursor }),
      limit: query.limit + 1,
    })
    return toPage(found, query.limit, ({ number }) => number, presentSuppression)
  })

  api.delete(
    '/suppressions/:number',
    { schema: { params: z.object({ number: z.string() }) } },
    async ({ workspace, params }, reply) => {
      await unsuppressNumber(deps, workspace, params.number)
      return reply.code(204).send()
    },
  )
}

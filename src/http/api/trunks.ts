// `/trunks`: which routes to the telephone network there are, new ones, other settings, and a test.
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { changeTrunk, findTrunk } from '../../batches/change-trunk.ts'
import { createTrunk } from '../../batches/create-trunk.ts'
import { testTrunk } from '../../batches/test-trunk.ts'
import type { Trunk } from '../../domain/workspace.ts'
import type { HttpDeps } from '../dialect.ts'
import { answerOnce } from '../idempotency.ts'
import { pageQuery, readCursor, toPage } from './paging.ts'
import { presentTrunk, presentTrunkTest } from './present.ts'
import { callsPerSecond, maxConcurrentCalls, nameText, ref, settings } from './schema.ts'

const maxNumberLength = 100
const testRingRangeMs = { min: 1_000, usual: 25_000, max: 30_000 }

const newTrunk = z.object({
  name: nameText,
  kind: z.enum(['simulated', 'sip']).default('simulated'),
  maxConcurrentCalls: maxConcurrentCalls.nullable().default(null),
  callsPerSecond: callsPerSecond.nullable().default(null),
  settings: settings.default({}),
})

/** Absent: as it is. Of `settings` those that are named change. */
const trunkPatch = z.strictObject({
  name: nameText.optional(),
  maxConcurrentCalls: maxConcurrentCalls.nullable().optional(),
  callsPerSecond: callsPerSecond.nullable().optional(),
  settings: settings.optional(),
})

const trunkTest = z
  .object({
    /** Absent: no call is made. */
    to: z.string().trim().min(1).max(maxNumberLength).nullable().default(null),
    phoneNumberId: ref.nullable().default(null),
    agentId: ref.nullable().default(null),
    ringTimeoutMs: z.int().min(testRingRangeMs.min).max(testRingRangeMs.max).default(testRingRangeMs.usual),
  })
  .nullable()

export function trunkRoutes(app: FastifyInstance, deps: HttpDeps): void {
  const api = app.withTypeProvider<ZodTypeProvider>()
  const present = (trunk: Trunk) => presentTrunk(trunk, deps.trunkGateways?.(trunk))
  api.post('/trunks', { schema: { body: newTrunk } }, async (request, reply) =>
    answerOnce<Trunk>(deps, request, reply, {
      content: [request.body],
      create: idempotency =>
        createTrunk(deps, { workspaceId: request.workspace.id, ...request.body }, idempotency),
      answer: trunk => ({ status: 201, body: presentTrunk(trunk) }),
    }),
  )
  api.get('/trunks', { schema: { querystring: pageQuery } }, async ({ workspace, query }) => {
    const after = readCursor(query.cursor) ?? 0
    const trunks = await deps.store.listTrunks(workspace.id, { after, limit: query.limit + 1 })
    return toPage(trunks, query.limit, trunk => trunk.id, present)
  })
  api.get('/trunks/:id', async ({ workspace, params }) =>
    present(await findTrunk(deps, workspace.id, idIn(params))),
  )
  api.patch('/trunks/:id', { schema: { body: trunkPatch } }, async ({ workspace, params, body }) => {
    const sent = Object.entries(body).filter(([, value]) => value !== undefined)
    return present(await changeTrunk(deps, workspace.id, idIn(params), Object.fromEntries(sent)))
  })
  api.post('/trunks/:id/test', { schema: { body: trunkTest } }, async ({ workspace, params, body }) => {
    // No body at all asks for a look without a call.
    const { to, phoneNumberId, agentId, ringTimeoutMs } = body ?? trunkTest.unwrap().parse({})
    const caller = { phoneNumberRef: phoneNumberId, agentRef: agentId }
    return presentTrunkTest(
      await testTrunk(deps, { workspace, trunkRef: idIn(params), to, ...caller, ringTimeoutMs }),
    )
  })
}

function idIn(params: unknown): string {
  return (params as { id: string }).id
}

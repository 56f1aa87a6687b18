// `/agents` and `/phone-numbers`: who calls, and from where.
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { createAgent } from '../../batches/create-agent.ts'
import { createPhoneNumber } from '../../batches/create-phone-number.ts'
import type { Agent, PhoneNumber } from '../../domain/workspace.ts'
import type { HttpDeps } from '../dialect.ts'
import { answerOnce } from '../idempotency.ts'
import { pageQuery, readCursor, toPage } from './paging.ts'
import { presentAgent, presentPhoneNumber } from './present.ts'
import { aliases, maxConcurrentCalls, nameText, ref, settings } from './schema.ts'

const maxPromptLength = 100_000
const maxNumberLength = 100
const maxDailyCalls = 1_000_000

const newAgent = z.object({
  name: nameText,
  architecture: z.enum(['pipeline', 'realtime', 'text']).default('pipeline'),
  prompt: z.string().max(maxPromptLength).nullable().default(null),
  firstMessage: z.string().max(maxPromptLength).nullable().default(null),
  connection: settings.nullable().default(null),
  maxConcurrentCalls: maxConcurrentCalls.nullable().default(null),
  aliases,
})

const newPhoneNumber = z.object({
  e164: z.string().trim().max(maxNumberLength),
  agentId: ref.nullable().default(null),
  trunkId: z.int().positive().nullable().default(null),
  maxConcurrentCalls: maxConcurrentCalls.nullable().default(null),
  maxCallsPerDay: z.int().min(1).max(maxDailyCalls).nullable().default(null),
  aliases,
})

export function resourceRoutes(app: FastifyInstance, deps: HttpDeps): void {
  agentRoutes(app, deps)
  phoneNumberRoutes(app, deps)
}

function agentRoutes(app: FastifyInstance, deps: HttpDeps): void {
  const api = app.withTypeProvider<ZodTypeProvider>()
  api.post('/agents', { schema: { body: newAgent } }, async (request, reply) =>
    answerOnce<Agent>(deps, request, reply, {
      content: [request.body],
      create: idempotency =>
        createAgent(deps, { workspaceId: request.workspace.id, ...request.body }, idempotency),
      answer: agent => ({ status: 201, body: presentAgent(agent) }),
    }),
  )
  api.get('/agents', { schema: { querystring: pageQuery } }, async ({ workspace, query }) => {
    const after = readCursor(query.cursor) ?? 0
    const agents = await deps.store.listAgents(workspace.id, { after, limit: query.limit + 1 })
    return toPage(agents, query.limit, agent => agent.id, presentAgent)
  })
}

function phoneNumberRoutes(app: FastifyInstance, deps: HttpDeps): void {
  const api = app.withTypeProvider<ZodTypeProvider>()
  api.post('/phone-numbers', { schema: { body: newPhoneNumber } }, async (request, reply) => {
    const { agentId: agentRef, ...fields } = request.body
    return answerOnce<PhoneNumber>(deps, request, reply, {
      content: [request.body],
      create: idempotency =>
        createPhoneNumber(deps, { workspaceId: request.workspace.id, agentRef, ...fields }, idempotency),
      answer: number => ({ status: 201, body: presentPhoneNumber(number) }),
    })
  })
  api.get('/phone-numbers', { schema: { querystring: pageQuery } }, async ({ workspace, query }) => {
    const after = readCursor(query.cursor) ?? 0
    const numbers = await deps.store.listPhoneNumbers(workspace.id, { after, limit: query.limit + 1 })
    return toPage(numbers, query.limit, number => number.id, presentPhoneNumber)
  })
}

// `POST /v1/call`: one call to one person, now or later, once for each `idempotency_key`.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { z } from 'zod'
import { createCall } from '../../../batches/create-call.ts'
import type { Batch } from '../../../domain/batch.ts'
import { Refusal } from '../../../domain/refusal.ts'
import type { Idempotency, IdempotentAnswer } from '../../../store/store.ts'
import type { HttpDeps } from '../../dialect.ts'
import { answerOnce, createOrRelease } from '../../idempotency.ts'
import { fieldRefusal, readAs } from '../../validation.ts'
import { readStart } from '../fields.ts'
import { formantList } from './list.ts'
import { presentNewCall } from './present-conversation.ts'
import { callBody, maxCallAheadMs, retryPolicy } from './schema.ts'

type Body = z.output<typeof callBody>

export function callRoutes(app: FastifyInstance, deps: HttpDeps): void {
  app.post('/v1/call', async (request, reply) => call(deps, request, reply, readAs(callBody, request.body)))
}

async function call(
  deps: HttpDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  body: Body,
): Promise<unknown> {
  const create = (idempotency: Idempotency<Batch> | undefined) => place(deps, request, body, idempotency)
  const answer = (batch: Batch): IdempotentAnswer => ({ status: 200, body: { data: presentNewCall(batch) } })
  if (body.idempotency_key === undefined)
    return answerOnce<Batch>(deps, request, reply, { content: [body], create, answer })
  const key = await reserveKey(deps, request.workspace.id, body.idempotency_key)
  const batch = await createOrRelease(deps.store, request.workspace.id, { key, answer }, create)
  return answer(batch).body
}

async function place(
  deps: HttpDeps,
  { workspace }: FastifyRequest,
  body: Body,
  idempotency: Idempotency<Batch> | undefined,
): Promise<Batch> {
  const timezone = body.timezone ?? 'UTC'
  const now = deps.clock.now()
  const scheduledAt = readStart('scheduled_for', body.scheduled_for, timezone, now)
  if (scheduledAt !== null && scheduledAt > now + maxCallAheadMs)
    throw fieldRefusal([{ field: 'scheduled_for', message: 'must be at most 30 days ahead' }])
  const { batch } = await createCall(
    deps,
    {
      workspace,
      dialect: 'formant',
      agentRef: String(body.agent_id),
      phoneNumberRef: null,
      name: null,
      contact: body.parameters,
      list: formantList(workspace, timezone, deps.config.maxRows),
      metadata: body.metadata ?? null,
      needsPlace: scheduledAt === null,
      timezone,
      scheduledAt,
      maxConcurrentCalls: null,
      callsPerSecond: null,
      retry: retryPolicy,
      window: null,
      record: body.record,
    },
    idempotency,
  )
  return batch
}

/** The vendor refuses whatever comes again under a key; what was answered first says which conversation it was. */
async function reserveKey({ store, clock }: HttpDeps, workspaceId: number, sent: string): Promise<string> {
  // No header holds a space: keys of the header and of the body never meet.
  const key = `formant call ${sent}`
  const reserved = await store.reserveIdempotencyKey(workspaceId, key, key, clock.now())
  if (reserved.verdict === 'new') return key
  const first = reserved.verdict === 'answered' ? conversationIn(reserved.answer.body) : null
  throw new Refusal(
    'conflict',
    'duplicate_request',
    `This idempotency_key was used within the last 24 hours${first === null ? '' : `, for conversation ${first}`}.`,
  )
}

function conversationIn(body: unknown): number | null {
  const { data } = body as { data?: { conversation_id?: number } }
  return data?.conversation_id ?? null
}

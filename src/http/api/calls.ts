// `/calls`: one call to one person, and what came of it. It is a batch of one: `/batches/{batchId}/cancel` cancels it.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { createCall } from '../../batches/create-call.ts'
import { findRecipient, recipientNotFound } from '../../batches/find-recipient.ts'
import type { Batch } from '../../domain/batch.ts'
import { recipientId } from '../../domain/recipient-id.ts'
import type { HttpDeps } from '../dialect.ts'
import { answerOnce } from '../idempotency.ts'
import { readAs, readId } from '../validation.ts'
import { readBatchSettings, toCreateRequest } from './batch-settings.ts'
import { presentFoundRecipient, toIso } from './present.ts'

const maxPhoneChars = 100

const person = z.object({
  phone: z.string().trim().min(1, 'must not be empty').max(maxPhoneChars),
  variables: z.record(z.string(), z.json()).default({}),
  metadata: z.record(z.string(), z.json()).nullable().default(null),
})
const phoneKey = 'phone'

export function callRoutes(app: FastifyInstance, deps: HttpDeps): void {
  app.post('/calls', async (request, reply) => {
    const { phone, variables, metadata } = readAs(person, request.body)
    const settings = readBatchSettings({ ...(request.body as object), phoneColumn: phoneKey })
    const { workspace } = request
    let repeated = false
    return answerOnce<Batch>(deps, request, reply, {
      content: [settings, phone, variables, metadata],
      create: async idempotency => {
        const contact = { ...variables, [phoneKey]: phone }
        const rules = toCreateRequest(workspace, settings, deps.config)
        const created = await createCall(
          deps,
          { ...rules, contact, metadata, needsPlace: false },
          idempotency,
        )
        repeated = created.repeated
        return created.batch
      },
      answer: batch => ({ status: repeated ? 200 : 201, body: { ...presentNewCall(batch), repeated } }),
    })
  })

  app.get('/calls/:id', async request =>
    presentFoundRecipient(await findRecipient(deps, request.workspace.id, callIdOf(request))),
  )
}

function presentNewCall(batch: Batch) {
  const { id: batchId, agentId, phoneNumberId, status, metadata, scheduledAt, createdAt } = batch
  const times = { scheduledAt: toIso(scheduledAt), createdAt: toIso(createdAt) }
  return { id: recipientId(batchId, 1), batchId, agentId, phoneNumberId, status, metadata, ...times }
}

function callIdOf({ params }: FastifyRequest): number {
  const { id } = params as { id: string }
  const callId = readId(id)
  if (callId === null) throw recipientNotFound(id)
  return callId
}

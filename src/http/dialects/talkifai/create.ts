// TalkifAI's create: one job from a CSV file in a form or from contacts in JSON, with the same rules for both.
import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { z } from 'zod'
import { createBatch } from '../../../batches/create-batch.ts'
import type { Batch } from '../../../domain/batch.ts'
import { estimateBatch, formatDollars, formatMinutes } from '../../../domain/estimate.ts'
import { Refusal } from '../../../domain/refusal.ts'
import type { Agent } from '../../../domain/workspace.ts'
import type { ListSource } from '../../../ingest/ingest.ts'
import type { HttpDeps } from '../../dialect.ts'
import { answerOnce } from '../../idempotency.ts'
import { type Form, requireFile } from '../../upload.ts'
import { readAs } from '../../validation.ts'
import { readStart } from '../fields.ts'
import { resolveReference } from '../references.ts'
import { vendorList } from '../vendor-list.ts'
import { phonePrefix, presentCreated } from './present.ts'
import { createForm, createJson, maxContacts, maxFileBytes, phoneColumn, retryPolicyOf } from './schema.ts'

type Fields = z.output<typeof createForm>

export async function createFromForm(
  deps: HttpDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  form: Form,
) {
  const fields = readAs(createForm, form.fields)
  return createJob(deps, request, reply, fields, requireFile(form))
}

export async function createFromJson(deps: HttpDeps, request: FastifyRequest, reply: FastifyReply) {
  const { contacts, ...fields } = readAs(createJson, request.body)
  if (contacts.length === 0)
    throw new Refusal('invalid', 'no_valid_contacts', 'The list of contacts is empty')
  const sha256 = createHash('sha256').update(JSON.stringify(contacts)).digest('hex')
  return createJob(deps, request, reply, fields, { kind: 'contacts', contacts, sha256 })
}

async function createJob(
  deps: HttpDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  fields: Fields,
  source: ListSource,
) {
  let agent: Agent | null = null
  return answerOnce<Batch>(deps, request, reply, {
    content: [fields, source.sha256],
    create: async idempotency => {
      const { workspace } = request
      const { timezone } = fields
      const phoneNumberRef = await findPhoneNumberRef(deps, workspace.id, fields.fromPhoneNumberId)
      const scheduledAt = readStart(
        'scheduledStartTime',
        fields.scheduledStartTime,
        timezone,
        deps.clock.now(),
      )
      const { ref, agentId } = phoneNumberRef
      agent = agentId === null ? null : await deps.store.getAgent(agentId)
      const { batch } = await createBatch(
        deps,
        {
          workspace,
          dialect: 'talkifai',
          agentRef: null,
          phoneNumberRef: ref,
          name: fields.name,
          description: fields.description ?? null,
          source,
          list: vendorList(workspace, timezone, {
            formats: ['csv'],
            phoneColumns: [phoneColumn],
            numbers: 'e164',
            mode: 'lenient',
            refuseBadContact: true,
            maxBytes: maxFileBytes,
            maxRows: maxContacts,
          }),
          timezone,
          scheduledAt,
          startAs: 'running',
          open: false,
          maxConcurrentCalls: fields.concurrentCallLimit,
          callsPerSecond: null,
          retry: retryPolicyOf(fields.maxAttempts),
          window: null,
        },
        idempotency,
      )
      return batch
    },
    answer: batch => ({ status: 200, body: presentCreated(batch, estimateWords(deps, batch, agent)) }),
  })
}

async function findPhoneNumberRef(
  { store }: HttpDeps,
  workspaceId: number,
  sent: string,
): Promise<{ ref: string; agentId: number | null }> {
  const found = await resolveReference(sent, phonePrefix, ref => store.findPhoneNumber(workspaceId, ref))
  if (found === null)
    throw new Refusal('not-found', 'phone_number_not_found', `Phone number ${sent} not found`)
  return { ref: found.ref, agentId: found.thing.agentId }
}

function estimateWords({ config }: HttpDeps, batch: Batch, agent: Agent | null) {
  const { pipelineMillicents: pipeline, realtimeMillicents: realtime } = config.rates
  const { minutes, costMillicents } = estimateBatch(
    batch.totalRecipients,
    batch.maxConcurrentCalls ?? 1,
    agent?.architecture ?? 'pipeline',
    { pipeline, realtime },
  )
  return { duration: formatMinutes(minutes), cost: formatDollars(costMillicents) }
}

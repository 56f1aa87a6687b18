// DialNexa's create: one strict list, whose first bad row refuses the whole request.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { createBatch } from '../../../batches/create-batch.ts'
import type { Batch } from '../../../domain/batch.ts'
import { Refusal } from '../../../domain/refusal.ts'
import type { HttpDeps } from '../../dialect.ts'
import { answerOnce } from '../../idempotency.ts'
import { type Form, requireFile } from '../../upload.ts'
import { readAs } from '../../validation.ts'
import { readStart } from '../fields.ts'
import { resolveReference } from '../references.ts'
import { vendorList } from '../vendor-list.ts'
import { agentPrefix, presentCreated } from './present.ts'
import { createForm, maxFileBytes, phoneColumn, retryPolicyOf } from './schema.ts'

/** Answers `POST /v1/batch-calls` with 201. */
export async function createFromForm(
  deps: HttpDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  form: Form,
) {
  const { workspace } = request
  const fields = readAs(createForm, form.fields)
  const file = requireFile(form)
  return answerOnce<Batch>(deps, request, reply, {
    content: [fields, file.sha256],
    create: async idempotency => {
      const timezone = fields.timezone ?? 'UTC'
      const scheduledAt = readStart('scheduled_at', fields.scheduled_at, timezone, deps.clock.now())
      const agentRef = await findAgentRef(deps, workspace.id, fields.agent_id)
      const { batch } = await createBatch(
        deps,
        {
          workspace,
          dialect: 'dialnexa',
          agentRef,
          phoneNumberRef: fields.from_phone_number ?? null,
          name: fields.name ?? null,
          description: null,
          source: file,
          list: vendorList(workspace, timezone, {
            formats: ['csv', 'xlsx', 'xls'],
            phoneColumns: [phoneColumn],
            numbers: 'readable',
            mode: 'strict',
            refuseBadContact: false,
            maxBytes: maxFileBytes,
            maxRows: deps.config.maxRows,
          }),
          timezone,
          scheduledAt,
          startAs: 'running',
          open: false,
          maxConcurrentCalls: fields.max_concurrent_calls,
          callsPerSecond: null,
          retry: retryPolicyOf(fields.retry_config),
          window: null,
        },
        idempotency,
      )
      return batch
    },
    answer: batch => ({ status: 201, body: presentCreated(batch) }),
  })
}

async function findAgentRef({ store }: HttpDeps, workspaceId: number, sent: string): Promise<string> {
  const agent = await resolveReference(sent, agentPrefix, ref => store.findAgent(workspaceId, ref))
  if (agent === null) throw new Refusal('not-found', 'agent_not_found', `Agent ${sent} not found`)
  return agent.ref
}

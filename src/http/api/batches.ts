// `/batches`: a list becomes a batch, more people join an open one, and which batches there are.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { addRecipients } from '../../batches/add-recipients.ts'
import { batchNotFound } from '../../batches/control-batch.ts'
import { createBatch } from '../../batches/create-batch.ts'
import { findBatch } from '../../batches/report-batch.ts'
import { type Batch, type BatchStatus, batchStatuses, type IngestCounts } from '../../domain/batch.ts'
import { Refusal } from '../../domain/refusal.ts'
import type { ListSource } from '../../ingest/ingest.ts'
import { contactsSource } from '../contacts.ts'
import type { HttpDeps } from '../dialect.ts'
import { answerOnce } from '../idempotency.ts'
import { withForm } from '../upload.ts'
import { fieldRefusal, readAs, readId } from '../validation.ts'
import {
  formSettings,
  listSettings,
  readBatchSettings,
  toCreateRequest,
  toListRules,
} from './batch-settings.ts'
import { pageQuery, readCursor, toPage } from './paging.ts'
import { presentBatch } from './present.ts'

/** A batch that is importing is nobody's to see. */
const shownStatuses: readonly string[] = batchStatuses.filter(status => status !== 'importing')

const contacts = z.object({
  recipients: z.array(z.unknown()).optional(),
  contacts: z.array(z.unknown()).optional(),
})
/** Single calls are batches of one: they are listed when they are asked for. */
const batchQuery = pageQuery.extend({
  status: z.string().optional(),
  kind: z.enum(['list', 'call']).default('list'),
})

export function batchRoutes(app: FastifyInstance, deps: HttpDeps): void {
  const api = app.withTypeProvider<ZodTypeProvider>()

  api.post('/batches', async (request, reply) =>
    withList(deps, request, (sent, source) => create(deps, request, reply, sent, source)),
  )

  api.get('/batches', { schema: { querystring: batchQuery } }, async ({ workspace, query }) => {
    const beforeId = readCursor(query.cursor)
    const filter = { ...readFilter(query.status), kind: query.kind }
    const found = await deps.store.listBatchesBefore(workspace.id, filter, {
      ...(beforeId === undefined ? {} : { beforeId }),
      limit: query.limit + 1,
    })
    return toPage(found, query.limit, batch => batch.id, presentBatch)
  })

  api.get('/batches/:id', async request =>
    presentBatch(await findBatch(deps, request.workspace.id, batchIdOf(request))),
  )

  api.post('/batches/:id/recipients', async (request, reply) =>
    withList(deps, request, (sent, source) => add(deps, request, reply, sent, source)),
  )
}

/** The id in the path. Refusal `batch_not_found` for what is no id. */
export function batchIdOf({ params }: FastifyRequest): number {
  const { id } = params as { id: string }
  const batchId = readId(id)
  if (batchId === null) throw batchNotFound(id)
  return batchId
}

/** Reads the list and what stands beside it, from a form or from JSON. */
async function withList(
  deps: HttpDeps,
  request: FastifyRequest,
  use: (sent: Record<string, unknown>, source: ListSource | null) => Promise<unknown>,
): Promise<unknown> {
  if (request.isMultipart())
    return withForm(deps, request, { maxFileBytes: deps.config.maxUploadBytes }, form =>
      use(formSettings(form), form.file),
    )
  const { recipients, contacts: people } = readAs(contacts, request.body)
  if (recipients !== undefined && people !== undefined)
    throw fieldRefusal([{ field: 'contacts', message: 'send either `recipients` or `contacts`' }])
  const rows = recipients ?? people
  const { recipients: _r, contacts: _c, ...sent } = request.body as Record<string, unknown>
  return use(sent, rows === undefined ? null : contactsSource(rows))
}

async function create(
  deps: HttpDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  sent: Record<string, unknown>,
  list: ListSource | null,
): Promise<unknown> {
  const settings = readBatchSettings(sent)
  const source = list ?? (settings.open ? contactsSource([]) : null)
  if (source === null) throw missingList()
  const create = { ...toCreateRequest(request.workspace, settings, deps.config), source }
  let repeated = false
  return answerOnce<Batch>(deps, request, reply, {
    content: [settings, source.sha256],
    create: async idempotency => {
      const created = await createBatch(deps, create, idempotency)
      repeated = created.repeated
      return created.batch
    },
    answer: batch => ({ status: repeated ? 200 : 201, body: { ...presentBatch(batch), repeated } }),
  })
}

async function add(
  deps: HttpDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  sent: Record<string, unknown>,
  source: ListSource | null,
): Promise<unknown> {
  const batchId = batchIdOf(request)
  if (source === null) throw missingList()
  const settings = readAs(listSettings, sent)
  const list = toListRules(settings, deps.config)
  return answerOnce<IngestCounts>(deps, request, reply, {
    content: [settings, source.sha256],
    create: idempotency =>
      addRecipients(deps, { workspace: request.workspace, batchId, source, list }, idempotency),
    answer: ingest => ({ status: 201, body: { batchId, ...ingest } }),
  })
}

function missingList(): Refusal {
  return new Refusal(
    'invalid',
    'missing_list',
    'There is no list: send it as `file` in a multipart form, or as `recipients` in JSON.',
  )
}

function readFilter(status: string | undefined): { statuses?: BatchStatus[] } {
  if (status === undefined) return {}
  const statuses = status.split(',')
  if (!statuses.every(one => shownStatuses.includes(one)))
    throw fieldRefusal([{ field: 'status', message: `must be one or more of ${shownStatuses.join(', ')}` }])
  return { statuses: statuses as BatchStatus[] }
}

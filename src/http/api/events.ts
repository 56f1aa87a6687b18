// `/events`: what happened, as pages of JSON or as one stream that goes on.
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { type EventType, eventTypes } from '../../domain/event.ts'
import type { OutboxFilter } from '../../store/webhook-records.ts'
import type { HttpDeps } from '../dialect.ts'
import { fieldRefusal, integerText } from '../validation.ts'
import { EventStreams } from './event-stream.ts'
import { pageQuery, readCursor } from './paging.ts'
import { presentEvent } from './present.ts'

const eventId = integerText({ min: 0, max: Number.MAX_SAFE_INTEGER })
const eventQuery = pageQuery.extend({
  after: eventId.optional(),
  batchId: integerText({ min: 1, max: Number.MAX_SAFE_INTEGER }).optional(),
  type: z.string().max(1_000).optional(),
})
type EventQuery = z.output<typeof eventQuery>

export function eventRoutes(app: FastifyInstance, deps: HttpDeps): void {
  const streams = new EventStreams(deps)
  app.addHook('preClose', async () => streams.end())
  const api = app.withTypeProvider<ZodTypeProvider>()
  api.get('/events', { schema: { querystring: eventQuery } }, async (request, reply) => {
    const { workspace, query, headers } = request
    const filter = readFilter(workspace.id, query)
    if (request.method === 'GET' && wantsStream(headers.accept)) {
      // On a reconnection the header is newer than the address.
      const after = readLastEventId(headers['last-event-id']) ?? query.after ?? null
      await streams.open(reply, filter, after)
      return reply
    }
    const after = readCursor(query.cursor) ?? query.after ?? 0
    const { events, position, atEnd } = await deps.store.readOutbox(filter, { after, limit: query.limit })
    return { data: events.map(presentEvent), nextCursor: atEnd ? null : String(position) }
  })
}

function readFilter(workspaceId: number, { batchId, type }: EventQuery): OutboxFilter {
  return {
    workspaceId,
    ...(batchId === undefined ? {} : { batchId }),
    ...(type === undefined ? {} : { types: readTypes(type) }),
  }
}

function readTypes(text: string): EventType[] {
  const sent = text.split(',')
  const unknown = sent.find(one => !(eventTypes as readonly string[]).includes(one))
  if (unknown !== undefined)
    throw fieldRefusal([
      { field: 'type', message: `\`${unknown}\` is no event; there are ${eventTypes.join(', ')}` },
    ])
  return sent as EventType[]
}

/** A client that names the type wants it; the wildcard of an ordinary client does not. */
function wantsStream(accept: string | undefined): boolean {
  return /(^|,)\s*text\/event-stream\s*(;|,|$)/i.test(accept ?? '')
}

function readLastEventId(header: string | string[] | undefined): number | undefined {
  if (header === undefined || header === '') return undefined
  const read = eventId.safeParse(header)
  if (read.success) return read.data
  throw fieldRefusal([{ field: 'Last-Event-ID', message: 'is not the id of an event' }])
}

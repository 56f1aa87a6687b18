// `/webhook-endpoints/{id}/deliveries`: the log, each delivery with its tries, and sending one again.
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { type Delivery, deliveryStatuses } from '../../store/webhook-records.ts'
import { deliveryNotFound, redeliver } from '../../webhooks/control-endpoint.ts'
import type { HttpDeps } from '../dialect.ts'
import { readId } from '../validation.ts'
import { pageQuery, readCursor, toPage } from './paging.ts'
import { toIso } from './present.ts'
import { endpointOf } from './webhook-endpoints.ts'

const deliveryQuery = pageQuery.extend({ status: z.enum(deliveryStatuses).optional() })

export function webhookDeliveryRoutes(app: FastifyInstance, deps: HttpDeps): void {
  const api = app.withTypeProvider<ZodTypeProvider>()
  api.get('/webhook-endpoints/:id/deliveries', { schema: { querystring: deliveryQuery } }, async request => {
    const { limit, cursor, status } = request.query
    const { id } = await endpointOf(deps, request)
    const beforeId = readCursor(cursor)
    const found = await deps.store.listDeliveries(
      request.workspace.id,
      id,
      status === undefined ? {} : { status },
      { ...(beforeId === undefined ? {} : { beforeId }), limit: limit + 1 },
    )
    return toPage(found, limit, delivery => delivery.id, presentDelivery)
  })
  app.post('/webhook-endpoints/:id/deliveries/:deliveryId/redeliver', async (request, reply) => {
    const { deliveryId } = request.params as { deliveryId: string }
    const endpoint = await endpointOf(deps, request)
    const id = readId(deliveryId)
    if (id === null) throw deliveryNotFound(deliveryId)
    return reply.code(202).send(presentDelivery(await redeliver(deps, endpoint, id)))
  })
}

function presentDelivery({
  endpointId: _,
  eventAt,
  dueAt,
  tries,
  createdAt,
  finishedAt,
  ...delivery
}: Delivery) {
  return {
    ...delivery,
    eventAt: toIso(eventAt),
    dueAt: toIso(dueAt),
    tries: tries.map(({ at, ...one }) => ({ at: toIso(at), ...one })),
    createdAt: toIso(createdAt),
    finishedAt: toIso(finishedAt),
  }
}

// Deliveries: made from the outbox, tried by whoever holds their lane, kept as a log.
import type { Row } from '../rows.ts'
import type { Delivery, NewDelivery, WebhookStore } from '../webhook-records.ts'
import { noBatch, toDelivery } from '../webhook-rows.ts'
import { columns } from './columns.ts'
import type { Connection } from './connection.ts'
import type { Reader, Transaction } from './transaction.ts'
import { lockEndpoint } from './webhook-endpoints.ts'
import { claimLanes, keepLanes } from './webhook-lanes.ts'
import { recordTried } from './webhook-tries.ts'

type Family = Pick<
  WebhookStore,
  | 'enqueueDeliveries'
  | 'claimDeliveries'
  | 'recordDeliveries'
  | 'listDeliveries'
  | 'redeliver'
  | 'pruneDeliveries'
  | 'oldestWaitingEventAt'
>

const selectDelivery = `SELECT ${columns('webhook_deliveries', 'd')} FROM webhook_deliveries d`

export function webhookDeliveryStatements(connection: Connection): Family {
  return {
    enqueueDeliveries: (endpointId, { from, to, deliveries }, now) =>
      connection.write(async tx => {
        const moved = await tx.change(
          'UPDATE webhook_progress SET position = $3, waiting = waiting + $4 WHERE endpoint_id = $1 AND position = $2',
          [endpointId, from, to, deliveries.length],
        )
        if (moved === 0) return false
        if (deliveries.length > 0) {
          await insert(tx, endpointId, deliveries, now)
          await keepLanes(
            tx,
            deliveries.map(({ batchId }) => ({ endpointId, batchId: batchId ?? noBatch })),
          )
        }
        return true
      }),

    claimDeliveries: request =>
      connection.write(async tx => {
        await recordTried(tx, request.tried ?? [], request.nodeId, request.now)
        return claimLanes(tx, request)
      }),

    recordDeliveries: (tried, nodeId, now) => connection.write(tx => recordTried(tx, tried, nodeId, now)),

    async listDeliveries(workspaceId, endpointId, { status }, { beforeId, limit }) {
      // Written out, since the index of what failed is a partial one.
      const ofStatus = status === undefined ? '' : `AND d.status = '${status}'`
      const rows = await connection.rows(
        `${selectDelivery} JOIN webhook_endpoints e ON e.id = d.endpoint_id
         WHERE d.endpoint_id = $1 AND e.workspace_id = $2 AND d.id < $3 ${ofStatus} ORDER BY d.id DESC LIMIT $4`,
        [endpointId, workspaceId, beforeId ?? Number.MAX_SAFE_INTEGER, limit],
      )
      return rows.map(toDelivery)
    },

    redeliver: (workspaceId, endpointId, deliveryId, now) =>
      connection.write(async (tx): Promise<Delivery | null> => {
        if (!(await lockEndpoint(tx, endpointId))) return null
        const before = await find(tx, workspaceId, endpointId, deliveryId)
        if (before === null) return null
        const [id] = await insert(tx, endpointId, [before], now, deliveryId)
        await tx.change('UPDATE webhook_progress SET waiting = waiting + 1 WHERE endpoint_id = $1', [
          endpointId,
        ])
        await keepLanes(tx, [{ endpointId, batchId: before.batchId ?? noBatch }])
        return find(tx, workspaceId, endpointId, id ?? 0)
      }),

    pruneDeliveries: (before, limit) =>
      connection.write(tx =>
        tx.change(
          `DELETE FROM webhook_deliveries WHERE id = ANY (ARRAY(
             SELECT id FROM webhook_deliveries WHERE finished_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED))`,
          [before, limit],
        ),
      ),

    async oldestWaitingEventAt() {
      const lanes = 'webhook_lanes l JOIN webhook_endpoints e ON e.id = l.endpoint_id AND e.enabled'
      const ofLane = `FROM webhook_deliveries WHERE endpoint_id = l.endpoint_id AND batch_id = l.batch_id AND status = 'waiting'`
      const row = await connection.row(
        `SELECT min(at) AS at FROM (
           SELECT (SELECT event_at ${ofLane} AND NOT overtaken ORDER BY id LIMIT 1) AS at FROM ${lanes}
           UNION ALL SELECT (SELECT min(event_at) ${ofLane} AND overtaken) AS at FROM ${lanes}) AS oldest`,
      )
      return row?.at ?? null
    },
  }
}

async function find(
  reader: Reader,
  workspaceId: number,
  endpointId: number,
  id: number,
): Promise<Delivery | null> {
  const row = await reader.row(
    `${selectDelivery} JOIN webhook_endpoints e ON e.id = d.endpoint_id
     WHERE d.id = $1 AND d.endpoint_id = $2 AND e.workspace_id = $3`,
    [id, endpointId, workspaceId],
  )
  return row === undefined ? null : toDelivery(row)
}

/** What is delivered again has had its place in the order. */
async function insert(
  tx: Transaction,
  endpointId: number,
  deliveries: readonly NewDelivery[],
  now: number,
  redeliveryOf: number | null = null,
): Promise<number[]> {
  const rows = await tx.rows(
    `INSERT INTO webhook_deliveries (endpoint_id, batch_id, event_id, event_at, name, status, overtaken, due_at, tries,
       redelivery_of, created_at)
     SELECT $1, d.batch_id, d.event_id, d.event_at, d.name, 'waiting', $7::bigint IS NOT NULL, $6::bigint, '[]', $7::bigint, $6::bigint
     FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::text[]) WITH ORDINALITY
       AS d (batch_id, event_id, event_at, name, place) ORDER BY d.place RETURNING id`,
    [
      endpointId,
      deliveries.map(({ batchId }) => batchId ?? noBatch),
      deliveries.map(({ eventId }) => eventId),
      deliveries.map(({ eventAt }) => eventAt),
      deliveries.map(({ name }) => name),
      now,
      redeliveryOf,
    ],
  )
  return rows.map((row: Row) => row.id as number)
}

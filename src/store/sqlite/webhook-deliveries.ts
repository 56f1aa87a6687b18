// Deliveries: made from the outbox, tried by whoever holds their lane, kept as a log.

import type { Row } from '../rows.ts'
import type {
  Delivery,
  DeliveryTry,
  NewDelivery,
  TriedDelivery,
  WebhookEndpoint,
  WebhookStore,
} from '../webhook-records.ts'
import { noBatch, toDelivery } from '../webhook-rows.ts'
import type { Connection } from './connection.ts'
import { deliveryClaims, laneKeeper, oldestWaiting } from './webhook-lanes.ts'

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

export function webhookDeliveryStatements(connection: Connection): Family {
  const keepLane = laneKeeper(connection)
  const claim = deliveryClaims(connection)
  const record = recorder(connection, keepLane)
  const insert = inserter(connection)
  const moveOn = connection.prepare(
    `UPDATE webhook_progress SET position = ?3, waiting = waiting + ?4 WHERE endpoint_id = ?1 AND position = ?2`,
  )
  const find = (endpointId: number, id: number) =>
    connection
      .prepare('SELECT * FROM webhook_deliveries WHERE id = ? AND endpoint_id = ?')
      .get(id, endpointId)
  const isOwned = (workspaceId: number, endpointId: number) =>
    connection
      .prepare('SELECT 1 FROM webhook_endpoints WHERE id = ? AND workspace_id = ?')
      .get(endpointId, workspaceId) !== undefined
  // One process has this file: what was leased when it was opened was leased by one that is gone.
  connection.prepare('UPDATE webhook_lanes SET lease_until = 0 WHERE lease_until > 0').run()

  return {
    enqueueDeliveries: (endpointId, { from, to, deliveries }, now) =>
      connection.write(() => {
        if (moveOn.run(endpointId, from, to, deliveries.length).changes === 0) return false
        for (const delivery of deliveries) insert(endpointId, delivery, now)
        for (const batchId of new Set(deliveries.map(({ batchId }) => batchId ?? noBatch)))
          keepLane(endpointId, batchId)
        return true
      }),

    claimDeliveries: request =>
      connection.write(() => {
        for (const one of request.tried ?? []) record(one, request.nodeId, request.now)
        return claim(request)
      }),

    recordDeliveries: (tried, nodeId, now) =>
      connection.write(() => tried.map(one => record(one, nodeId, now))),

    async listDeliveries(workspaceId, endpointId, { status }, { beforeId, limit }) {
      if (!isOwned(workspaceId, endpointId)) return []
      return connection
        .prepare(
          // Written out, since the index of what failed is a partial one.
          `SELECT * FROM webhook_deliveries WHERE endpoint_id = ? AND id < ? ${status === undefined ? '' : `AND status = '${status}'`}
           ORDER BY id DESC LIMIT ?`,
        )
        .all(endpointId, beforeId ?? Number.MAX_SAFE_INTEGER, limit)
        .map(toDelivery)
    },

    redeliver: (workspaceId, endpointId, deliveryId, now) =>
      connection.write((): Delivery | null => {
        const row = isOwned(workspaceId, endpointId) ? find(endpointId, deliveryId) : undefined
        if (row === undefined) return null
        const id = insert(endpointId, toDelivery(row as Row), now, deliveryId)
        connection
          .prepare('UPDATE webhook_progress SET waiting = waiting + 1 WHERE endpoint_id = ?')
          .run(endpointId)
        keepLane(endpointId, (row as Row).batch_id)
        return toDelivery(find(endpointId, id) as Row)
      }),

    pruneDeliveries: (before, limit) =>
      connection.write(() =>
        Number(
          connection
            .prepare(
              `DELETE FROM webhook_deliveries WHERE id IN
                 (SELECT id FROM webhook_deliveries WHERE finished_at < ? LIMIT ?)`,
            )
            .run(before, limit).changes,
        ),
      ),

    oldestWaitingEventAt: async () => oldestWaiting(connection),
  }
}

function inserter(connection: Connection) {
  const statement = connection.prepare(
    `INSERT INTO webhook_deliveries (endpoint_id, batch_id, event_id, event_at, name, status, overtaken, due_at, tries,
       redelivery_of, created_at) VALUES (?1, ?2, ?3, ?4, ?5, 'waiting', ?6, ?7, '[]', ?8, ?7)`,
  )
  /** What is delivered again has had its place in the order. */
  return (endpointId: number, delivery: NewDelivery, now: number, redeliveryOf: number | null = null) => {
    const { eventId, batchId, eventAt, name } = delivery
    const late = redeliveryOf === null ? 0 : 1
    const { lastInsertRowid } = statement.run(
      endpointId,
      batchId ?? noBatch,
      eventId,
      eventAt,
      name,
      late,
      now,
      redeliveryOf,
    )
    return Number(lastInsertRowid)
  }
}

/** Writes what came of one try and gives its lane back. */
function recorder(connection: Connection, keepLane: (endpointId: number, batchId: number) => void) {
  const selectHeld = connection.prepare(
    `SELECT d.endpoint_id, d.batch_id, d.tries, e.workspace_id, e.enabled FROM webhook_deliveries d
       JOIN webhook_endpoints e ON e.id = d.endpoint_id
       JOIN webhook_lanes l ON l.endpoint_id = d.endpoint_id AND l.batch_id = d.batch_id
     WHERE d.id = ? AND d.status = 'waiting' AND l.node_id = ?`,
  )
  const settle = connection.prepare(
    `UPDATE webhook_deliveries SET status = ?, overtaken = max(overtaken, ?), due_at = ?, tries = ?, finished_at = ? WHERE id = ?`,
  )
  const giveBack = connection.prepare(
    'UPDATE webhook_lanes SET node_id = NULL, lease_until = 0 WHERE endpoint_id = ? AND batch_id = ?',
  )
  const setWell = connection.prepare(
    `UPDATE webhook_progress SET failing_since = NULL, last_delivered_at = ?, waiting = waiting - ? WHERE endpoint_id = ?`,
  )
  const setFailing = connection.prepare(
    `UPDATE webhook_progress SET failing_since = coalesce(failing_since, ?), waiting = waiting - ? WHERE endpoint_id = ?`,
  )
  const setSkipped = connection.prepare(
    'UPDATE webhook_progress SET waiting = waiting - 1 WHERE endpoint_id = ?',
  )
  const disableIt = connection.prepare(
    'UPDATE webhook_endpoints SET enabled = 0, disabled_reason = ?, updated_at = ? WHERE id = ?',
  )

  return ({ deliveryId, made, next, disable }: TriedDelivery, nodeId: string, now: number): boolean => {
    const held = selectHeld.get(deliveryId, nodeId) as Row | undefined
    if (held === undefined) return false
    const { endpoint_id: endpointId, batch_id: batchId } = held
    const tries: DeliveryTry[] = JSON.parse(held.tries)
    const isOver = next.kind !== 'retry'
    settle.run(
      isOver ? next.kind : 'waiting',
      !isOver && next.overtaken ? 1 : 0,
      isOver ? null : next.dueAt,
      JSON.stringify(made === null ? tries : [...tries, made]),
      isOver ? now : null,
      deliveryId,
    )
    if (next.kind === 'delivered') setWell.run(now, 1, endpointId)
    else if (next.kind === 'skipped') setSkipped.run(endpointId)
    else setFailing.run(now, isOver ? 1 : 0, endpointId)
    giveBack.run(endpointId, batchId)
    keepLane(endpointId, batchId)
    if (disable !== null && held.enabled === 1) {
      disableIt.run(disable, now, endpointId)
      const data = JSON.stringify({ endpointId, reason: disable satisfies WebhookEndpoint['disabledReason'] })
      connection.emit(held.workspace_id, null, 'webhook-endpoint.disabled', now, data)
    }
    return true
  }
}

// Lanes: one for each endpoint and batch with something to deliver. A lane's lease is the right to deliver, one at a time;
// within it deliveries go in the order of their events, those that failed too long beside them.

import { type Row, toEvent } from '../rows.ts'
import type { ClaimDeliveries, ClaimedDeliveries, ClaimedDelivery } from '../webhook-records.ts'
import { toDelivery, toEndpoint } from '../webhook-rows.ts'
import type { Connection } from './connection.ts'
import { selectEndpoint } from './webhook-endpoints.ts'

const inOrder = `status = 'waiting' AND overtaken = 0`
const overtaken = `status = 'waiting' AND overtaken = 1`

/** Inside a transaction: when the lane's next delivery is due; a lane with none goes away. */
export function laneKeeper(connection: Connection) {
  const selectDue = connection.prepare(
    `SELECT (SELECT due_at FROM webhook_deliveries WHERE endpoint_id = ?1 AND batch_id = ?2 AND ${inOrder} ORDER BY id LIMIT 1) AS head,
       (SELECT min(due_at) FROM webhook_deliveries WHERE endpoint_id = ?1 AND batch_id = ?2 AND ${overtaken}) AS late`,
  )
  const setDue = connection.prepare(
    `INSERT INTO webhook_lanes (endpoint_id, batch_id, due_at) VALUES (?, ?, ?)
     ON CONFLICT DO UPDATE SET due_at = excluded.due_at`,
  )
  const remove = connection.prepare('DELETE FROM webhook_lanes WHERE endpoint_id = ? AND batch_id = ?')
  return (endpointId: number, batchId: number): void => {
    const { head, late } = selectDue.get(endpointId, batchId) as { head: number | null; late: number | null }
    const due = [head, late].filter(at => at !== null)
    if (due.length === 0) remove.run(endpointId, batchId)
    else setDue.run(endpointId, batchId, Math.min(...due))
  }
}

/** Inside a transaction: hands out deliveries that are due, the longest waiting endpoint first. */
export function deliveryClaims(connection: Connection) {
  const selectDueEndpoints = connection.prepare(
    `SELECT * FROM (SELECT e.id, (SELECT min(due_at) FROM webhook_lanes l WHERE l.endpoint_id = e.id AND l.lease_until <= ?1) AS due
       FROM webhook_endpoints e WHERE e.enabled = 1) WHERE due IS NOT NULL ORDER BY due`,
  )
  // `> 0` for the partial index, which holds the few lanes that are leased.
  const selectLeases = connection.prepare(
    'SELECT min(lease_until) AS first FROM webhook_lanes WHERE lease_until > 0 AND lease_until > ?',
  )
  const countLeased = connection.prepare(
    'SELECT count(*) AS leased FROM webhook_lanes WHERE endpoint_id = ? AND lease_until > 0 AND lease_until > ?',
  )
  const selectLanes = connection.prepare(
    'SELECT batch_id FROM webhook_lanes WHERE endpoint_id = ?1 AND due_at <= ?2 AND lease_until <= ?2 ORDER BY due_at LIMIT ?3',
  )
  const selectNext = connection.prepare(
    `SELECT * FROM (SELECT * FROM webhook_deliveries WHERE endpoint_id = ?1 AND batch_id = ?2 AND ${inOrder} ORDER BY id LIMIT 1)
     UNION ALL SELECT * FROM (SELECT * FROM webhook_deliveries WHERE endpoint_id = ?1 AND batch_id = ?2 AND ${overtaken} ORDER BY due_at LIMIT 1)
     ORDER BY due_at, overtaken LIMIT 1`,
  )
  const lease = connection.prepare(
    'UPDATE webhook_lanes SET node_id = ?, lease_until = ? WHERE endpoint_id = ? AND batch_id = ?',
  )
  const selectOne = connection.prepare(`${selectEndpoint} WHERE e.id = ?`)
  const selectEvent = connection.prepare('SELECT * FROM events WHERE id = ?')

  return ({ nodeId, now, ...bounds }: ClaimDeliveries): ClaimedDeliveries => {
    const claimed: ClaimedDelivery[] = []
    let wakeAt = (selectLeases.get(now) as Row).first as number | null
    for (const { id, due } of selectDueEndpoints.all(now) as { id: number; due: number }[]) {
      if (due > now) {
        wakeAt = Math.min(wakeAt ?? due, due)
        break
      }
      if (claimed.length >= bounds.limit) break
      const endpoint = toEndpoint(selectOne.get(id) as Row)
      const most = endpoint.failingSince === null ? bounds.perEndpoint : bounds.perFailingEndpoint
      const free = Math.min(most - (countLeased.get(id, now) as Row).leased, bounds.limit - claimed.length)
      for (const { batch_id: batchId } of free > 0 ? (selectLanes.all(id, now, free) as Row[]) : []) {
        const delivery = toDelivery(selectNext.get(id, batchId) as Row)
        const event = selectEvent.get(delivery.eventId) as Row | undefined
        lease.run(nodeId, now + bounds.leaseMs, id, batchId)
        claimed.push({ delivery, endpoint, event: event === undefined ? null : toEvent(event) })
      }
    }
    return { claimed, wakeAt }
  }
}

/** When the oldest event happened that waits in a lane of an enabled endpoint. */
export function oldestWaiting(connection: Connection): number | null {
  const lanes = 'webhook_lanes l JOIN webhook_endpoints e ON e.id = l.endpoint_id AND e.enabled = 1'
  const ofLane = 'FROM webhook_deliveries WHERE endpoint_id = l.endpoint_id AND batch_id = l.batch_id AND'
  const row = connection
    .prepare(
      `SELECT min(at) AS at FROM (
         SELECT (SELECT event_at ${ofLane} ${inOrder} ORDER BY id LIMIT 1) AS at FROM ${lanes}
         UNION ALL SELECT (SELECT min(event_at) ${ofLane} ${overtaken}) AS at FROM ${lanes})`,
    )
    .get() as Row
  return row.at
}

// Lanes: one for each endpoint and batch with something to deliver. A lane's lease is the right to deliver, one at a time.
// Whoever touches the lanes of an endpoint holds its row of webhook_progress, so that its bounds hold for all nodes.
import { type Row, toEvent } from '../rows.ts'
import type { ClaimDeliveries, ClaimedDeliveries, ClaimedDelivery } from '../webhook-records.ts'
import { toDelivery, toEndpoint } from '../webhook-rows.ts'
import { columns } from './columns.ts'
import type { Transaction } from './transaction.ts'
import { selectEndpoint } from './webhook-endpoints.ts'

const inOrder = `status = 'waiting' AND NOT overtaken`
const overtaken = `status = 'waiting' AND overtaken`
/** An endpoint that another node has in hand is asked for again after this. */
const lockedAgainMs = 20

export interface Lane {
  endpointId: number
  batchId: number
}

/** When each lane's next delivery is due; a lane with none goes away. */
export async function keepLanes(tx: Transaction, lanes: readonly Lane[]): Promise<void> {
  const ofLane = 'FROM webhook_deliveries WHERE endpoint_id = l.endpoint_id AND batch_id = l.batch_id AND'
  const unique = [...new Map(lanes.map(lane => [`${lane.endpointId} ${lane.batchId}`, lane])).values()]
  await tx.change(
    `WITH due AS MATERIALIZED (SELECT l.endpoint_id, l.batch_id,
         least((SELECT due_at ${ofLane} ${inOrder} ORDER BY id LIMIT 1), (SELECT min(due_at) ${ofLane} ${overtaken})) AS due_at
       FROM unnest($1::bigint[], $2::bigint[]) AS l (endpoint_id, batch_id)),
     gone AS (DELETE FROM webhook_lanes w USING due d
       WHERE w.endpoint_id = d.endpoint_id AND w.batch_id = d.batch_id AND d.due_at IS NULL)
     INSERT INTO webhook_lanes (endpoint_id, batch_id, due_at)
     SELECT endpoint_id, batch_id, due_at FROM due WHERE due_at IS NOT NULL
     ON CONFLICT (endpoint_id, batch_id) DO UPDATE SET due_at = excluded.due_at`,
    [unique.map(({ endpointId }) => endpointId), unique.map(({ batchId }) => batchId)],
  )
}

/** Hands out deliveries that are due, the longest waiting endpoint first. */
export async function claimLanes(
  tx: Transaction,
  { nodeId, now, ...bounds }: ClaimDeliveries,
): Promise<ClaimedDeliveries> {
  const due = await tx.rows(
    `SELECT id, due FROM (SELECT e.id, (SELECT min(due_at) FROM webhook_lanes l WHERE l.endpoint_id = e.id AND l.lease_until <= $1) AS due
       FROM webhook_endpoints e WHERE e.enabled) AS d WHERE due IS NOT NULL ORDER BY due, id`,
    [now],
  )
  const leases = await tx.row(
    'SELECT min(lease_until) AS first FROM webhook_lanes WHERE lease_until > 0 AND lease_until > $1',
    [now],
  )
  const claimed: ClaimedDelivery[] = []
  let wakeAt: number | null = leases?.first ?? null
  const wakeBy = (at: number) => {
    wakeAt = Math.min(wakeAt ?? at, at)
  }
  for (const { id, due: dueAt } of due) {
    if (dueAt > now) {
      wakeBy(dueAt)
      break
    }
    if (claimed.length >= bounds.limit) break
    const limits = { ...bounds, limit: bounds.limit - claimed.length }
    const ofEndpoint = await claimOf(tx, id, { nodeId, now, ...limits })
    if (ofEndpoint === null) wakeBy(now + lockedAgainMs)
    else claimed.push(...ofEndpoint)
  }
  return { claimed, wakeAt }
}

/** null: another node has the endpoint in hand. */
async function claimOf(
  tx: Transaction,
  id: number,
  { nodeId, now, limit, leaseMs, perEndpoint, perFailingEndpoint }: ClaimDeliveries,
): Promise<ClaimedDelivery[] | null> {
  const row = await tx.row(`${selectEndpoint} WHERE e.id = $1 AND e.enabled FOR UPDATE OF p SKIP LOCKED`, [
    id,
  ])
  if (row === undefined) return null
  const endpoint = toEndpoint(row)
  const { leased } = (await tx.row(
    'SELECT count(*) AS leased FROM webhook_lanes WHERE endpoint_id = $1 AND lease_until > 0 AND lease_until > $2',
    [id, now],
  )) as Row
  const free = Math.min((endpoint.failingSince === null ? perEndpoint : perFailingEndpoint) - leased, limit)
  if (free <= 0) return []
  const lanes = await tx.rows(
    `UPDATE webhook_lanes SET node_id = $1, lease_until = $2 WHERE endpoint_id = $3 AND batch_id = ANY (ARRAY(
       SELECT batch_id FROM webhook_lanes WHERE endpoint_id = $3 AND due_at <= $4 AND lease_until <= $4 ORDER BY due_at LIMIT $5))
     RETURNING batch_id`,
    [nodeId, now + leaseMs, id, now, free],
  )
  return nextOf(
    tx,
    endpoint,
    lanes.map(lane => lane.batch_id as number),
  )
}

async function nextOf(
  tx: Transaction,
  endpoint: ClaimedDelivery['endpoint'],
  batchIds: readonly number[],
): Promise<ClaimedDelivery[]> {
  if (batchIds.length === 0) return []
  const ofLane = `SELECT ${columns('webhook_deliveries', 'd')} FROM webhook_deliveries d WHERE d.endpoint_id = $1 AND d.batch_id = l.batch_id AND`
  const deliveries = await tx.rows(
    `SELECT n.* FROM unnest($2::bigint[]) AS l (batch_id) CROSS JOIN LATERAL (
       (${ofLane} ${inOrder} ORDER BY d.id LIMIT 1) UNION ALL (${ofLane} ${overtaken} ORDER BY d.due_at LIMIT 1)
       ORDER BY due_at, overtaken LIMIT 1) n ORDER BY n.due_at, n.id`,
    [endpoint.id, batchIds],
  )
  const events = await tx.rows(`SELECT ${columns('events')} FROM events WHERE id = ANY ($1::bigint[])`, [
    deliveries.map(row => row.event_id),
  ])
  const eventOf = new Map(events.map(row => [row.id as number, toEvent(row)]))
  return deliveries.map(row => ({
    delivery: toDelivery(row),
    endpoint,
    event: eventOf.get(row.event_id) ?? null,
  }))
}

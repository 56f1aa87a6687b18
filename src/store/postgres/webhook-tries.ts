// What came of tries: written for all of them at once, by the node that holds their lanes, and by no other.
import type { Row } from '../rows.ts'
import type { TriedDelivery } from '../webhook-records.ts'
import type { Transaction } from './transaction.ts'
import { keepLanes } from './webhook-lanes.ts'

/** A try with its delivery's row. */
interface Held {
  row: Row
  tried: TriedDelivery
}

/** False for one that is not this node's any more. */
export async function recordTried(
  tx: Transaction,
  tried: readonly TriedDelivery[],
  nodeId: string,
  now: number,
): Promise<boolean[]> {
  if (tried.length === 0) return []
  const ids = tried.map(({ deliveryId }) => deliveryId)
  const progress = await tx.rows(
    `SELECT endpoint_id, waiting, failing_since, last_delivered_at FROM webhook_progress
     WHERE endpoint_id IN (SELECT endpoint_id FROM webhook_deliveries WHERE id = ANY ($1::bigint[]))
     ORDER BY endpoint_id FOR UPDATE`,
    [ids],
  )
  const rows = await tx.rows(
    `SELECT d.id, d.endpoint_id, d.batch_id, d.tries, e.workspace_id, e.enabled FROM webhook_deliveries d
       JOIN webhook_endpoints e ON e.id = d.endpoint_id
       JOIN webhook_lanes l ON l.endpoint_id = d.endpoint_id AND l.batch_id = d.batch_id
     WHERE d.id = ANY ($1::bigint[]) AND d.status = 'waiting' AND l.node_id = $2`,
    [ids, nodeId],
  )
  const rowOf = new Map(rows.map(row => [row.id as number, row]))
  const held = tried.flatMap(one => {
    const row = rowOf.get(one.deliveryId)
    return row === undefined ? [] : [{ row, tried: one }]
  })
  if (held.length > 0) {
    await settle(tx, held, now)
    await writeProgress(tx, held, progress, now)
    await giveBack(tx, held)
    await disable(tx, held, now)
  }
  return tried.map(({ deliveryId }) => rowOf.has(deliveryId))
}

async function settle(tx: Transaction, held: readonly Held[], now: number): Promise<void> {
  const nexts = held.map(({ tried }) => tried.next)
  await tx.change(
    `UPDATE webhook_deliveries d SET status = t.status, overtaken = d.overtaken OR t.overtaken, due_at = t.due_at,
       tries = t.tries, finished_at = t.finished_at
     FROM unnest($1::bigint[], $2::text[], $3::boolean[], $4::bigint[], $5::text[], $6::bigint[])
       AS t (id, status, overtaken, due_at, tries, finished_at) WHERE d.id = t.id`,
    [
      held.map(({ row }) => row.id),
      nexts.map(next => (next.kind === 'retry' ? 'waiting' : next.kind)),
      nexts.map(next => next.kind === 'retry' && next.overtaken),
      nexts.map(next => (next.kind === 'retry' ? next.dueAt : null)),
      held.map(({ row, tried: { made } }) =>
        made === null ? row.tries : JSON.stringify([...JSON.parse(row.tries), made]),
      ),
      nexts.map(next => (next.kind === 'retry' ? null : now)),
    ],
  )
}

/** In the order of the tries: the last one says whether an endpoint fails. */
async function writeProgress(
  tx: Transaction,
  held: readonly Held[],
  progress: readonly Row[],
  now: number,
): Promise<void> {
  const rowOf = new Map(progress.map(row => [row.endpoint_id as number, { ...row }]))
  for (const { row, tried } of held) {
    const one = rowOf.get(row.endpoint_id)
    if (one === undefined) continue
    const { kind } = tried.next
    if (kind !== 'retry') one.waiting--
    if (kind === 'delivered') Object.assign(one, { failing_since: null, last_delivered_at: now })
    else if (kind !== 'skipped') one.failing_since ??= now
  }
  const changed = [...rowOf.values()]
  const column = (name: string) => changed.map(row => row[name])
  await tx.change(
    `UPDATE webhook_progress p SET waiting = t.waiting, failing_since = t.failing_since, last_delivered_at = t.last_delivered_at
     FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[])
       AS t (endpoint_id, waiting, failing_since, last_delivered_at) WHERE p.endpoint_id = t.endpoint_id`,
    [column('endpoint_id'), column('waiting'), column('failing_since'), column('last_delivered_at')],
  )
}

async function giveBack(tx: Transaction, held: readonly Held[]): Promise<void> {
  const lanes = held.map(({ row }) => ({ endpointId: row.endpoint_id, batchId: row.batch_id }))
  await tx.change(
    `UPDATE webhook_lanes w SET node_id = NULL, lease_until = 0
     FROM unnest($1::bigint[], $2::bigint[]) AS t (endpoint_id, batch_id)
     WHERE w.endpoint_id = t.endpoint_id AND w.batch_id = t.batch_id`,
    [lanes.map(({ endpointId }) => endpointId), lanes.map(({ batchId }) => batchId)],
  )
  await keepLanes(tx, lanes)
}

async function disable(tx: Transaction, held: readonly Held[], now: number): Promise<void> {
  for (const { row, tried } of held) {
    if (tried.disable === null || !row.enabled) continue
    const disabled = await tx.change(
      'UPDATE webhook_endpoints SET enabled = false, disabled_reason = $2, updated_at = $3 WHERE id = $1 AND enabled',
      [row.endpoint_id, tried.disable, now],
    )
    const data = JSON.stringify({ endpointId: row.endpoint_id, reason: tried.disable })
    if (disabled === 1) tx.emit(row.workspace_id, null, 'webhook-endpoint.disabled', now, data)
  }
}

// Nodes and their leases: who lives, who holds which open attempt, and who takes over what nobody holds any more.
import type { DispatchStore } from '../dispatch-store.ts'
import { forgetNodeAfterMs, toNode, toOrphan } from '../node-rows.ts'
import type { Row } from '../rows.ts'
import { columns } from './columns.ts'
import type { Connection } from './connection.ts'
import { databaseNow } from './database-time.ts'
import type { Reader, Transaction } from './transaction.ts'

type Family = Pick<DispatchStore, 'keepDialogs' | 'heartbeat' | 'adoptOrphans' | 'listNodes' | 'removeNode'>

export function nodeStatements(connection: Connection): Family {
  return {
    keepDialogs: (dialogs, nodeId) =>
      connection.write(async tx => {
        const kept = await tx.rows(
          `UPDATE open_attempts o SET dialog = d.dialog FROM unnest($2::bigint[], $3::text[]) AS d (id, dialog)
           WHERE o.id = d.id AND o.node_id = $1 RETURNING o.id`,
          [nodeId, dialogs.map(({ attemptId }) => attemptId), dialogs.map(({ dialog }) => dialog)],
        )
        const ids = new Set(kept.map(({ id }) => id as number))
        return dialogs.map(({ attemptId }) => ids.has(attemptId))
      }),

    heartbeat: ({ id, name, role, version, startedAt, load }, attemptIds, leaseMs) =>
      connection.write(async tx => {
        const storeNow = await readDatabaseTime(tx)
        await tx.change(
          `INSERT INTO nodes (id, name, role, version, started_at, seen_at, load) VALUES ($1, $2, $3, $4, $5, $6, $7)
           ON CONFLICT (id) DO UPDATE SET seen_at = $6, load = $7`,
          [id, name, role, version, startedAt, storeNow, JSON.stringify(load)],
        )
        await tx.change('DELETE FROM nodes WHERE seen_at < $1', [storeNow - forgetNodeAfterMs])
        const renewed = await tx.rows(
          `UPDATE open_attempts SET lease_until = $3 WHERE id = ANY (ARRAY(
             SELECT id FROM open_attempts WHERE id = ANY ($2::bigint[]) AND node_id = $1 ORDER BY id FOR UPDATE))
           RETURNING id`,
          [id, attemptIds, storeNow + leaseMs],
        )
        const held = new Set(renewed.map(row => row.id as number))
        return { lost: attemptIds.filter(attemptId => !held.has(attemptId)), storeNow }
      }),

    adoptOrphans: request => connection.write(tx => adopt(tx, request)),

    listNodes: async () =>
      (await connection.rows(`SELECT ${columns('nodes')} FROM nodes ORDER BY id COLLATE "C"`)).map(toNode),

    removeNode: nodeId =>
      connection.write(async tx => {
        await tx.change('DELETE FROM nodes WHERE id = $1', [nodeId])
      }),
  }
}

/**
 * Whom another node takes over at this moment is passed over: each orphan goes to one. They are looked for once, before
 * anything is changed: in a join the planner may look again for each row.
 */
async function adopt(
  tx: Transaction,
  { nodeId, leaseMs, known, alone, maxAttempts }: Parameters<Family['adoptOrphans']>[0],
) {
  const adopted = await tx.rows(
    `UPDATE open_attempts SET node_id = $1, lease_until = ${databaseNow} + $2 WHERE id = ANY (ARRAY(
       SELECT id FROM open_attempts
       WHERE (lease_until <= ${databaseNow} OR ($3 AND node_id <> $1)) AND NOT (node_id = $1 AND id = ANY ($4::bigint[]))
       ORDER BY id LIMIT $5 FOR UPDATE SKIP LOCKED))
     RETURNING id`,
    [nodeId, leaseMs, alone, known, maxAttempts],
  )
  if (adopted.length === 0) return []
  const rows = await tx.rows(
    `SELECT ${columns('open_attempts', 'o')}, d.variables, r.put_backs, r.first_put_back_at, n.e164, t.kind, b.retry, b.ring_timeout_ms, b.max_call_ms,
       b.record, b.trace, b.answering_machine
     FROM open_attempts o JOIN recipients r ON r.id = o.recipient_id JOIN recipient_details d ON d.id = o.recipient_id
       JOIN phone_numbers n ON n.id = o.phone_number_id JOIN trunks t ON t.id = o.trunk_id
       JOIN batches b ON b.id = o.batch_id
     WHERE o.id = ANY ($1::bigint[]) ORDER BY o.id`,
    [adopted.map(({ id }) => id)],
  )
  return rows.map(toOrphan)
}

export async function readDatabaseTime(reader: Reader): Promise<number> {
  return ((await reader.row(`SELECT ${databaseNow} AS now`)) as Row).now
}

// Nodes and their leases: who lives, who holds which open attempt, and who takes over what nobody holds any more.
import type { DispatchStore } from '../dispatch-store.ts'
import type { Heartbeat } from '../node-records.ts'
import { forgetNodeAfterMs, toNode, toOrphan } from '../node-rows.ts'
import type { Row } from '../rows.ts'
import type { Connection } from './connection.ts'

type Family = Pick<DispatchStore, 'keepDialogs' | 'heartbeat' | 'adoptOrphans' | 'listNodes' | 'removeNode'>

export function nodeStatements(connection: Connection): Family {
  const upsert = connection.prepare(
    `INSERT INTO nodes (id, name, role, version, started_at, seen_at, load) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at, load = excluded.load`,
  )
  const forget = connection.prepare('DELETE FROM nodes WHERE seen_at < ?')
  const renew = connection.prepare('UPDATE open_attempts SET lease_until = ? WHERE id = ? AND node_id = ?')
  const takeOver = connection.prepare('UPDATE open_attempts SET node_id = ?, lease_until = ? WHERE id = ?')
  const remove = connection.prepare('DELETE FROM nodes WHERE id = ?')
  const list = connection.prepare('SELECT * FROM nodes ORDER BY id')
  const orphans = connection.prepare(
    `SELECT o.*, r.variables, r.put_backs, r.first_put_back_at, n.e164, t.kind, b.retry,
       b.ring_timeout_ms, b.max_call_ms, b.record, b.trace, b.answering_machine
     FROM open_attempts o JOIN recipients r ON r.id = o.recipient_id JOIN phone_numbers n ON n.id = o.phone_number_id
       JOIN trunks t ON t.id = o.trunk_id JOIN batches b ON b.id = o.batch_id
     WHERE (o.lease_until <= ?1 OR (?2 AND o.node_id <> ?3))
       AND NOT (o.node_id = ?3 AND o.id IN (SELECT value FROM json_each(?4)))
     ORDER BY o.id LIMIT ?5`,
  )

  const keepDialog = connection.prepare('UPDATE open_attempts SET dialog = ? WHERE id = ? AND node_id = ?')

  return {
    keepDialogs: (dialogs, nodeId) =>
      connection.write(() =>
        dialogs.map(({ attemptId, dialog }) => keepDialog.run(dialog, attemptId, nodeId).changes === 1),
      ),

    heartbeat: ({ id, name, role, version, startedAt, load }, attemptIds, leaseMs) =>
      connection.write((): Heartbeat => {
        const storeNow = connection.now()
        upsert.run(id, name, role, version, startedAt, storeNow, JSON.stringify(load))
        forget.run(storeNow - forgetNodeAfterMs)
        const lost = attemptIds.filter(
          attemptId => renew.run(storeNow + leaseMs, attemptId, id).changes === 0,
        )
        return { lost, storeNow }
      }),

    adoptOrphans: ({ nodeId, leaseMs, known, alone, maxAttempts }) =>
      connection.write(() => {
        const storeNow = connection.now()
        const rows = orphans.all(storeNow, alone ? 1 : 0, nodeId, JSON.stringify(known), maxAttempts) as Row[]
        for (const { id } of rows) takeOver.run(nodeId, storeNow + leaseMs, id)
        return rows.map(toOrphan)
      }),

    listNodes: async () => list.all().map(toNode),

    removeNode: nodeId =>
      connection.write(() => {
        remove.run(nodeId)
      }),
  }
}

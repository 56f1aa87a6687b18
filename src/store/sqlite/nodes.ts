// Nodes and their leases: who lives, who holds which open attempt, and who takes over what nobody holds any more.
import type { OrphanedAttempt } from '../dispatch-records.ts'
import type { DispatchStore } from '../dispatch-store.ts'
import type { Heartbeat, Node } from '../node-records.ts'
import type { Connection } from './connection.ts'
import type { Row } from './rows.ts'

/** A node that was silent for so long is listed no more. */
const forgetNodeAfterMs = 60 * 60_000

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
       b.ring_timeout_ms, b.max_call_ms, b.record, b.answering_machine
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

function toNode(row: Row): Node {
  return {
    id: row.id,
    name: row.name,
    role: row.role,
    version: row.version,
    startedAt: row.started_at,
    seenAt: row.seen_at,
    load: JSON.parse(row.load),
  }
}

function toOrphan(row: Row): OrphanedAttempt {
  return {
    attemptId: row.id,
    workspaceId: row.workspace_id,
    batchId: row.batch_id,
    recipientId: row.recipient_id,
    trunkId: row.trunk_id,
    phoneNumberId: row.phone_number_id,
    agentId: row.agent_id,
    number: row.number,
    callerId: row.e164,
    zone: row.zone,
    variablesJson: row.variables,
    ordinal: row.ordinal,
    putBacks: row.put_backs,
    firstPutBackAt: row.first_put_back_at,
    slotAt: row.slot_at,
    dialBefore: null,
    trunkSpacingMs: 0,
    batchSpacingMs: 0,
    ringTimeoutMs: row.ring_timeout_ms,
    maxCallMs: row.max_call_ms,
    record: row.record === 1,
    answeringMachine: row.answering_machine,
    retry: JSON.parse(row.retry),
    status: row.status,
    callId: row.call_id,
    answeredAt: row.answered_at,
    dialedAt: row.dialed_at,
    trunkKind: row.kind,
    dialog: row.dialog,
  }
}

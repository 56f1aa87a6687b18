// Nodes and orphaned attempts as the engines give them.
import type { OrphanedAttempt } from './dispatch-records.ts'
import type { Node } from './node-records.ts'
import type { Row } from './rows.ts'

/** A node that was silent for so long is listed no more. */
export const forgetNodeAfterMs = 60 * 60_000

export function toNode(row: Row): Node {
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

export function toOrphan(row: Row): OrphanedAttempt {
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
    record: Boolean(row.record),
    trace: Boolean(row.trace),
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

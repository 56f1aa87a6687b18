// A list on its way in: rows are stored while the batch is `importing`, and it goes live or goes away as a whole.
import type { Batch, IngestCounts } from '../../domain/batch.ts'
import { maxRecipientsPerBatch, recipientId } from '../../domain/recipient-id.ts'
import { batchFull, batchNotFound, refuseAddition } from '../refusals.ts'
import type { Row } from '../rows.ts'
import type { AcceptedRow, RejectedRow, Store } from '../store.ts'
import type { Connection } from './connection.ts'
import { discardRows } from './discard-rows.ts'
import { saveAnswer } from './idempotency.ts'
import { completeIfDone, ProgressChanges, setBatchStatus } from './moves.ts'
import { insertBatch } from './new-batch.ts'
import { readBatch } from './read-batch.ts'

type Family = Pick<
  Store,
  'findIdenticalBatch' | 'beginImport' | 'importRows' | 'finishImport' | 'discardImport' | 'addRecipients'
>

export function importStatements(connection: Connection): Family {
  const store = importRowsInto(connection)

  return {
    findIdenticalBatch: async ({ workspaceId, agentId, name, contentHash }, since) => {
      const row = connection
        .prepare(
          `SELECT id FROM batches WHERE workspace_id = ? AND agent_id = ? AND name = ? AND content_hash = ?
             AND created_at > ? AND status NOT IN ('importing', 'cancelled', 'failed') ORDER BY id LIMIT 1`,
        )
        .get(workspaceId, agentId, name, contentHash, since) as Row | undefined
      return row === undefined ? null : readBatch(connection, row.id)
    },

    beginImport: batch => connection.write(() => insertBatch(connection, batch)),

    importRows: (batchId, accepted, rejected) =>
      connection.write(() => {
        store(batchId, accepted, rejected)
      }),

    async finishImport(batchId, { rows }, decide, now, idempotency) {
      const outcome = await connection.write((): Batch | { refusal: unknown } => {
        connection.prepare('UPDATE batches SET rows = ? WHERE id = ?').run(rows, batchId)
        const batch = readBatch(connection, batchId)
        try {
          decide(batch.ingest)
        } catch (refusal) {
          return { refusal }
        }
        goLive(connection, batch, now)
        const live = readBatch(connection, batchId)
        saveAnswer(connection, batch.workspaceId, idempotency, live)
        return live
      })
      if ('id' in outcome) return outcome
      await discardRows(connection, batchId)
      throw outcome.refusal
    },

    async discardImport(batchId) {
      const importing = connection.prepare(`SELECT 1 FROM batches WHERE id = ? AND status = 'importing'`)
      if (importing.get(batchId) !== undefined) await discardRows(connection, batchId)
    },

    addRecipients: (workspaceId, batchId, accepted, rejected, rows, now, idempotency) =>
      connection.write((): IngestCounts => {
        const batch = openBatch(connection, workspaceId, batchId)
        const before = batch.ingest
        const offset = lastRowNumber(connection, batchId)
        const numberedOn = <R extends { rowNumber: number }>(row: R) => ({
          ...row,
          rowNumber: row.rowNumber + offset,
        })
        store(batchId, accepted.map(numberedOn), rejected.map(numberedOn))
        connection
          .prepare('UPDATE batches SET rows = rows + ?, updated_at = ? WHERE id = ?')
          .run(rows, now, batchId)
        const after = readBatch(connection, batchId).ingest
        const added: IngestCounts = {
          rows,
          accepted: after.accepted - before.accepted,
          invalid: after.invalid - before.invalid,
          duplicate: after.duplicate - before.duplicate,
          suppressed: after.suppressed - before.suppressed,
        }
        connection.emit(workspaceId, batchId, 'recipients.added', now, JSON.stringify(added))
        connection.workChanged()
        saveAnswer(connection, workspaceId, idempotency, added)
        return added
      }),
  }
}

function goLive(connection: Connection, batch: Batch, now: number): void {
  const { startAs } = connection
    .prepare('SELECT start_as AS startAs FROM batches WHERE id = ?')
    .get(batch.id) as Row
  const data = JSON.stringify({ totalRecipients: batch.totalRecipients })
  connection.emit(batch.workspaceId, batch.id, 'batch.created', now, data)
  if (startAs === 'draft') setBatchStatus(connection, batch, 'draft', null, now)
  else if (batch.scheduledAt !== null && batch.scheduledAt > now)
    setBatchStatus(connection, batch, 'scheduled', 'batch.scheduled', now)
  else {
    setBatchStatus(connection, batch, 'running', 'batch.started', now)
    completeIfDone(connection, batch.id, now)
  }
}

function openBatch(connection: Connection, workspaceId: number, batchId: number): Batch {
  const row = connection
    .prepare(`SELECT 1 FROM batches WHERE id = ? AND workspace_id = ? AND status <> 'importing'`)
    .get(batchId, workspaceId)
  if (row === undefined) throw batchNotFound(batchId)
  const batch = readBatch(connection, batchId)
  refuseAddition(batch)
  return batch
}

/** Rows that are added later are numbered on, so that row numbers stay unique and in order within a batch. */
function lastRowNumber(connection: Connection, batchId: number): number {
  const row = connection
    .prepare(
      `SELECT max(
         coalesce((SELECT row_number FROM recipients WHERE id BETWEEN ?2 AND ?3 ORDER BY id DESC LIMIT 1), 0),
         coalesce((SELECT max(row_number) FROM rejected_rows WHERE batch_id = ?1), 0)) AS last`,
    )
    .get(batchId, recipientId(batchId, 0), recipientId(batchId, maxRecipientsPerBatch)) as Row
  return row.last
}

/** Stores a chunk of rows inside the transaction under way; what the suppression list or the batch has goes to the report. */
function importRowsInto(connection: Connection) {
  const insertRecipient = connection.prepare(
    `INSERT INTO recipients (id, batch_id, row_number, standing, due_at, number, zone, variables)
     VALUES (?, ?, ?, 'queued', 0, ?, ?, ?) ON CONFLICT (batch_id, number) DO NOTHING`,
  )
  const insertZone = connection.prepare('INSERT OR IGNORE INTO batch_zones (batch_id, zone) VALUES (?, ?)')
  const insertRejected = connection.prepare(
    'INSERT INTO rejected_rows (batch_id, row_number, status, code, value) VALUES (?, ?, ?, ?, ?)',
  )
  const lastPosition = connection.prepare('SELECT accepted, workspace_id FROM batches WHERE id = ?')
  const anySuppression = connection.prepare('SELECT 1 FROM suppressions WHERE workspace_id = ? LIMIT 1')
  const isSuppressed = connection.prepare('SELECT 1 FROM suppressions WHERE workspace_id = ? AND number = ?')
  const addCounts = connection.prepare(
    `UPDATE batches SET accepted = accepted + ?, invalid = invalid + ?, duplicate = duplicate + ?,
       suppressed = suppressed + ? WHERE id = ?`,
  )

  return (batchId: number, accepted: readonly AcceptedRow[], rejected: readonly RejectedRow[]) => {
    const { accepted: stored, workspace_id: workspaceId } = lastPosition.get(batchId) as Row
    if (stored + accepted.length > maxRecipientsPerBatch) throw batchFull()
    const checkSuppressions = anySuppression.get(workspaceId) !== undefined
    const counts = { accepted: 0, invalid: 0, duplicate: 0, suppressed: 0 }
    const zones = new Set<string>()
    const reject = ({ rowNumber, status, code, value }: RejectedRow) => {
      insertRejected.run(batchId, rowNumber, status, code, value)
      counts[status]++
    }
    for (const { rowNumber, number, zone, variablesJson } of accepted) {
      if (checkSuppressions && isSuppressed.get(workspaceId, number) !== undefined) {
        reject({ rowNumber, status: 'suppressed', code: 'suppressed', value: number })
        continue
      }
      const id = recipientId(batchId, stored + counts.accepted + 1)
      const { changes } = insertRecipient.run(id, batchId, rowNumber, number, zone, variablesJson)
      if (changes === 0) reject({ rowNumber, status: 'duplicate', code: 'duplicate', value: number })
      else {
        counts.accepted++
        zones.add(zone)
      }
    }
    for (const row of rejected) reject(row)
    for (const zone of zones) insertZone.run(batchId, zone)
    addCounts.run(counts.accepted, counts.invalid, counts.duplicate, counts.suppressed, batchId)
    const changes = new ProgressChanges()
    if (counts.accepted > 0) changes.move(batchId, null, 'queued', counts.accepted)
    changes.write(connection)
  }
}

// A chunk of a list's rows, stored in a few statements whatever its length.
import { maxRecipientsPerBatch, recipientId } from '../../domain/recipient-id.ts'
import { batchFull } from '../refusals.ts'
import type { Row } from '../rows.ts'
import type { AcceptedRow, RejectedRow } from '../store.ts'
import { ProgressChanges } from './moves.ts'
import type { Reader, Transaction } from './transaction.ts'

export interface RowCounts {
  accepted: number
  invalid: number
  duplicate: number
  suppressed: number
}

/** In the transaction under way, which has locked the batch. What the suppression list or the batch has goes to the report. */
export async function storeRows(
  tx: Transaction,
  batchId: number,
  given: readonly AcceptedRow[],
  rejected: readonly RejectedRow[],
): Promise<RowCounts> {
  const batch = await tx.row('SELECT accepted, workspace_id FROM batches WHERE id = $1', [batchId])
  const { accepted: stored, workspace_id: workspaceId } = batch as Row
  if (stored + given.length > maxRecipientsPerBatch) throw batchFull()
  const { accepted, refused } = await screen(tx, workspaceId, batchId, given)
  const report = [...refused, ...rejected]
  const counts: RowCounts = { accepted: accepted.length, invalid: 0, duplicate: 0, suppressed: 0 }
  for (const { status } of report) counts[status]++
  await Promise.all([
    insertRecipients(tx, batchId, stored, accepted),
    insertReport(tx, batchId, report),
    tx.change(
      `UPDATE batches SET accepted = accepted + $2, invalid = invalid + $3, duplicate = duplicate + $4,
         suppressed = suppressed + $5 WHERE id = $1`,
      [batchId, counts.accepted, counts.invalid, counts.duplicate, counts.suppressed],
    ),
  ])
  const changes = new ProgressChanges()
  changes.move(batchId, null, 'queued', counts.accepted)
  await changes.write(tx)
  return counts
}

/** Rows are numbered on from the last, so that row numbers stay unique and in order within a batch. */
export async function lastRowNumber(reader: Reader, batchId: number): Promise<number> {
  const row = await reader.row(
    `SELECT greatest(
       (SELECT row_number FROM recipient_details WHERE id BETWEEN $2 AND $3 ORDER BY id DESC LIMIT 1),
       (SELECT max(row_number) FROM rejected_rows WHERE batch_id = $1), 0) AS last`,
    [batchId, recipientId(batchId, 0), recipientId(batchId, maxRecipientsPerBatch)],
  )
  return (row as Row).last
}

/** Parts off whoever is suppressed, in the batch already, or twice in this chunk. */
async function screen(
  tx: Transaction,
  workspaceId: number,
  batchId: number,
  given: readonly AcceptedRow[],
): Promise<{ accepted: AcceptedRow[]; refused: RejectedRow[] }> {
  const numbers = given.map(({ number }) => number)
  const known = await tx.rows(
    `SELECT n.number, s.number IS NOT NULL AS suppressed FROM unnest($3::text[]) AS n (number)
       LEFT JOIN suppressions s ON s.workspace_id = $1 AND s.number = n.number
       LEFT JOIN recipient_details d ON d.batch_id = $2 AND d.number = n.number
     WHERE s.number IS NOT NULL OR d.id IS NOT NULL`,
    [workspaceId, batchId, numbers],
  )
  const suppressed = new Set(known.filter(row => row.suppressed).map(row => row.number as string))
  const seen = new Set(known.map(row => row.number as string))
  const accepted: AcceptedRow[] = []
  const refused: RejectedRow[] = []
  for (const row of given) {
    const { rowNumber, number } = row
    if (!seen.has(number)) {
      seen.add(number)
      accepted.push(row)
      continue
    }
    const status = suppressed.has(number) ? 'suppressed' : 'duplicate'
    refused.push({ rowNumber, status, code: status, value: number })
  }
  return { accepted, refused }
}

async function insertRecipients(
  tx: Transaction,
  batchId: number,
  stored: number,
  accepted: readonly AcceptedRow[],
): Promise<void> {
  if (accepted.length === 0) return
  const base = recipientId(batchId, stored)
  const zones = accepted.map(({ zone }) => zone)
  await Promise.all([
    tx.change(
      `INSERT INTO recipient_details (id, batch_id, row_number, number, variables)
       SELECT $2::bigint + r.position, $1, r.row_number, r.number, r.variables
       FROM unnest($3::integer[], $4::text[], $5::text[]) WITH ORDINALITY AS r (row_number, number, variables, position)`,
      [
        batchId,
        base,
        accepted.map(({ rowNumber }) => rowNumber),
        accepted.map(({ number }) => number),
        accepted.map(({ variablesJson }) => variablesJson),
      ],
    ),
    tx.change(
      `INSERT INTO recipients (id, batch_id, standing, due_at, zone)
       SELECT $2::bigint + r.position, $1, 'queued', 0, r.zone FROM unnest($3::text[]) WITH ORDINALITY AS r (zone, position)`,
      [batchId, base, zones],
    ),
    tx.change(
      'INSERT INTO batch_zones (batch_id, zone) SELECT $1, zone FROM unnest($2::text[]) AS zone ON CONFLICT DO NOTHING',
      [batchId, [...new Set(zones)]],
    ),
  ])
}

async function insertReport(tx: Transaction, batchId: number, report: readonly RejectedRow[]): Promise<void> {
  if (report.length === 0) return
  await tx.change(
    `INSERT INTO rejected_rows (batch_id, row_number, status, code, value)
     SELECT $1, r.* FROM unnest($2::integer[], $3::text[], $4::text[], $5::text[]) AS r`,
    [
      batchId,
      report.map(({ rowNumber }) => rowNumber),
      report.map(({ status }) => status),
      report.map(({ code }) => code),
      report.map(({ value }) => value),
    ],
  )
}

// What is read and never changes anything: recipients, attempts, the ingest report, events, a recount.
import type { Progress, Standing } from '../../domain/recipient.ts'
import { standings } from '../../domain/recipient.ts'
import { maxRecipientsPerBatch, positionOf, recipientId } from '../../domain/recipient-id.ts'
import { type Row, toAttempt, toEvent } from '../rows.ts'
import type { IngestRow, Store } from '../store.ts'
import { attemptPage } from './attempt-pages.ts'
import type { Connection } from './connection.ts'
import { recipientReader } from './everybody.ts'
import { pageByStanding } from './recipient-pages.ts'

type Family = Pick<
  Store,
  | 'listRecipients'
  | 'countRecipients'
  | 'listAttempts'
  | 'countAttempts'
  | 'listIngestRows'
  | 'recount'
  | 'listEvents'
>

export function reportStatements(connection: Connection): Family {
  // Positions have no gaps, so a page is found by its first one: skipping half a million rows took 22 ms.
  const selectIds = connection.prepare(
    'SELECT id FROM recipients WHERE id > ? AND id <= ? ORDER BY id LIMIT ?',
  )
  const selectRecipient = connection.prepare('SELECT * FROM recipients WHERE id = ?')
  const recipient = recipientReader(connection)

  return {
    async listRecipients(workspaceId, batchId, { standings: wanted }, { afterPosition, offset, limit }) {
      if (!isVisible(connection, workspaceId, batchId)) return []
      const after = afterPosition ?? 0
      const ids =
        wanted === undefined
          ? selectIds
              .all(
                recipientId(batchId, after + (offset ?? 0)),
                recipientId(batchId, maxRecipientsPerBatch),
                limit,
              )
              .map((row: Row) => row.id as number)
          : await pageByStanding(connection, batchId, wanted, recipientId(batchId, after), offset ?? 0, limit)
      return ids.map(id => recipient(workspaceId, selectRecipient.get(id) as Row))
    },

    async countRecipients(batchId, wanted) {
      const row = connection.prepare('SELECT * FROM batch_progress WHERE batch_id = ?').get(batchId) as
        | Row
        | undefined
      return wanted.reduce((sum, standing) => sum + (row?.[standing.replaceAll('-', '_')] ?? 0), 0)
    },

    async listAttempts(workspaceId, { batchId }, page) {
      return attemptPage(connection, workspaceId, batchId ?? null, page).map(row => ({
        ...toAttempt(row),
        variables: JSON.parse(row.variables),
        recipientPosition: positionOf(row.recipient_id),
        recipientAttempts: row.recipient_attempts,
        standing: row.standing as Standing,
        maxAttempts: JSON.parse(row.retry_policy).maxAttempts as number,
        results: row.results === null ? null : JSON.parse(row.results),
        recordingBytes: row.recording_bytes,
      }))
    },

    async countAttempts(workspaceId, { batchId }) {
      const row = connection
        .prepare(
          `SELECT coalesce(sum(p.attempts), 0) AS count FROM batches b JOIN batch_progress p ON p.batch_id = b.id
           WHERE b.workspace_id = ?1 AND b.status <> 'importing' AND (?2 IS NULL OR b.id = ?2)`,
        )
        .get(workspaceId, batchId ?? null) as Row
      return row.count
    },

    async listIngestRows(workspaceId, batchId, { status }, { afterRow, limit }) {
      if (!isVisible(connection, workspaceId, batchId)) return []
      const after = afterRow ?? 0
      const rejected: IngestRow[] =
        status === 'accepted'
          ? []
          : connection
              .prepare(
                `SELECT row_number AS rowNumber, status, code, value FROM rejected_rows
                 WHERE batch_id = ?1 AND row_number > ?2 AND (?4 IS NULL OR status = ?4) ORDER BY row_number LIMIT ?3`,
              )
              .all(batchId, after, limit, status ?? null)
              .map(row => ({ ...row }) as unknown as IngestRow)
      const accepted: IngestRow[] =
        status !== undefined && status !== 'accepted'
          ? []
          : connection
              .prepare(
                `SELECT row_number AS rowNumber, number AS value FROM recipients
                 WHERE id > ? AND id <= ? ORDER BY id LIMIT ?`,
              )
              .all(
                recipientId(batchId, positionAtRow(connection, batchId, after)),
                recipientId(batchId, maxRecipientsPerBatch),
                limit,
              )
              .map((row: Row) => ({
                rowNumber: row.rowNumber,
                status: 'accepted',
                code: 'accepted',
                value: row.value,
              }))
      return [...rejected, ...accepted].sort((one, other) => one.rowNumber - other.rowNumber).slice(0, limit)
    },

    async recount(batchId) {
      const counts = Object.fromEntries(standings.map(standing => [standing, 0])) as Record<Standing, number>
      const rows = connection
        .prepare('SELECT standing, count(*) AS count FROM recipients WHERE batch_id = ? GROUP BY standing')
        .all(batchId) as Row[]
      for (const { standing, count } of rows) counts[standing as Standing] = count
      const sums = connection
        .prepare(
          `SELECT count(*) AS attempts, coalesce(sum(cost_millicents), 0) AS cost,
             coalesce(sum(CASE WHEN disposition IN ('answered', 'voicemail') THEN ended_at - answered_at END), 0) AS talk,
             coalesce(sum(disposition IN ('unreachable', 'blocked', 'carrier-failure', 'agent-failure')), 0) AS failed
           FROM attempts WHERE batch_id = ?`,
        )
        .get(batchId) as Row
      const { open } = connection
        .prepare(`SELECT count(*) AS open FROM open_attempts WHERE batch_id = ? AND status <> 'claimed'`)
        .get(batchId) as Row
      const recounted: Progress = {
        counts,
        talkMs: sums.talk,
        attempts: sums.attempts + open,
        endedAttempts: sums.attempts,
        failedAttempts: sums.failed,
        costMillicents: sums.cost,
      }
      return recounted
    },

    listEvents: async (workspaceId, { after, limit }) =>
      connection
        .prepare(
          'SELECT * FROM events WHERE id > ?1 AND (?2 IS NULL OR workspace_id = ?2) ORDER BY id LIMIT ?3',
        )
        .all(after ?? 0, workspaceId, limit)
        .map(toEvent),
  }
}

/** A batch that is importing, or being deleted, shows nothing yet, or nothing more. */
function isVisible(connection: Connection, workspaceId: number, batchId: number): boolean {
  const batch = connection
    .prepare(`SELECT 1 FROM batches WHERE id = ? AND workspace_id = ? AND status <> 'importing'`)
    .get(batchId, workspaceId)
  return batch !== undefined
}

/** The position of the last recipient at or before a row: row numbers grow with positions, so it is found by halving. */
function positionAtRow(connection: Connection, batchId: number, rowNumber: number): number {
  const rowAt = connection.prepare('SELECT row_number FROM recipients WHERE id = ?')
  const { accepted } = connection.prepare('SELECT accepted FROM batches WHERE id = ?').get(batchId) as Row
  let [low, high] = [0, accepted as number]
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    const row = rowAt.get(recipientId(batchId, middle)) as Row | undefined
    if (row !== undefined && row.row_number <= rowNumber) low = middle
    else high = middle - 1
  }
  return low
}

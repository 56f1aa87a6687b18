// What is read and never changes anything: recipients, attempts, the ingest report, events, a recount.
import { type Progress, type Recipient, type Standing, standings } from '../../domain/recipient.ts'
import { maxRecipientsPerBatch, positionOf, recipientId } from '../../domain/recipient-id.ts'
import { columnOf, progressColumns, type Row, toAttempt, toRecipient } from '../rows.ts'
import type { IngestRow, Store } from '../store.ts'
import { attemptPage, endedColumns, joins, openColumns } from './attempt-pages.ts'
import { columns } from './columns.ts'
import type { Connection } from './connection.ts'
import { readEvents } from './outbox.ts'
import { pageByStanding } from './recipient-pages.ts'
import type { Reader } from './transaction.ts'

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
  return {
    listRecipients: (workspaceId, batchId, { standings: wanted }, { afterPosition, offset = 0, limit }) =>
      connection.snapshot(async reader => {
        if (!(await isVisible(reader, workspaceId, batchId))) return []
        const after = afterPosition ?? 0
        // Positions have no gaps, so a page of everybody is found by its first one.
        const ids =
          wanted === undefined
            ? await pageByPosition(reader, batchId, after + offset, limit)
            : await pageByStanding(reader, batchId, wanted, recipientId(batchId, after), offset, limit)
        return readRecipients(reader, ids)
      }),

    async countRecipients(batchId, wanted) {
      const row = await connection.row(
        `SELECT ${progressColumns} FROM batch_progress p WHERE p.batch_id = $1`,
        [batchId],
      )
      return wanted.reduce((sum, standing) => sum + (row?.[`p_${columnOf(standing)}`] ?? 0), 0)
    },

    listAttempts: (workspaceId, { batchId }, page) =>
      connection.snapshot(async reader => {
        const rows = await attemptPage(reader, workspaceId, batchId ?? null, page)
        return rows.map(row => ({
          ...toAttempt(row),
          variables: JSON.parse(row.variables),
          recipientPosition: positionOf(row.recipient_id),
          recipientAttempts: row.recipient_attempts,
          standing: row.standing as Standing,
          maxAttempts: JSON.parse(row.retry_policy).maxAttempts as number,
          results: row.results === null ? null : JSON.parse(row.results),
          recordingBytes: row.recording_bytes,
        }))
      }),

    async countAttempts(workspaceId, { batchId }) {
      const row = await connection.row(
        `SELECT coalesce(sum(p.attempts), 0)::bigint AS count FROM batches b JOIN batch_progress p ON p.batch_id = b.id
         WHERE b.workspace_id = $1 AND b.status <> 'importing' AND ($2::bigint IS NULL OR b.id = $2)`,
        [workspaceId, batchId ?? null],
      )
      return (row as Row).count
    },

    listIngestRows: (workspaceId, batchId, { status }, { afterRow = 0, limit }) =>
      connection.snapshot(async reader => {
        if (!(await isVisible(reader, workspaceId, batchId))) return []
        const rejected =
          status === 'accepted' ? [] : await rejectedRows(reader, batchId, status ?? null, afterRow, limit)
        const accepted =
          status !== undefined && status !== 'accepted'
            ? []
            : await acceptedRows(reader, batchId, afterRow, limit)
        return [...rejected, ...accepted]
          .sort((one, other) => one.rowNumber - other.rowNumber)
          .slice(0, limit)
      }),

    recount: batchId => connection.snapshot(reader => recount(reader, batchId)),

    async listEvents(workspaceId, { after = 0, limit }) {
      const { events, isCut } = await readEvents(connection, workspaceId, after, limit)
      if (isCut) connection.tellEventsSoon()
      return events
    },
  }
}

/** A batch that is importing, or being deleted, shows nothing yet, or nothing more. */
async function isVisible(reader: Reader, workspaceId: number, batchId: number): Promise<boolean> {
  const batch = await reader.row(
    `SELECT 1 FROM batches WHERE id = $1 AND workspace_id = $2 AND status <> 'importing'`,
    [batchId, workspaceId],
  )
  return batch !== undefined
}

async function pageByPosition(
  reader: Reader,
  batchId: number,
  after: number,
  limit: number,
): Promise<number[]> {
  const rows = await reader.rows(
    'SELECT id FROM recipients WHERE id > $1 AND id <= $2 ORDER BY id LIMIT $3',
    [recipientId(batchId, after), recipientId(batchId, maxRecipientsPerBatch), limit],
  )
  return rows.map(({ id }) => id)
}

/** In the order of `ids`, which grow; with the call that is under way, or the last one that ended. */
export async function readRecipients(reader: Reader, ids: readonly number[]): Promise<Recipient[]> {
  if (ids.length === 0) return []
  const [rows, open, ended] = await Promise.all([
    reader.rows(
      `SELECT ${columns('recipients', 'r')}, d.row_number, d.number, d.variables FROM recipients r JOIN recipient_details d ON d.id = r.id
       WHERE r.id = ANY ($1::bigint[]) ORDER BY r.id`,
      [ids],
    ),
    reader.rows(
      `SELECT ${openColumns} FROM recipients r JOIN recipient_details f ON f.id = r.id JOIN batches b ON b.id = r.batch_id
         JOIN open_attempts a ON a.workspace_id = b.workspace_id AND a.number = f.number AND a.recipient_id = r.id ${joins}
       WHERE r.id = ANY ($1::bigint[]) AND r.standing = 'calling' AND a.status <> 'claimed'`,
      [ids],
    ),
    reader.rows(
      `SELECT ${endedColumns} FROM recipients r JOIN attempts a ON a.id = r.last_attempt_id ${joins}
       WHERE r.id = ANY ($1::bigint[])`,
      [ids],
    ),
  ])
  const openOf = new Map(open.map(row => [row.recipient_id, row]))
  const endedOf = new Map(ended.map(row => [row.recipient_id, row]))
  return rows.map(row => {
    const call = openOf.get(row.id)
    if (call !== undefined) return toRecipient({ ...row, attempts: row.attempts + 1 }, toAttempt(call))
    const last = endedOf.get(row.id)
    return toRecipient(row, last === undefined ? null : toAttempt(last))
  })
}

async function rejectedRows(
  reader: Reader,
  batchId: number,
  status: string | null,
  afterRow: number,
  limit: number,
): Promise<IngestRow[]> {
  const rows = await reader.rows(
    `SELECT row_number AS "rowNumber", status, code, value FROM rejected_rows
     WHERE batch_id = $1 AND row_number > $2 AND ($4::text IS NULL OR status = $4) ORDER BY row_number LIMIT $3`,
    [batchId, afterRow, limit, status],
  )
  return rows as IngestRow[]
}

/** Row numbers grow with positions, so the first of the page is found by halving, without an index of its own. */
async function acceptedRows(
  reader: Reader,
  batchId: number,
  afterRow: number,
  limit: number,
): Promise<IngestRow[]> {
  const rows = await reader.rows(
    `WITH RECURSIVE halving (low, high) AS (
       SELECT 0::bigint, accepted::bigint FROM batches WHERE id = $1
       UNION ALL
       SELECT CASE WHEN d.row_number <= $2 THEN m.middle ELSE low END,
         CASE WHEN d.row_number <= $2 THEN high ELSE m.middle - 1 END
       FROM halving CROSS JOIN LATERAL (SELECT (low + high + 1) / 2 AS middle) m
         LEFT JOIN recipient_details d ON d.id = $3 + m.middle
       WHERE low < high)
     SELECT row_number AS "rowNumber", number AS value FROM recipient_details
     WHERE id > $3 + (SELECT low FROM halving WHERE low >= high) AND id <= $4 ORDER BY id LIMIT $5`,
    [batchId, afterRow, recipientId(batchId, 0), recipientId(batchId, maxRecipientsPerBatch), limit],
  )
  return rows.map(({ rowNumber, value }) => ({ rowNumber, status: 'accepted', code: 'accepted', value }))
}

async function recount(reader: Reader, batchId: number): Promise<Progress> {
  const counts = Object.fromEntries(standings.map(standing => [standing, 0])) as Record<Standing, number>
  const standing = await reader.rows(
    'SELECT standing, count(*) AS count FROM recipients WHERE id > $1 AND id <= $2 GROUP BY standing',
    [recipientId(batchId, 0), recipientId(batchId, maxRecipientsPerBatch)],
  )
  for (const row of standing) counts[row.standing as Standing] = row.count
  const sums = (await reader.row(
    `SELECT count(*) AS attempts, coalesce(sum(cost_millicents), 0)::bigint AS cost,
       coalesce(sum(ended_at - answered_at) FILTER (WHERE disposition IN ('answered', 'voicemail')), 0)::bigint AS talk,
       count(*) FILTER (WHERE disposition IN ('unreachable', 'blocked', 'carrier-failure', 'agent-failure')) AS failed
     FROM attempts WHERE batch_id = $1`,
    [batchId],
  )) as Row
  const { open } = (await reader.row(
    `SELECT count(*) AS open FROM open_attempts WHERE batch_id = $1 AND status <> 'claimed'`,
    [batchId],
  )) as Row
  return {
    counts,
    talkMs: sums.talk,
    attempts: sums.attempts + open,
    endedAttempts: sums.attempts,
    failedAttempts: sums.failed,
    costMillicents: sums.cost,
  }
}

// What is read and never changes anything: recipients, attempts, the ingest report, events, a recount.
import { setImmediate } from 'node:timers/promises'
import type { Progress, Recipient, Standing } from '../../domain/recipient.ts'
import { liveStandings, standings } from '../../domain/recipient.ts'
import type { IngestRow, Store } from '../store.ts'
import type { Connection } from './connection.ts'
import { type Row, toAttempt, toEvent, toRecipient } from './rows.ts'

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

/** Some 5 ms of work. */
const maxSkippedPerTurn = 5_000

const attemptColumns = `a.id, a.batch_id, a.recipient_id, a.ordinal, a.trunk_id, a.call_id, a.dialed_at, a.answered_at,
  n.e164 AS caller_id, r.number`
const endedColumns = `${attemptColumns}, a.ended_at, a.disposition, a.cause, a.sip_status, a.q850, a.fault, a.retryable,
  a.cost_millicents`
const joins = 'JOIN recipients r ON r.id = a.recipient_id JOIN phone_numbers n ON n.id = a.phone_number_id'
const detailColumns = `r.variables, r.position AS recipient_position, r.attempts AS recipient_attempts, r.standing,
  b.retry AS retry_policy`

export function reportStatements(connection: Connection): Family {
  // Positions have no gaps, so a page is found by its first one: skipping half a million rows took 22 ms.
  const selectIds = connection.prepare(
    'SELECT id FROM recipients WHERE batch_id = ? AND position > ? ORDER BY position LIMIT ?',
  )
  const selectRecipient = connection.prepare('SELECT * FROM recipients WHERE id = ?')
  const selectEnded = connection.prepare(`SELECT ${endedColumns} FROM attempts a ${joins} WHERE a.id = ?`)
  const selectOpen = connection.prepare(
    `SELECT ${attemptColumns}, a.status FROM open_attempts a ${joins}
     WHERE a.workspace_id = ? AND a.number = ? AND a.recipient_id = ? AND a.status <> 'claimed'`,
  )

  /** With the call that is under way, if there is one. */
  const recipient = (workspaceId: number, row: Row): Recipient => {
    const open = row.standing === 'calling' ? selectOpen.get(workspaceId, row.number, row.id) : undefined
    if (open !== undefined) return toRecipient({ ...row, attempts: row.attempts + 1 }, toAttempt(open))
    const last = row.last_attempt_id === null ? undefined : selectEnded.get(row.last_attempt_id)
    return toRecipient(row, last === undefined ? null : toAttempt(last))
  }

  return {
    async listRecipients(workspaceId, batchId, { standings: wanted }, { afterPosition, offset, limit }) {
      if (!isVisible(connection, workspaceId, batchId)) return []
      const after = afterPosition ?? 0
      const ids =
        wanted === undefined
          ? selectIds.all(batchId, after + (offset ?? 0), limit).map((row: Row) => row.id as number)
          : await pageByStanding(connection, batchId, wanted, after, offset ?? 0, limit)
      return ids.map(id => recipient(workspaceId, selectRecipient.get(id) as Row))
    },

    async countRecipients(batchId, wanted) {
      const row = connection.prepare('SELECT * FROM batch_progress WHERE batch_id = ?').get(batchId) as
        | Row
        | undefined
      return wanted.reduce((sum, standing) => sum + (row?.[standing.replaceAll('-', '_')] ?? 0), 0)
    },

    async listAttempts(workspaceId, { batchId }, { afterId, offset, limit }) {
      const scope = batchId === undefined ? '' : 'AND a.batch_id = ?4'
      const last = (offset ?? 0) + limit
      const parameters = [workspaceId, afterId ?? 0, last, ...(batchId === undefined ? [] : [batchId])]
      const read = (columns: string, table: string, bound: string) =>
        connection
          .prepare(
            `SELECT ${columns}, ${detailColumns} FROM ${table} a ${joins} JOIN batches b ON b.id = a.batch_id
             WHERE a.workspace_id = ?1 AND a.id > ?2 AND b.status <> 'importing' ${scope} ${bound} ORDER BY a.id LIMIT ?3`,
          )
          .all(...parameters) as Row[]
      const ended = read(endedColumns, 'attempts', '')
      const open = read(`${attemptColumns}, a.status`, 'open_attempts', `AND a.status <> 'claimed'`)
      return [...ended, ...open]
        .sort((one, other) => one.id - other.id)
        .slice(offset ?? 0, last)
        .map(row => ({
          ...toAttempt(row),
          variables: JSON.parse(row.variables),
          recipientPosition: row.recipient_position,
          recipientAttempts: row.recipient_attempts,
          standing: row.standing as Standing,
          maxAttempts: JSON.parse(row.retry_policy).maxAttempts as number,
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
                 WHERE batch_id = ? AND position > ? ORDER BY position LIMIT ?`,
              )
              .all(batchId, positionAtRow(connection, batchId, after), limit)
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

/** Walks past `offset` recipients first, with a turn of the event loop now and then: nobody waits for a page far down. */
async function pageByStanding(
  connection: Connection,
  batchId: number,
  wanted: readonly Standing[],
  afterPosition: number,
  offset: number,
  limit: number,
): Promise<number[]> {
  const before = connection
    .prepare('SELECT id FROM recipients WHERE batch_id = ? AND position <= ? ORDER BY position DESC LIMIT 1')
    .get(batchId, afterPosition) as Row | undefined
  let afterId: number = before?.id ?? 0
  let left = offset
  while (left > maxSkippedPerTurn) {
    const skipped = idsByStanding(connection, batchId, wanted, afterId, maxSkippedPerTurn)
    if (skipped.length < maxSkippedPerTurn) return []
    afterId = skipped.at(-1)!
    left -= skipped.length
    await setImmediate()
  }
  return idsByStanding(connection, batchId, wanted, afterId, left + limit).slice(left)
}

/**
 * The first `count` recipients at these standings after another one, by id (ids grow with positions). Each standing is
 * read where an index has it in order: those never called by zone, those finished, the few under way.
 */
function idsByStanding(
  connection: Connection,
  batchId: number,
  wanted: readonly Standing[],
  afterId: number,
  count: number,
): number[] {
  const ids = (sql: string, ...parameters: (number | string)[]) =>
    connection
      .prepare(sql)
      .all(...parameters)
      .map((row: Row) => row.id as number)
  const zones = connection.prepare('SELECT zone FROM batch_zones WHERE batch_id = ?').all(batchId) as Row[]
  const found = wanted.flatMap(standing => {
    if (standing === 'calling')
      return ids(
        'SELECT recipient_id AS id FROM open_attempts WHERE batch_id = ? AND recipient_id > ?',
        batchId,
        afterId,
      )
    if (!liveStandings.has(standing))
      return ids(
        `SELECT id FROM recipients WHERE batch_id = ? AND standing = ? AND finished_at IS NOT NULL AND id > ?
         ORDER BY id LIMIT ?`,
        batchId,
        standing,
        afterId,
        count,
      )
    return zones.flatMap(({ zone }) => [
      ...ids(
        `SELECT id FROM recipients WHERE batch_id = ? AND standing = ? AND zone = ? AND due_at = 0 AND id > ?
         ORDER BY id LIMIT ?`,
        batchId,
        standing,
        zone,
        afterId,
        count,
      ),
      ...ids(
        `SELECT id FROM recipients WHERE batch_id = ? AND standing = ? AND zone = ? AND due_at > 0 AND id > ?
         ORDER BY id LIMIT ?`,
        batchId,
        standing,
        zone,
        afterId,
        count,
      ),
    ])
  })
  return found.sort((one, other) => one - other).slice(0, count)
}

/** The position of the last recipient at or before a row: row numbers grow with positions, so it is found by halving. */
function positionAtRow(connection: Connection, batchId: number, rowNumber: number): number {
  const rowAt = connection.prepare('SELECT row_number FROM recipients WHERE batch_id = ? AND position = ?')
  const { accepted } = connection.prepare('SELECT accepted FROM batches WHERE id = ?').get(batchId) as Row
  let [low, high] = [0, accepted as number]
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    const row = rowAt.get(batchId, middle) as Row | undefined
    if (row !== undefined && row.row_number <= rowNumber) low = middle
    else high = middle - 1
  }
  return low
}

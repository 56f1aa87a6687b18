// Pages of attempts, ended and open ones in one order, found without reading what lies before them.
import type { Row } from '../rows.ts'
import type { Reader } from './transaction.ts'

const attemptColumns = `a.id, a.batch_id, a.recipient_id, a.ordinal, a.trunk_id, a.call_id, a.dialed_at, a.answered_at,
  n.e164 AS caller_id, d.number`
export const endedColumns = `${attemptColumns}, a.ended_at, a.disposition, a.cause, a.sip_status, a.q850, a.fault, a.retryable,
  a.cost_millicents`
export const openColumns = `${attemptColumns}, a.status`
export const joins =
  'JOIN recipient_details d ON d.id = a.recipient_id JOIN phone_numbers n ON n.id = a.phone_number_id'
const details = `d.variables, r.attempts AS recipient_attempts, r.standing, b.retry AS retry_policy, c.results,
  c.recording_bytes`
const detailJoins = `JOIN recipients r ON r.id = a.recipient_id JOIN batches b ON b.id = a.batch_id
  LEFT JOIN conversations c ON c.attempt_id = a.id`

interface AttemptPage {
  afterId?: number
  offset?: number
  limit: number
}

/**
 * Attempts in order of id; `batchId` null: of the whole workspace. Ended ones are skipped in their index. The few open
 * ones may stand before, among or after them, so the skip stops short by as many, and the rest is merged and counted.
 */
export async function attemptPage(
  reader: Reader,
  workspaceId: number,
  batchId: number | null,
  { afterId = 0, offset = 0, limit }: AttemptPage,
): Promise<Row[]> {
  const visible = `workspace_id = $1 AND id > $2 AND batch_id NOT IN (SELECT id FROM batches WHERE status = 'importing')`
  const scope = batchId === null ? `${visible} AND $3::bigint IS NULL` : `${visible} AND batch_id = $3`
  const values = [workspaceId, afterId, batchId]
  const openIds = (
    await reader.rows(
      `SELECT id FROM open_attempts WHERE ${scope} AND status <> 'claimed' ORDER BY id`,
      values,
    )
  ).map(({ id }) => id as number)
  const skipped = Math.max(0, offset - openIds.length)
  const endedIds = (
    await reader.rows(`SELECT id FROM attempts WHERE ${scope} ORDER BY id LIMIT $4 OFFSET $5`, [
      ...values,
      limit + openIds.length,
      skipped,
    ])
  ).map(({ id }) => id as number)
  const [firstEnded] = endedIds
  const openBefore =
    skipped === 0 || firstEnded === undefined ? 0 : openIds.filter(id => id < firstEnded).length
  const merged = [...endedIds, ...openIds.slice(openBefore)].sort((one, other) => one - other)
  const start = offset - skipped - openBefore
  return attemptRows(reader, merged.slice(start, start + limit))
}

/** One attempt of a workspace, ended or open; null: there is none. */
export async function attemptById(reader: Reader, workspaceId: number, id: number): Promise<Row | null> {
  const owned = await reader.row(
    `SELECT 1 FROM (SELECT batch_id FROM attempts WHERE id = $1 AND workspace_id = $2
       UNION ALL SELECT batch_id FROM open_attempts WHERE id = $1 AND workspace_id = $2 AND status <> 'claimed') a
       JOIN batches b ON b.id = a.batch_id WHERE b.status <> 'importing'`,
    [id, workspaceId],
  )
  return owned === undefined ? null : ((await attemptRows(reader, [id]))[0] ?? null)
}

/** In order of id. */
async function attemptRows(reader: Reader, ids: readonly number[]): Promise<Row[]> {
  if (ids.length === 0) return []
  const read = (columns: string, table: string) =>
    reader.rows(
      `SELECT ${columns}, ${details} FROM ${table} a ${joins} ${detailJoins} WHERE a.id = ANY ($1::bigint[])`,
      [ids],
    )
  const ended = await read(endedColumns, 'attempts')
  const open = ended.length === ids.length ? [] : await read(openColumns, 'open_attempts')
  return [...ended, ...open].sort((one, other) => one.id - other.id)
}

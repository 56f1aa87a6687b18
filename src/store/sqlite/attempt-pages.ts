// Pages of attempts, ended and open ones in one order, found without reading what lies before them.

import type { Row } from '../rows.ts'
import type { Connection } from './connection.ts'

export const attemptColumns = `a.id, a.batch_id, a.recipient_id, a.ordinal, a.trunk_id, a.call_id, a.dialed_at, a.answered_at,
  n.e164 AS caller_id, r.number`
export const endedColumns = `${attemptColumns}, a.ended_at, a.disposition, a.cause, a.sip_status, a.q850, a.fault, a.retryable,
  a.cost_millicents`
export const joins =
  'JOIN recipients r ON r.id = a.recipient_id JOIN phone_numbers n ON n.id = a.phone_number_id'
const detailColumns = `r.variables, r.attempts AS recipient_attempts, r.standing,
  b.retry AS retry_policy, c.results, c.recording_bytes`

interface AttemptPage {
  afterId?: number
  offset?: number
  limit: number
}

/**
 * Attempts in order of id; `batchId` null: of the whole workspace. Ended ones are skipped in their index. The few open
 * ones may stand before, among or after them, so the skip stops short by as many, and the rest is merged and counted.
 */
export function attemptPage(
  connection: Connection,
  workspaceId: number,
  batchId: number | null,
  { afterId = 0, offset = 0, limit }: AttemptPage,
): Row[] {
  const visible = `workspace_id = ?1 AND batch_id NOT IN (SELECT id FROM batches WHERE status = 'importing')`
  const scope = batchId === null ? visible : `${visible} AND batch_id = ?3`
  const parameters = [workspaceId, afterId, ...(batchId === null ? [] : [batchId])]
  const openIds = connection
    .prepare(`SELECT id FROM open_attempts WHERE ${scope} AND id > ?2 AND status <> 'claimed' ORDER BY id`)
    .all(...parameters)
    .map((row: Row) => row.id as number)
  const skipped = Math.max(0, offset - openIds.length)
  const endedIds = connection
    .prepare(`SELECT id FROM attempts WHERE ${scope} AND id > ?2 ORDER BY id LIMIT ?4 OFFSET ?5`)
    .all(...parameters, ...(batchId === null ? [null] : []), limit + openIds.length, skipped)
    .map((row: Row) => row.id as number)
  const [firstEnded] = endedIds
  const openBefore =
    skipped === 0 || firstEnded === undefined ? 0 : openIds.filter(id => id < firstEnded).length
  const merged = [...endedIds, ...openIds.slice(openBefore)].sort((one, other) => one - other)
  const start = offset - skipped - openBefore
  return merged.slice(start, start + limit).map(id => attemptRow(connection, id))
}

/** One attempt of a workspace, ended or open; null: there is none. */
export function attemptById(connection: Connection, workspaceId: number, id: number): Row | null {
  const owned = (table: string) =>
    connection
      .prepare(
        `SELECT 1 FROM ${table} a JOIN batches b ON b.id = a.batch_id
         WHERE a.id = ? AND a.workspace_id = ? AND b.status <> 'importing' AND ${table === 'attempts' ? '1' : "a.status <> 'claimed'"}`,
      )
      .get(id, workspaceId) !== undefined
  return owned('attempts') || owned('open_attempts') ? attemptRow(connection, id) : null
}

function attemptRow(connection: Connection, id: number): Row {
  const read = (columns: string, table: string) =>
    connection
      .prepare(
        `SELECT ${columns}, ${detailColumns} FROM ${table} a ${joins} JOIN batches b ON b.id = a.batch_id
           LEFT JOIN conversations c ON c.attempt_id = a.id WHERE a.id = ?`,
      )
      .get(id)
  return (read(endedColumns, 'attempts') ?? read(`${attemptColumns}, a.status`, 'open_attempts')) as Row
}

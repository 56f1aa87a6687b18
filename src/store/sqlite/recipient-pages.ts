// Pages of recipients by where they stand, in order of position.
import { setImmediate } from 'node:timers/promises'
import { liveStandings, type Standing } from '../../domain/recipient.ts'
import type { Row } from '../rows.ts'
import type { Connection } from './connection.ts'

/** Some 5 ms of work. */
const maxSkippedPerTurn = 5_000

/** Ids of recipients at these standings after `fromId`. Walks past `offset` recipients first, with a turn of the event loop now and then: nobody waits for a page far down. */
export async function pageByStanding(
  connection: Connection,
  batchId: number,
  wanted: readonly Standing[],
  fromId: number,
  offset: number,
  limit: number,
): Promise<number[]> {
  let afterId = fromId
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
    // Apart: those who were due from the start lie in the index in order of id, the others are sorted.
    return zones.flatMap(({ zone }) =>
      ['due_at = 0', 'due_at > 0'].flatMap(due =>
        ids(
          `SELECT id FROM recipients WHERE batch_id = ? AND standing = ? AND zone = ? AND ${due} AND id > ?
           ORDER BY id LIMIT ?`,
          batchId,
          standing,
          zone,
          afterId,
          count,
        ),
      ),
    )
  })
  return found.sort((one, other) => one - other).slice(0, count)
}

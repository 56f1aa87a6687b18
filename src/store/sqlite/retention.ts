// What has been kept long enough goes away, one bounded step at a time. Ids grow with time, so that a walk from the oldest
// on needs no index of its own; it ends at the first step in which everything is younger than the latest cutoff.
import { latestOf, oldAmong } from '../housekeeping-rows.ts'
import type { HousekeepingStore } from '../housekeeping-store.ts'
import { keptAnswerMs } from '../limits.ts'
import type { Row } from '../rows.ts'
import type { Connection } from './connection.ts'

type Family = Pick<
  HousekeepingStore,
  | 'listOldConversations'
  | 'forgetRecordings'
  | 'removeConversations'
  | 'removeEvents'
  | 'listOldBatches'
  | 'removeOldAnswers'
>

export function retentionStatements(connection: Connection): Family {
  const conversations = connection.prepare(
    `SELECT c.attempt_id, c.recording_file, a.workspace_id, a.ended_at FROM conversations c
       JOIN attempts a ON a.id = c.attempt_id WHERE c.attempt_id > ? ORDER BY c.attempt_id LIMIT ?`,
  )
  const forget = connection.prepare(
    `UPDATE conversations SET recording_file = NULL, recording_bytes = NULL
     WHERE attempt_id IN (SELECT value FROM json_each(?))`,
  )
  const remove = connection.prepare(
    'DELETE FROM conversations WHERE attempt_id IN (SELECT value FROM json_each(?))',
  )
  const stretchOfEvents = connection.prepare(
    `SELECT max(id) AS last, min(at) AS oldest FROM
       (SELECT id, at FROM events WHERE id > ? AND id < min(?, (SELECT max(id) FROM events)) ORDER BY id LIMIT ?)`,
  )
  const removeEvents = connection.prepare(
    'DELETE FROM events WHERE id > ? AND id <= ? AND workspace_id = ? AND at < ?',
  )
  const oldBatches = connection.prepare(
    `SELECT id FROM batches WHERE workspace_id = ? AND status IN ('completed', 'cancelled', 'failed')
       AND completed_at < ? ORDER BY id LIMIT ?`,
  )
  const removeAnswers = connection.prepare(
    `DELETE FROM idempotency_keys WHERE (workspace_id, key) IN
       (SELECT workspace_id, key FROM idempotency_keys WHERE status IS NOT NULL AND created_at <= ? LIMIT ?)`,
  )

  return {
    listOldConversations: async (kind, cutoffs, { after, maxRows }) =>
      oldAmong(kind, cutoffs, conversations.all(after, maxRows) as Row[]),

    forgetRecordings: attemptIds =>
      connection.write(() => {
        forget.run(JSON.stringify(attemptIds))
      }),

    removeConversations: attemptIds =>
      connection.write(() => {
        remove.run(JSON.stringify(attemptIds))
      }),

    removeEvents: (cutoffs, { after, maxRows, belowId }) =>
      connection.write(() => {
        const { last, oldest } = stretchOfEvents.get(after, belowId, maxRows) as Row
        if (last === null || oldest >= latestOf(cutoffs)) return { removed: 0, next: null }
        let removed = 0
        for (const { workspaceId, before } of cutoffs)
          removed += Number(removeEvents.run(after, last, workspaceId, before).changes)
        return { removed, next: last as number }
      }),

    listOldBatches: async ({ workspaceId, before }, limit) =>
      oldBatches.all(workspaceId, before, limit).map((row: Row) => row.id),

    removeOldAnswers: (now, limit) =>
      connection.write(() => Number(removeAnswers.run(now - keptAnswerMs, limit).changes)),
  }
}

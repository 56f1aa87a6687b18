// What has been kept long enough goes away, one bounded step at a time; ids grow with time, so the walk needs no index of
// its own and ends at the first step in which everything is younger than the latest cutoff.
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
  const change = (sql: string, values: readonly unknown[]) => connection.write(tx => tx.change(sql, values))

  return {
    async listOldConversations(kind, cutoffs, { after, maxRows }) {
      const rows = await connection.rows(
        `SELECT c.attempt_id, c.recording_file, a.workspace_id, a.ended_at FROM conversations c
           JOIN attempts a ON a.id = c.attempt_id WHERE c.attempt_id > $1 ORDER BY c.attempt_id LIMIT $2`,
        [after, maxRows],
      )
      return oldAmong(kind, cutoffs, rows)
    },

    async forgetRecordings(attemptIds) {
      await change(
        `UPDATE conversations SET recording_file = NULL, recording_bytes = NULL
         WHERE attempt_id = ANY ($1::bigint[])`,
        [attemptIds],
      )
    },

    async removeConversations(attemptIds) {
      await change('DELETE FROM conversations WHERE attempt_id = ANY ($1::bigint[])', [attemptIds])
    },

    removeEvents: (cutoffs, { after, maxRows, belowId }) =>
      connection.write(async tx => {
        const { last, oldest } = (await tx.row(
          `SELECT max(id) AS last, min(at) AS oldest FROM
             (SELECT id, at FROM events WHERE id > $1 AND id < least($2, (SELECT max(id) FROM events))
              ORDER BY id LIMIT $3) AS stretch`,
          [after, belowId, maxRows],
        )) as Row
        if (last === null || oldest >= latestOf(cutoffs)) return { removed: 0, next: null }
        const removed = await tx.change(
          `DELETE FROM events e USING unnest($3::bigint[], $4::bigint[]) AS c (workspace_id, before)
           WHERE e.id > $1 AND e.id <= $2 AND e.workspace_id = c.workspace_id AND e.at < c.before`,
          [after, last, cutoffs.map(({ workspaceId }) => workspaceId), cutoffs.map(({ before }) => before)],
        )
        return { removed, next: last as number }
      }),

    async listOldBatches({ workspaceId, before }, limit) {
      const rows = await connection.rows(
        `SELECT id FROM batches WHERE workspace_id = $1 AND status IN ('completed', 'cancelled', 'failed')
           AND completed_at < $2 ORDER BY id LIMIT $3`,
        [workspaceId, before, limit],
      )
      return rows.map(row => row.id as number)
    },

    removeOldAnswers: (now, limit) =>
      change(
        `DELETE FROM idempotency_keys WHERE (workspace_id, key) IN
           (SELECT workspace_id, key FROM idempotency_keys WHERE status IS NOT NULL AND created_at <= $1 LIMIT $2)`,
        [now - keptAnswerMs, limit],
      ),
  }
}

// PostgreSQL has tools of its own for backups, better than anything of ours.
import { Refusal } from '../../domain/refusal.ts'
import type { HousekeepingStore } from '../housekeeping-store.ts'
import type { Row } from '../rows.ts'
import type { Connection } from './connection.ts'

export function backupStatements(
  connection: Connection,
): Pick<HousekeepingStore, 'backUp' | 'sizeBytes' | 'listAllRecordings'> {
  return {
    async backUp() {
      throw new Refusal(
        'conflict',
        'backup_elsewhere',
        'This server keeps its store in PostgreSQL: back it up with pg_dump or a base backup. What is restored is held.',
      )
    },

    sizeBytes: async () =>
      ((await connection.row('SELECT pg_database_size(current_database()) AS bytes')) as Row).bytes,

    async listAllRecordings({ after, limit }) {
      const rows = await connection.rows(
        `SELECT attempt_id, recording_file FROM conversations
         WHERE recording_file IS NOT NULL AND attempt_id > $1 ORDER BY attempt_id LIMIT $2`,
        [after, limit],
      )
      return rows.map(row => ({ attemptId: row.attempt_id, file: row.recording_file }))
    },
  }
}

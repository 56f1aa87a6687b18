// What calls left behind: written with their end, read one call at a time.
import type { Conversation } from '../../domain/conversation.ts'
import { type Row, toAttempt, toConversation } from '../rows.ts'
import type { Store } from '../store.ts'
import { attemptById } from './attempt-pages.ts'
import { columns } from './columns.ts'
import type { Connection } from './connection.ts'
import type { Transaction } from './transaction.ts'

export function conversationStatements(
  connection: Connection,
): Pick<Store, 'findAttempt' | 'listRecordings'> {
  return {
    findAttempt: (workspaceId, attemptId) =>
      connection.snapshot(async reader => {
        const row = await attemptById(reader, workspaceId, attemptId)
        if (row === null) return null
        const kept = await reader.row(
          `SELECT ${columns('conversations')} FROM conversations WHERE attempt_id = $1`,
          [attemptId],
        )
        const conversation = kept === undefined ? null : toConversation(kept)
        return { ...toAttempt(row), conversation, variables: JSON.parse(row.variables) }
      }),

    async listRecordings(workspaceId, batchId) {
      const rows = await connection.rows(
        `SELECT c.recording_file AS file FROM conversations c JOIN batches b ON b.id = c.batch_id
         WHERE b.workspace_id = $1 AND c.batch_id = $2 AND c.recording_file IS NOT NULL`,
        [workspaceId, batchId],
      )
      return rows.map((row: Row) => row.file as string)
    },
  }
}

export interface KeptConversation {
  attemptId: number
  batchId: number
  conversation: Conversation
}

/** Inside the transaction that ends the attempts. */
export async function keepConversations(tx: Transaction, kept: readonly KeptConversation[]): Promise<void> {
  if (kept.length === 0) return
  await tx.change(
    `INSERT INTO conversations (attempt_id, batch_id, transcript, results, recording_file, recording_bytes, line)
     SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[])`,
    [
      kept.map(({ attemptId }) => attemptId),
      kept.map(({ batchId }) => batchId),
      kept.map(({ conversation }) => JSON.stringify(conversation.transcript)),
      kept.map(({ conversation }) => JSON.stringify(conversation.results)),
      kept.map(({ conversation }) => conversation.recordingFile),
      kept.map(({ conversation }) => conversation.recordingBytes),
      kept.map(({ conversation }) => JSON.stringify(conversation.line)),
    ],
  )
}

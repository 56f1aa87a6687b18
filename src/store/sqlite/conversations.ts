// What calls left behind: written with their end, read one call at a time.
import type { Conversation } from '../../domain/conversation.ts'
import { type Row, toAttempt, toConversation } from '../rows.ts'
import type { Store } from '../store.ts'
import { attemptById } from './attempt-pages.ts'
import type { Connection } from './connection.ts'

export function conversationStatements(
  connection: Connection,
): Pick<Store, 'findAttempt' | 'listRecordings'> {
  const selectConversation = connection.prepare('SELECT * FROM conversations WHERE attempt_id = ?')
  const selectRecordings = connection.prepare(
    `SELECT c.recording_file AS file FROM conversations c JOIN batches b ON b.id = c.batch_id
     WHERE b.workspace_id = ? AND c.batch_id = ? AND c.recording_file IS NOT NULL`,
  )
  return {
    async findAttempt(workspaceId, attemptId) {
      const row = attemptById(connection, workspaceId, attemptId)
      if (row === null) return null
      const kept = selectConversation.get(attemptId) as Row | undefined
      const conversation = kept === undefined ? null : toConversation(kept)
      return { ...toAttempt(row), conversation, variables: JSON.parse(row.variables) }
    },

    listRecordings: async (workspaceId, batchId) =>
      selectRecordings.all(workspaceId, batchId).map((row: Row) => row.file as string),
  }
}

/** Inside the transaction that ends the attempt. */
export function conversationWriter(connection: Connection) {
  const insert = connection.prepare(
    `INSERT INTO conversations (attempt_id, batch_id, transcript, results, recording_file, recording_bytes, line)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
  )
  return (attemptId: number, batchId: number, conversation: Conversation): void => {
    const { transcript, results, recordingFile, recordingBytes, line } = conversation
    insert.run(
      attemptId,
      batchId,
      JSON.stringify(transcript),
      JSON.stringify(results),
      recordingFile,
      recordingBytes,
      JSON.stringify(line),
    )
  }
}

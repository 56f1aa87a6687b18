// A batch and everything about it goes away, without holding the event loop.
import type { Connection } from './connection.ts'

/** Rows deleted in one transaction: keeps the event loop free while a large batch goes away. */
const deleteChunkRows = 5_000

/** With what tells rows of one batch apart. */
const tables = [
  ['recipients', 'rowid'],
  ['rejected_rows', 'rowid'],
  ['attempts', 'rowid'],
  ['conversations', 'rowid'],
  ['traces', 'rowid'],
  ['batch_zones', 'zone'],
  ['batch_callers', 'phone_number_id'],
] as const

/** Deletes a batch and all its rows, a chunk per transaction. The batch's own row goes last, so that a crash leaves it findable. */
export async function discardRows(connection: Connection, batchId: number): Promise<void> {
  for (const [table, key] of tables) {
    const chunk = connection.prepare(
      `DELETE FROM ${table} WHERE batch_id = ?1 AND ${key} IN (SELECT ${key} FROM ${table} WHERE batch_id = ?1 LIMIT ?2)`,
    )
    while ((await connection.write(() => chunk.run(batchId, deleteChunkRows).changes)) === deleteChunkRows);
  }
  await connection.write(() => {
    connection.prepare('DELETE FROM batch_progress WHERE batch_id = ?').run(batchId)
    connection.prepare('DELETE FROM batches WHERE id = ?').run(batchId)
    connection.workChanged()
  })
}

// The queue of a cancelled batch is dropped, a chunk per transaction.
import type { Connection } from './connection.ts'
import { lockBatch, lockWorkspace } from './locks.ts'
import { ProgressChanges } from './moves.ts'

/** Recipients dropped in one transaction: claims of the workspace wait for it. */
const dropChunkRows = 5_000

/** Everybody who is not being called becomes `cancelled`. */
export async function dropQueue(
  connection: Connection,
  batch: { id: number; workspaceId: number },
  now: number,
): Promise<void> {
  for (const standing of ['queued', 'waiting'] as const) {
    const drop = () =>
      connection.write(async tx => {
        await lockWorkspace(tx, batch.workspaceId)
        await lockBatch(tx, batch.id)
        const count = await tx.change(
          `UPDATE recipients SET standing = 'cancelled', due_at = NULL, finished_at = $1
           WHERE id = ANY (ARRAY(SELECT id FROM recipients WHERE batch_id = $2 AND standing = '${standing}'
             AND due_at IS NOT NULL LIMIT $3))`,
          [now, batch.id, dropChunkRows],
        )
        const changes = new ProgressChanges()
        changes.move(batch.id, standing, 'cancelled', count)
        await changes.write(tx)
        return count
      })
    while ((await drop()) === dropChunkRows);
  }
}

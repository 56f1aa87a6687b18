// A copy of the store while it works: made in a thread of its own from a snapshot, so that no call waits for it.
import { rm } from 'node:fs/promises'
import { Worker } from 'node:worker_threads'
import type { HousekeepingStore } from '../housekeeping-store.ts'
import type { Row } from '../rows.ts'
import type { BackupJob } from './backup-worker.ts'
import type { Connection } from './connection.ts'
import { copyDatabase } from './copy-database.ts'

export function backupStatements(
  connection: Connection,
  path: string,
): Pick<HousekeepingStore, 'backUp' | 'sizeBytes' | 'listAllRecordings'> {
  const recordings = connection.prepare(
    `SELECT attempt_id AS attemptId, recording_file AS file FROM conversations
     WHERE recording_file IS NOT NULL AND attempt_id > ? ORDER BY attempt_id LIMIT ?`,
  )
  const size = connection.prepare(
    'SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size',
  )
  return {
    async backUp(target) {
      const job: BackupJob = { source: path, target, at: connection.now() }
      try {
        // No other thread can see a store in memory.
        if (path === ':memory:') copyDatabase(connection.db, target, job.at)
        else await inThread(job)
      } catch (error) {
        await rm(target, { force: true })
        throw error
      }
    },

    sizeBytes: async () => (size.get() as Row).bytes,

    listAllRecordings: async ({ after, limit }) =>
      recordings.all(after, limit).map((row: Row) => ({ attemptId: row.attemptId, file: row.file })),
  }
}

function inThread(job: BackupJob): Promise<void> {
  const worker = new Worker(new URL('./backup-worker.ts', import.meta.url), { workerData: job })
  return new Promise((resolve, reject) => {
    worker.once('error', reject)
    worker.once('exit', code => (code === 0 ? resolve() : reject(new Error(`the backup ended with ${code}`))))
  })
}

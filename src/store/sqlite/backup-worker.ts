// The thread that copies the store: it has a connection of its own, which only reads.
import { DatabaseSync } from 'node:sqlite'
import { workerData } from 'node:worker_threads'
import { copyDatabase } from './copy-database.ts'

export interface BackupJob {
  source: string
  target: string
  /** Epoch ms. */
  at: number
}

const { source, target, at } = workerData as BackupJob
const db = new DatabaseSync(source, { readOnly: true, timeout: 5_000 })
try {
  copyDatabase(db, target, at)
} finally {
  db.close()
}

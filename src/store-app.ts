// A composition root of its own: stores while no server runs on them. A backup becomes one, one moves into PostgreSQL.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type RestoredDir, type RestoreRequest, restoreDataDir } from './housekeeping/restore-data-dir.ts'
import { storeFile } from './open-store.ts'
import { lockDataDir } from './runtime/data-dir-lock.ts'
import { moveIn } from './store/postgres/move-in.ts'
import { openLeavingStore } from './store/sqlite/leaving-store.ts'
import { restoreSqliteFile } from './store/sqlite/restore-file.ts'
import { MoveProblem, type MoveProgress } from './store/store-tables.ts'

/** A backup becomes a data directory, whose server dials nobody until it was accepted. @throws RestoreProblem */
export function restoreBackup(request: Omit<RestoreRequest, 'storeFile'>): Promise<RestoredDir> {
  return restoreDataDir({ ...request, storeFile }, restoreSqliteFile)
}

export interface MoveRequest {
  dataDir: string
  url: string
  now: number
  onProgress(progress: MoveProgress): void
}

/**
 * The store of a data directory moves into an empty database; both are held afterwards, the one left behind from the last
 * moment before the other one holds. Returns how many rows moved.
 * @throws MoveProblem; DataDirTaken; the database's own errors
 */
export async function moveStore({ dataDir, url, now, onProgress }: MoveRequest): Promise<number> {
  const path = join(dataDir, storeFile)
  if (!existsSync(path)) throw new MoveProblem(`${dataDir} holds no store`)
  const lock = lockDataDir(dataDir)
  try {
    const leaving = openLeavingStore(path)
    try {
      const { tables } = leaving
      await moveIn({ url, tables, now, onProgress, beforeCommit: () => leaving.hold(now) })
      return tables.reduce((sum, { count }) => sum + count, 0)
    } finally {
      leaving.close()
    }
  } finally {
    lock.release()
  }
}

// A composition root of its own: stores while no server runs on them. A backup becomes one.
import { storeFile } from './app.ts'
import { type RestoredDir, type RestoreRequest, restoreDataDir } from './housekeeping/restore-data-dir.ts'
import { restoreSqliteFile } from './store/sqlite/restore-file.ts'

/** A backup becomes a data directory, whose server dials nobody until it was accepted. @throws RestoreProblem */
export function restoreBackup(request: Omit<RestoreRequest, 'storeFile'>): Promise<RestoredDir> {
  return restoreDataDir({ ...request, storeFile }, restoreSqliteFile)
}

// A backup file becomes a store file: whole, of the newest schema, and held.
import { DatabaseSync } from 'node:sqlite'
import type { HeldWork } from '../housekeeping-store.ts'
import { heldWorkOf, holdDatabase } from './hold.ts'
import { migrate } from './migrate.ts'

export interface RestoredStore {
  work: HeldWork
  /** When the backup was made; null: the file is no backup of ours, but a copy of a store. */
  backedUpAt: number | null
}

/** Works in `path` itself, which nobody else has open. @throws an error that says what is wrong with the file */
export function restoreSqliteFile(path: string, now: number): RestoredStore {
  const db = new DatabaseSync(path)
  try {
    const [check] = db.prepare('PRAGMA quick_check(1)').all()
    if (check?.quick_check !== 'ok') throw new Error(`it is damaged: ${check?.quick_check}`)
    const isStore = db.prepare(`SELECT 1 FROM sqlite_schema WHERE name = 'batch_progress'`).get()
    if (isStore === undefined) throw new Error('it is a database, but no store of Outdial')
    migrate(db)
    const state = db.prepare('SELECT held_reason, held_since FROM store_state').get()
    const backedUpAt = state?.held_reason === 'backup' ? (state.held_since as number) : null
    holdDatabase(db, 'backup', backedUpAt ?? now)
    return { work: heldWorkOf(db), backedUpAt }
  } finally {
    db.close()
  }
}

// One database becomes another, whole, in a single read transaction, and is marked as a copy.
import { closeSync, fsyncSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { holdDatabase } from './hold.ts'

/**
 * `VACUUM INTO` reads one snapshot, never waits for the writer nor makes it wait, and leaves out freed pages: what was
 * erased is not in the copy. SQLite's backup interface starts again whenever another connection writes.
 * @throws when `target` is there already
 */
export function copyDatabase(db: DatabaseSync, target: string, at: number): void {
  db.prepare('VACUUM INTO ?').run(target)
  const copy = new DatabaseSync(target)
  try {
    holdDatabase(copy, 'backup', at)
  } finally {
    copy.close()
  }
  const file = openSync(target, 'r+')
  fsyncSync(file)
  closeSync(file)
}

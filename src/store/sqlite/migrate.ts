// Brings a database to the newest schema: numbered plain SQL files, each applied once, in order, in a transaction.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'

const migrationsDir = join(import.meta.dirname, 'migrations')

/** Applies what is missing; throws when the database is newer than this program. */
export function migrate(db: DatabaseSync): void {
  const files = readdirSync(migrationsDir)
    .filter(name => /^\d{4}-.*\.sql$/.test(name))
    .sort()
  const newest = files.length
  const current = Number(db.prepare('PRAGMA user_version').get()?.user_version ?? 0)
  if (current > newest)
    throw new Error(
      `the database has schema ${current}, this Outdial knows ${newest}: start the newer version that wrote it`,
    )
  for (const [index, file] of files.entries()) {
    if (index < current) continue
    db.exec('BEGIN IMMEDIATE')
    try {
      db.exec(readFileSync(join(migrationsDir, file), 'utf8'))
      db.exec(`PRAGMA user_version = ${index + 1}`)
      db.exec('COMMIT')
    } catch (error) {
      db.exec('ROLLBACK')
      throw new Error(`migration ${file} failed`, { cause: error })
    }
  }
}

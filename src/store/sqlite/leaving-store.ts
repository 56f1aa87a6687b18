// A SQLite store that moves out: all its tables as they are, and the hold that it is left with.
import { DatabaseSync } from 'node:sqlite'
import type { Row } from '../rows.ts'
import type { StoreTable } from '../store-tables.ts'
import { holdDatabase } from './hold.ts'
import { migrate } from './migrate.ts'

export interface LeavingStore {
  tables: StoreTable[]
  /** Whoever serves from it after all is asked first. */
  hold(now: number): void
  close(): void
}

/** What says something of this file or of processes that are gone. */
const staysBehind = new Set(['store_state', 'nodes'])

/** `path` must be this process's alone: its data directory is locked. */
export function openLeavingStore(path: string): LeavingStore {
  const db = new DatabaseSync(path)
  try {
    migrate(db)
    const tables = db
      .prepare(
        `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid`,
      )
      .all()
      .map((row: Row) => row.name as string)
      .filter(name => !staysBehind.has(name))
    return {
      tables: tables.map(name => readTable(db, name)),
      hold: now => holdDatabase(db, 'move', now),
      close: () => db.close(),
    }
  } catch (error) {
    db.close()
    throw error
  }
}

function readTable(db: DatabaseSync, name: string): StoreTable {
  const columns = db
    .prepare('SELECT name FROM pragma_table_info(?)')
    .all(name)
    .map((row: Row) => row.name as string)
  const { count } = db.prepare(`SELECT count(*) AS count FROM ${name}`).get() as Row
  const given = db.prepare('SELECT seq FROM sqlite_sequence WHERE name = ?').get(name) as Row | undefined
  return {
    name,
    columns,
    count,
    lastId: given?.seq ?? 0,
    rows: () => db.prepare(`SELECT * FROM ${name}`).iterate() as Iterable<Row>,
  }
}

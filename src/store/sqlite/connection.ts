// One SQLite connection and what every statement family shares: prepared statements, group commit, the outbox, signals.
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { EventType } from '../../domain/event.ts'
import { GroupCommit, type Schedule } from './group-commit.ts'
import { migrate } from './migrate.ts'

/** SQLite's page cache; the rest of a large store stays on disk. */
const pageCacheKib = 48 * 1024

type Listener = () => void

export class Connection {
  readonly db: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()
  readonly #commit: GroupCommit
  readonly #workListeners = new Set<Listener>()
  readonly #eventListeners = new Set<Listener>()
  #work = false
  #events = false
  #insertEvent: StatementSync
  /** Grows with every change to what a claim is decided by beside counts: batches, limits, breakers, suppressions. */
  rulesVersion = 0

  /** The store's own time, epoch ms: leases go by it, whatever a node's clock says. */
  readonly now: () => number

  constructor(path: string, schedule: Schedule, now: () => number) {
    this.now = now
    this.db = new DatabaseSync(path, { timeout: 5_000 })
    // A dial must be on disk before it is made: NORMAL could lose the last commits when the power goes.
    // A checkpoint runs within the commit that fills the log to `wal_autocheckpoint` pages. The longest of 210 commits
    // beside an upload took 9 ms of CPU time at 1,000 pages, 6 at 250, 20 at 4,000 and 5 without checkpoints: nothing that
    // a thread of its own for checkpoints would be worth.
    this.db.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA foreign_keys = ON;
      PRAGMA temp_store = MEMORY;
      PRAGMA cache_size = -${pageCacheKib};
      PRAGMA journal_size_limit = 67108864;
      PRAGMA wal_autocheckpoint = 1000;
    `)
    migrate(this.db)
    this.#commit = new GroupCommit(
      this.db,
      schedule,
      () => this.#signal(),
      () => this.rulesVersion++,
    )
    this.#insertEvent = this.prepare(
      'INSERT INTO events (workspace_id, batch_id, type, at, data) VALUES (?, ?, ?, ?, ?)',
    )
  }

  /** Prepared once per text. */
  prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.db.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }

  /** See GroupCommit.write. */
  write<T>(work: () => T): Promise<T> {
    return this.#commit.write(work)
  }

  /** Writes an event into the outbox, in the transaction under way. */
  emit(workspaceId: number, batchId: number | null, type: EventType, at: number, dataJson: string): void {
    this.#insertEvent.run(workspaceId, batchId, type, at, dataJson)
    this.#events = true
  }

  /** After this commit the dispatcher may have work; `rulesVersion` tells cached rules that they are stale. */
  workChanged(): void {
    this.#work = true
    this.rulesVersion++
  }

  onWork(listener: Listener): () => void {
    this.#workListeners.add(listener)
    return () => this.#workListeners.delete(listener)
  }

  onEvents(listener: Listener): () => void {
    this.#eventListeners.add(listener)
    return () => this.#eventListeners.delete(listener)
  }

  close(): void {
    this.#commit.flush()
    this.db.close()
  }

  #signal(): void {
    const [work, events] = [this.#work, this.#events]
    this.#work = false
    this.#events = false
    if (work) for (const listener of this.#workListeners) listener()
    if (events) for (const listener of this.#eventListeners) listener()
  }
}

// The embedded store: one SQLite file, one writer, group commit. `:memory:` is the tests' double.
import type { Store } from '../store.ts'
import { batchStatements } from './batches.ts'
import { claimStatements } from './claim.ts'
import { Connection } from './connection.ts'
import { conversationStatements } from './conversations.ts'
import { DueTimes } from './due-times.ts'
import { endingStatements } from './ending.ts'
import { realTimeSchedule, type Schedule } from './group-commit.ts'
import { importStatements } from './imports.ts'
import { nodeStatements } from './nodes.ts'
import { placingStatements } from './placing.ts'
import { reportStatements } from './reports.ts'
import { resourceStatements } from './resources.ts'
import { Rules } from './rules.ts'
import { traceStatements } from './traces.ts'
import { trunkChanges } from './update-trunk.ts'
import { workspaceStatements } from './workspaces.ts'

export interface SqliteStoreOptions {
  /** A file, or `:memory:`. */
  path: string
  /** When a group is committed; on a virtual clock: `queueMicrotask`. */
  schedule?: Schedule
  /** The store's own time, epoch ms; on a virtual clock: that clock's. */
  now?: () => number
}

/** Opens the store, creating and migrating the file as needed. */
export async function openSqliteStore({
  path,
  schedule = realTimeSchedule(),
  now = Date.now,
}: SqliteStoreOptions): Promise<Store> {
  const connection = new Connection(path, schedule, now)
  const rules = new Rules(connection)
  const dueTimes = new DueTimes(connection)
  return {
    ...workspaceStatements(connection),
    ...resourceStatements(connection),
    ...trunkChanges(connection),
    ...importStatements(connection),
    ...batchStatements(connection),
    ...reportStatements(connection),
    ...conversationStatements(connection),
    ...traceStatements(connection),
    ...claimStatements(connection, rules, dueTimes),
    ...placingStatements(connection, rules, dueTimes),
    ...endingStatements(connection, dueTimes),
    ...nodeStatements(connection),
    onWork: listener => connection.onWork(listener),
    onEvents: listener => connection.onEvents(listener),
    close: async () => connection.close(),
  }
}

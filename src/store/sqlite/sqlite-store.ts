// The embedded store: one SQLite file, one writer, group commit. `:memory:` is the tests' double.
import type { Store } from '../store.ts'
import { accessStatements } from './access.ts'
import { backupStatements } from './backup.ts'
import { batchStatements } from './batches.ts'
import { callerStatements } from './caller-calls.ts'
import { claimStatements } from './claim.ts'
import { Connection } from './connection.ts'
import { conversationStatements } from './conversations.ts'
import { DueTimes } from './due-times.ts'
import { endingStatements } from './ending.ts'
import { erasureStatements } from './erasure.ts'
import { everybodyStatements } from './everybody.ts'
import { realTimeSchedule, type Schedule } from './group-commit.ts'
import { holdStatements, recogniseFile } from './hold.ts'
import { importStatements } from './imports.ts'
import { nodeStatements } from './nodes.ts'
import { outboxStatements } from './outbox.ts'
import { placingStatements } from './placing.ts'
import { reportStatements } from './reports.ts'
import { resourceStatements } from './resources.ts'
import { retentionStatements } from './retention.ts'
import { Rules } from './rules.ts'
import { traceStatements } from './traces.ts'
import { trunkChanges } from './update-trunk.ts'
import { webhookDeliveryStatements } from './webhook-deliveries.ts'
import { webhookEndpointStatements } from './webhook-endpoints.ts'
import { workspaceStatements } from './workspaces.ts'

export interface SqliteStoreOptions {
  /** A file, or `:memory:`. */
  path: string
  /** When a group is committed; on a virtual clock: `queueMicrotask`. */
  schedule?: Schedule
  /** The store's own time, epoch ms; on a virtual clock: that clock's. */
  now?: () => number
}

/** Named memory (`file:name?mode=memory&cache=shared`) outlives a store within this process, and is no file either. */
const isInMemory = (path: string) => path === ':memory:' || path.includes('mode=memory')

/** Opens the store, creating and migrating the file as needed. */
export async function openSqliteStore({
  path,
  schedule = realTimeSchedule(),
  now = Date.now,
}: SqliteStoreOptions): Promise<Store> {
  const connection = new Connection(path, schedule, now)
  if (!isInMemory(path)) recogniseFile(connection.db, path, now())
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
    ...everybodyStatements(connection),
    ...callerStatements(connection),
    ...traceStatements(connection),
    ...outboxStatements(connection),
    ...webhookEndpointStatements(connection),
    ...webhookDeliveryStatements(connection),
    ...claimStatements(connection, rules, dueTimes),
    ...placingStatements(connection, rules, dueTimes),
    ...endingStatements(connection, dueTimes),
    ...nodeStatements(connection),
    ...retentionStatements(connection),
    ...erasureStatements(connection),
    ...backupStatements(connection, path),
    ...holdStatements(connection),
    ...accessStatements(connection),
    onWork: listener => connection.onWork(listener),
    onEvents: listener => connection.onEvents(listener),
    close: async () => connection.close(),
  }
}

// The store for many machines: any number of nodes on one PostgreSQL, no leader, hand-written SQL.
import { Client } from 'pg'
import type { Store } from '../store.ts'
import { accessStatements } from './access.ts'
import { backupStatements } from './backup.ts'
import { batchStatements } from './batches.ts'
import { callerStatements } from './caller-calls.ts'
import { claimStatements } from './claim.ts'
import { Connection, clientConfig } from './connection.ts'
import { conversationStatements } from './conversations.ts'
import { endingStatements } from './ending.ts'
import { erasureStatements } from './erasure.ts'
import { everybodyStatements } from './everybody.ts'
import { holdStatements } from './hold.ts'
import { idempotencyStatements } from './idempotency.ts'
import { importStatements } from './imports.ts'
import { migrate, migrationTimeoutMs } from './migrate.ts'
import { nodeStatements } from './nodes.ts'
import { outboxStatements } from './outbox-pages.ts'
import { placingStatements } from './placing.ts'
import { reportStatements } from './reports.ts'
import { resourceStatements } from './resources.ts'
import { retentionStatements } from './retention.ts'
import { checkServer } from './server-settings.ts'
import { type OrphanRules, sweepStatements } from './sweep.ts'
import { traceStatements } from './traces.ts'
import { trunkChanges } from './update-trunk.ts'
import { webhookDeliveryStatements } from './webhook-deliveries.ts'
import { webhookEndpointStatements } from './webhook-endpoints.ts'
import { workspaceStatements } from './workspaces.ts'

export interface PostgresStoreOptions {
  /** `postgresql://user:password@host:port/database`. It holds a secret: it stands in no log and no error of ours. */
  url: string
  /** When what a dead node left half done is taken for dead. */
  orphans?: OrphanRules
}

/** A chunk of rows comes every few seconds at worst; a list that is read first shows no sign until it is. */
const defaultOrphans: OrphanRules = { importAfterMs: 15 * 60_000, reservationAfterMs: 60 * 60_000 }

/**
 * Opens the store, migrating the database as needed.
 * @throws the database's own errors; an error with a sentence when its schema is newer than this program, or its settings
 * cannot keep a store's promises
 */
export async function openPostgresStore({
  url,
  orphans = defaultOrphans,
}: PostgresStoreOptions): Promise<Store> {
  const config = clientConfig(url)
  const client = new Client({ ...config, query_timeout: migrationTimeoutMs })
  client.on('error', () => {})
  await client.connect()
  try {
    await checkServer(client)
    await migrate(client)
  } finally {
    await client.end().catch(() => {})
  }
  const connection = new Connection(config)
  try {
    await connection.listen()
  } catch (error) {
    await connection.close()
    throw error
  }
  return {
    ...workspaceStatements(connection),
    ...idempotencyStatements(connection),
    ...resourceStatements(connection),
    ...importStatements(connection),
    ...batchStatements(connection),
    ...sweepStatements(connection, orphans),
    ...reportStatements(connection),
    ...conversationStatements(connection),
    ...everybodyStatements(connection),
    ...callerStatements(connection),
    ...traceStatements(connection),
    ...trunkChanges(connection),
    ...outboxStatements(connection),
    ...webhookEndpointStatements(connection),
    ...webhookDeliveryStatements(connection),
    ...claimStatements(connection),
    ...placingStatements(connection),
    ...endingStatements(connection),
    ...nodeStatements(connection),
    ...retentionStatements(connection),
    ...erasureStatements(connection),
    ...backupStatements(connection),
    ...holdStatements(connection),
    ...accessStatements(connection),
    onWork: listener => connection.onWork(listener),
    onEvents: listener => connection.onEvents(listener),
    close: () => connection.close(),
  }
}

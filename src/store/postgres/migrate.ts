// Brings a database to the newest schema: numbered plain SQL files, each applied once, in order, in a transaction, by one
// node at a time.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Client } from 'pg'

const migrationsDir = join(import.meta.dirname, 'migrations')

/** Any two numbers that nobody else in this database takes: 'outd', 'schema'. */
const migrationLock = [0x6f757464, 0x73636865] as const

/** How long another node's migration is waited for: the largest index is built in it. */
export const migrationTimeoutMs = 30 * 60_000

interface Migration {
  version: number
  file: string
  sql: string
  checksum: string
}

/** Applies what is missing; throws when the database is newer than this program, or was made by another. */
export async function migrate(client: Client): Promise<void> {
  await client.query(`SET statement_timeout = ${migrationTimeoutMs}`)
  await client.query('SELECT pg_advisory_lock($1, $2)', [...migrationLock])
  try {
    await client.query(`CREATE TABLE IF NOT EXISTS schema_migrations (
      version integer PRIMARY KEY, file text NOT NULL, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`)
    const applied = await client.query<Migration>(
      'SELECT version, file, checksum FROM schema_migrations ORDER BY version',
    )
    const known = readMigrations()
    refuseForeign(applied.rows, known)
    for (const migration of known.slice(applied.rows.length)) await apply(client, migration)
  } finally {
    // A connection that broke has given its lock back by that.
    await client.query('SELECT pg_advisory_unlock($1, $2)', [...migrationLock]).catch(() => {})
  }
}

function readMigrations(): Migration[] {
  return readdirSync(migrationsDir)
    .filter(name => /^\d{4}-.*\.sql$/.test(name))
    .sort()
    .map((file, index) => {
      const sql = readFileSync(join(migrationsDir, file), 'utf8')
      return { version: index + 1, file, sql, checksum: createHash('sha256').update(sql).digest('hex') }
    })
}

function refuseForeign(applied: readonly Migration[], known: readonly Migration[]): void {
  if (applied.length > known.length)
    throw new Error(
      `the database has schema ${applied.length}, this Outdial knows ${known.length}: start the newer version that wrote it`,
    )
  const altered = applied.find((migration, index) => migration.checksum !== known[index]?.checksum)
  if (altered !== undefined)
    throw new Error(
      `the database's schema ${altered.version} was made by another ${altered.file} than this Outdial's: it belongs to another program or version`,
    )
}

async function apply(client: Client, { version, file, sql, checksum }: Migration): Promise<void> {
  await client.query('BEGIN')
  try {
    await client.query(sql)
    await client.query('INSERT INTO schema_migrations (version, file, checksum) VALUES ($1, $2, $3)', [
      version,
      file,
      checksum,
    ])
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {})
    throw new Error(`migration ${file} failed`, { cause: error })
  }
}

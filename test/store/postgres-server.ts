// A real PostgreSQL for the tests: a throw-away cluster of this test process, or the server that
// OUTDIAL_TEST_DATABASE_URL names. Each store gets a database of its own, copied from one that is migrated already, or one after the other the same.
import { randomBytes } from 'node:crypto'
import { after } from 'node:test'
import type { Client } from 'pg'
import { findPostgres, onClient, type PostgresCluster, startPostgres } from '../../bench/postgres-cluster.ts'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'

const givenUrl = process.env.OUTDIAL_TEST_DATABASE_URL
const isThere = givenUrl !== undefined || findPostgres() !== null

/** Why suites on PostgreSQL are left out; false: they are not. In CI they run, and fail where there is no server. */
export const skipWithoutPostgres =
  isThere || process.env.CI === 'true' ? false : 'PostgreSQL is not installed (Debian and Ubuntu: postgresql)'

/** Synchronisation stays on: what a commit promises is what is tested. */
const settings = {
  max_connections: '100',
  shared_buffers: '32MB',
  // Its transactions would hold back the outbox of every database, at moments of their own choosing.
  autovacuum: 'off',
  timezone: 'UTC',
}

/** Tables that others point to, in the order in which they can be emptied. */
const referenced = ['batches', 'phone_numbers', 'agents', 'trunks', 'workspaces']

type DatabaseServer = Pick<PostgresCluster, 'url' | 'stop'>

const prefix = `outdial_test_${randomBytes(4).toString('hex')}`
let server: Promise<DatabaseServer> | undefined
let template: Promise<string> | undefined
const databases: string[] = []

after(async () => {
  const running = await server?.catch(() => undefined)
  if (running === undefined) return
  if (givenUrl !== undefined)
    await asAdmin(async admin => {
      for (const name of databases) await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
    })
  await running.stop()
})

/** The address of a new database with the newest schema and nothing in it; `migrated` false: without the schema. */
export async function newDatabase({ migrated = true } = {}): Promise<string> {
  const from = migrated ? await migratedTemplate() : 'template0'
  return createDatabase(from)
}

/** Takes all rows out of a database that nobody uses: 5 ms, where a new database takes 60. */
export async function emptyDatabase(url: string): Promise<void> {
  await inspect(url, async client => {
    const { rows } = await client.query<{ name: string }>(
      `SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
       AND relname <> 'schema_migrations'`,
    )
    const children = rows.map(({ name }) => name).filter(name => !referenced.includes(name))
    const deletions = [...children, ...referenced].map(name => `DELETE FROM ${name};`)
    await client.query(`BEGIN; ${deletions.join(' ')} COMMIT`)
  })
}

/** Does something on a connection of its own. */
export const inspect = onClient

/** Resolves when a statement of a store in this database waits for a lock. */
export async function untilWaiting(url: string): Promise<void> {
  await inspect(url, async client => {
    const waiting = `SELECT 1 FROM pg_stat_activity
      WHERE datname = current_database() AND application_name = 'outdial' AND wait_event_type = 'Lock'`
    while ((await client.query(waiting)).rowCount === 0);
  })
}

async function createDatabase(from: string): Promise<string> {
  const name = `${prefix}_${databases.length}`
  databases.push(name)
  await asAdmin(admin => admin.query(`CREATE DATABASE ${name} TEMPLATE ${from}`))
  return (await running()).url(name)
}

function migratedTemplate(): Promise<string> {
  template ??= (async () => {
    const url = await createDatabase('template0')
    await (await openPostgresStore({ url })).close()
    return new URL(url).pathname.slice(1)
  })()
  return template
}

async function asAdmin<T>(work: (admin: Client) => Promise<T>): Promise<T> {
  return inspect((await running()).url('postgres'), work)
}

function running(): Promise<DatabaseServer> {
  server ??= givenUrl === undefined ? startPostgres(settings) : Promise.resolve(givenServer(givenUrl))
  return server
}

function givenServer(base: string): DatabaseServer {
  return {
    url(database) {
      const url = new URL(base)
      url.pathname = `/${database}`
      return url.href
    },
    async stop() {},
  }
}

// A real PostgreSQL for the tests: a throw-away cluster of this test process, or the server that
// OUTDIAL_TEST_DATABASE_URL names. Each store gets a database of its own, copied from one that is migrated already, or one after the other the same.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { accessSync, chownSync, constants, globSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { after } from 'node:test'
import { Client } from 'pg'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'

const givenUrl = process.env.OUTDIAL_TEST_DATABASE_URL
const binDir = givenUrl === undefined ? findBinDir() : null
const isThere = givenUrl !== undefined || binDir !== null

/** Why suites on PostgreSQL are left out; false: they are not. In CI they run, and fail where there is no server. */
export const skipWithoutPostgres =
  isThere || process.env.CI === 'true' ? false : 'PostgreSQL is not installed (Debian and Ubuntu: postgresql)'

/** Synchronisation stays on: what a commit promises is what is tested. */
const settings = {
  listen_addresses: '127.0.0.1',
  max_connections: '100',
  shared_buffers: '32MB',
  // Its transactions would hold back the outbox of every database, at moments of their own choosing.
  autovacuum: 'off',
  timezone: 'UTC',
}

/** Tables that others point to, in the order in which they can be emptied. */
const referenced = ['batches', 'phone_numbers', 'agents', 'trunks', 'workspaces']

interface Server {
  /** Of a database on it. */
  url(database: string): string
  stop(): Promise<void>
}

const prefix = `outdial_test_${randomBytes(4).toString('hex')}`
let server: Promise<Server> | undefined
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
export async function inspect<T>(url: string, look: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client(url)
  await client.connect()
  try {
    return await look(client)
  } finally {
    await client.end()
  }
}

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

function running(): Promise<Server> {
  server ??= givenUrl === undefined ? startCluster() : Promise.resolve(givenServer(givenUrl))
  return server
}

function givenServer(base: string): Server {
  return {
    url(database) {
      const url = new URL(base)
      url.pathname = `/${database}`
      return url.href
    },
    async stop() {},
  }
}

async function startCluster(): Promise<Server> {
  if (binDir === null) throw new Error('PostgreSQL is not installed (Debian and Ubuntu: postgresql)')
  const folder = mkdtempSync(join(tmpdir(), 'outdial-pg-'))
  const owner = clusterOwner()
  if (owner !== null) chownSync(folder, owner.uid, owner.gid)
  const data = join(folder, 'data')
  const initdb = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync']
  execFileSync(join(binDir, 'initdb'), initdb, { stdio: 'ignore', cwd: folder, ...owner })
  const port = await freePort()
  const options = Object.entries({ ...settings, port, unix_socket_directories: folder })
  const child = spawn(
    'sh',
    [
      '-c',
      // The shell outlives this process however it ends: its standard input closes, and the cluster is gone.
      '"$0" "$@" & read -r _; kill -QUIT $!; wait $!',
      join(binDir, 'postgres'),
      ...['-D', data, ...options.flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    ],
    { stdio: ['pipe', 'ignore', 'ignore'], cwd: folder, detached: true, ...owner },
  )
  child.unref()
  const exited = once(child, 'exit')
  const url = (database: string) => `postgresql://postgres@127.0.0.1:${port}/${database}`
  await untilAnswering(url('postgres'), child)
  return {
    url,
    async stop() {
      child.stdin?.end()
      await exited
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Whom the cluster belongs to: PostgreSQL refuses to run as root. */
function clusterOwner(): { uid: number; gid: number } | null {
  if (process.getuid?.() !== 0) return null
  const idOf = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }))
  return { uid: idOf('-u'), gid: idOf('-g') }
}

async function untilAnswering(url: string, child: ChildProcess): Promise<void> {
  for (;;) {
    try {
      return await inspect(url, async () => {})
    } catch (error) {
      if (child.exitCode !== null) throw new Error('PostgreSQL did not start', { cause: error })
    }
  }
}

async function freePort(): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as { port: number }
  await new Promise(resolve => listener.close(resolve))
  return port
}

/** On the PATH, or where Debian keeps each version's. The newest one. */
function findBinDir(): string | null {
  const debian = globSync('/usr/lib/postgresql/*/bin').sort(
    (one, other) => Number(other.split('/')[4]) - Number(one.split('/')[4]),
  )
  const folders = [...debian, ...(process.env.PATH ?? '').split(delimiter)]
  return (
    folders.find(folder =>
      ['initdb', 'postgres'].every(name => {
        try {
          accessSync(join(folder, name), constants.X_OK)
          return true
        } catch {
          return false
        }
      }),
    ) ?? null
  )
}

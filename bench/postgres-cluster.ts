// A throw-away PostgreSQL cluster that writes to disk as it would in earnest, for benchmarks and tests.
import { accessSync, constants, existsSync, globSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { Client } from 'pg'
import { ThrowawayServer } from './throwaway-server.ts'

/** As a small database machine is set up: some memory, checkpoints that do not follow each other closely; else the defaults. */
const benchSettings = {
  max_connections: '200',
  shared_buffers: '512MB',
  max_wal_size: '4GB',
}

export interface PostgresCluster {
  /** The address of a database on it. */
  url(database: string): string
  port: number
  stop(): Promise<void>
  /** Ends it as a power cut would; what was committed is there after `start`. */
  crash(): Promise<void>
  start(): Promise<void>
}

export interface Postgres {
  /** The address of a new, empty database. */
  newDatabase(): Promise<string>
}

/** Starts a cluster, does the work, and removes it. */
export async function withPostgres<T>(work: (postgres: Postgres) => Promise<T>): Promise<T> {
  const cluster = await startPostgres(benchSettings)
  let databases = 0
  try {
    return await work({
      async newDatabase() {
        const name = `bench_${++databases}`
        await onClient(cluster.url('postgres'), client => client.query(`CREATE DATABASE ${name}`))
        return cluster.url(name)
      },
    })
  } finally {
    await cluster.stop()
  }
}

/** `fsync` and `synchronous_commit` stay on, as they are by default. */
export async function startPostgres(settings: Readonly<Record<string, string>>): Promise<PostgresCluster> {
  const binDir = findPostgres()
  if (binDir === null) throw new Error('PostgreSQL is not installed (Debian and Ubuntu: postgresql)')
  // It refuses to run as root.
  const server = await ThrowawayServer.prepare({ name: 'outdial-pg', user: 'postgres', endSignal: 'QUIT' })
  const { folder, port } = server
  const url = (database: string) => `postgresql://postgres@127.0.0.1:${port}/${database}`
  const data = join(folder, 'data')
  const all = { ...settings, listen_addresses: '127.0.0.1', unix_socket_directories: folder, port }
  const options = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const start = () =>
    server.start(join(binDir, 'postgres'), ['-D', data, ...options], () =>
      onClient(url('postgres'), async () => {}),
    )
  try {
    const initdb = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync']
    server.run(join(binDir, 'initdb'), initdb)
    await start()
  } catch (error) {
    await server.stop()
    throw error
  }
  return { url, port, start, stop: () => server.stop(), crash: () => crash(data) }
}

/** An immediate shutdown: no checkpoint, connections are cut. */
async function crash(data: string): Promise<void> {
  const [pid] = readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')
  process.kill(Number(pid), 'SIGQUIT')
  while (existsSync(join(data, 'postmaster.pid'))) await setImmediate()
}

/** Does something on a connection of its own. */
export async function onClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client(url)
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

/** The folder of its programs: on the PATH, or where Debian keeps each version's; the newest. null: there is none. */
export function findPostgres(): string | null {
  const debian = globSync('/usr/lib/postgresql/*/bin').sort(
    (one, other) => Number(other.split('/')[4]) - Number(one.split('/')[4]),
  )
  const folders = [...debian, ...(process.env.PATH ?? '').split(delimiter)]
  const hasAll = (folder: string) => ['initdb', 'postgres'].every(name => isProgram(join(folder, name)))
  return folders.find(hasAll) ?? null
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

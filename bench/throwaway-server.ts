// Servers that a benchmark starts for itself, in a new folder under the system's temporary one: PostgreSQL and Redis. Both
// write to disk as they would in earnest, and both are gone afterwards, however the benchmark ends.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, chownSync, constants, globSync, mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { Client } from 'pg'
import { until } from './bench-process.ts'

/** As a small database machine is set up: some memory, checkpoints that do not follow each other closely. */
const postgresSettings = {
  listen_addresses: '127.0.0.1',
  max_connections: '200',
  shared_buffers: '512MB',
  max_wal_size: '4GB',
  fsync: 'on',
  synchronous_commit: 'on',
  track_wal_io_timing: 'on',
  autovacuum_naptime: '10s',
}
/** Looking whether a server answers yet, ms. */
const lookEveryMs = 20

export interface Postgres {
  /** The address of a new, empty database. */
  newDatabase(): Promise<string>
}

export interface RedisAddress {
  host: string
  port: number
}

/** When Redis calls fsync: after each write, or once a second (then a crash of the machine loses the last second). */
export type AppendFsync = 'always' | 'everysec'

/** Starts a cluster, does the work, and removes it. */
export async function withPostgres<T>(work: (postgres: Postgres) => Promise<T>): Promise<T> {
  const binDir = findPostgres()
  return inFolder('outdial-bench-pg-', postgresOwner(), async (folder, owner) => {
    const [data, port] = [join(folder, 'data'), await freePort()]
    const initdb = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C']
    execFileSync(join(binDir, 'initdb'), initdb, { stdio: 'ignore', cwd: folder, ...owner })
    const settings = Object.entries({ ...postgresSettings, unix_socket_directories: folder, port })
    const options = settings.flatMap(([name, value]) => ['-c', `${name}=${value}`])
    const server = new Server('QUIT', join(binDir, 'postgres'), ['-D', data, ...options], folder, owner)
    const url = (database: string) => `postgresql://postgres@127.0.0.1:${port}/${database}`
    let databases = 0
    try {
      await until(lookEveryMs, () => server.answers(() => onClient(url('postgres'), async () => {})))
      return await work({
        async newDatabase() {
          const name = `bench_${++databases}`
          await onClient(url('postgres'), client => client.query(`CREATE DATABASE ${name}`))
          return url(name)
        },
      })
    } finally {
      await server.stop()
    }
  })
}

/** Starts a Redis that keeps an append-only file, does the work, and removes it. */
export async function withRedis<T>(
  appendfsync: AppendFsync,
  work: (redis: RedisAddress) => Promise<T>,
): Promise<T> {
  return inFolder('outdial-bench-redis-', null, async folder => {
    const [host, port] = ['127.0.0.1', await freePort()]
    const settings = { bind: host, port, dir: folder, appendonly: 'yes', appendfsync, save: '' }
    // BullMQ asks for this policy.
    const all = Object.entries({ ...settings, 'maxmemory-policy': 'noeviction' })
    const args = all.flatMap(([name, value]) => [`--${name}`, String(value)])
    const server = new Server('TERM', 'redis-server', args, folder, null)
    try {
      await until(lookEveryMs, () => server.answers(() => canConnect(host, port)))
      return await work({ host, port })
    } finally {
      await server.stop()
    }
  })
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

interface Owner {
  uid: number
  gid: number
}

class Server {
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown>

  constructor(
    endSignal: 'QUIT' | 'TERM',
    command: string,
    args: readonly string[],
    cwd: string,
    owner: Owner | null,
  ) {
    // The shell outlives this process however it ends: its standard input closes, and the server is gone.
    const script = `"$0" "$@" & read -r _; kill -${endSignal} $!; wait $!`
    this.#child = spawn('sh', ['-c', script, command, ...args], {
      stdio: ['pipe', 'ignore', 'ignore'],
      cwd,
      detached: true,
      ...owner,
    })
    this.#exited = once(this.#child, 'exit')
  }

  /** Whether it does already; throws when it never will. */
  async answers(look: () => Promise<unknown>): Promise<boolean> {
    try {
      await look()
      return true
    } catch (error) {
      if (this.#child.exitCode !== null) throw new Error('the server did not start', { cause: error })
      return false
    }
  }

  async stop(): Promise<void> {
    this.#child.stdin?.end()
    await this.#exited
  }
}

async function inFolder<T>(
  prefix: string,
  owner: Owner | null,
  work: (folder: string, owner: Owner | null) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), prefix))
  try {
    if (owner !== null) chownSync(folder, owner.uid, owner.gid)
    return await work(folder, owner)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** PostgreSQL refuses to run as root. */
function postgresOwner(): Owner | null {
  if (process.getuid?.() !== 0) return null
  const idOf = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }))
  return { uid: idOf('-u'), gid: idOf('-g') }
}

/** On the PATH, or where Debian keeps each version's; the newest. */
function findPostgres(): string {
  const debian = globSync('/usr/lib/postgresql/*/bin').sort(
    (one, other) => Number(other.split('/')[4]) - Number(one.split('/')[4]),
  )
  const folders = [...debian, ...(process.env.PATH ?? '').split(delimiter)]
  const found = folders.find(folder => ['initdb', 'postgres'].every(name => isProgram(join(folder, name))))
  if (found === undefined) throw new Error('PostgreSQL is not installed (Debian and Ubuntu: postgresql)')
  return found
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

async function freePort(): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as { port: number }
  await new Promise(resolve => listener.close(resolve))
  return port
}

async function canConnect(host: string, port: number): Promise<void> {
  const socket = connect(port, host)
  try {
    await once(socket, 'connect')
  } finally {
    socket.destroy()
  }
}

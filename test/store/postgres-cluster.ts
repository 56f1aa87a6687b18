// A throw-away PostgreSQL cluster: made in a temporary folder, gone when this process is, however it ends.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, chownSync, constants, globSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { Client } from 'pg'

/** Synchronisation stays on: what a commit promises is what is tested. */
const settings = {
  listen_addresses: '127.0.0.1',
  max_connections: '100',
  shared_buffers: '32MB',
  // Its transactions would hold back the outbox of every database, at moments of their own choosing.
  autovacuum: 'off',
  timezone: 'UTC',
}

export interface PostgresCluster {
  /** TCP, on 127.0.0.1. */
  port: number
  /** Of a database on it. */
  url(database: string): string
  /** As by a power cut of the server's program: all its processes at once, nothing is written down. */
  crash(): Promise<void>
  /** After a crash, at the same address: resolves when it answers. */
  start(): Promise<void>
  stop(): Promise<void>
}

export async function startCluster(): Promise<PostgresCluster> {
  const binDir = findBinDir()
  if (binDir === null) throw new Error('PostgreSQL is not installed (Debian and Ubuntu: postgresql)')
  const folder = mkdtempSync(join(tmpdir(), 'outdial-pg-'))
  const owner = clusterOwner()
  if (owner !== null) chownSync(folder, owner.uid, owner.gid)
  const data = join(folder, 'data')
  const initdb = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync']
  execFileSync(join(binDir, 'initdb'), initdb, { stdio: 'ignore', cwd: folder, ...owner })
  const port = await freePort()
  const options = Object.entries({ ...settings, port, unix_socket_directories: folder })
  const args = ['-D', data, ...options.flatMap(([name, value]) => ['-c', `${name}=${value}`])]
  const url = (database: string) => `postgresql://postgres@127.0.0.1:${port}/${database}`
  const run = async (): Promise<ChildProcess> => {
    // The shell outlives this process, whose end closes its standard input; then the cluster goes, and with us its files.
    const script =
      '"$0" "$@" & read -r word; kill -QUIT $!; wait $!; [ "$word" = keep ] || { cd / && rm -rf "$OLDPWD"; }'
    const child = spawn('sh', ['-c', script, join(binDir, 'postgres'), ...args], {
      stdio: ['pipe', 'ignore', 'ignore'],
      cwd: folder,
      detached: true,
      ...owner,
    })
    child.unref()
    await untilAnswering(url('postgres'), child)
    return child
  }
  let child = await run()
  const end = async (word: string) => {
    const exited = once(child, 'exit')
    child.ref()
    child.stdin?.end(word)
    await exited
  }
  return {
    port,
    url,
    crash: () => end('keep\n'),
    async start() {
      child = await run()
    },
    async stop() {
      await end('')
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
      const client = new Client(url)
      await client.connect()
      return await client.end()
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
export function findBinDir(): string | null {
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

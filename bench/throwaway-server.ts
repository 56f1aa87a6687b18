// A server for a test or a benchmark: a process on a free port with a new folder under the system's temporary one. Both are
// gone afterwards, however whoever started it ends.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

interface Owner {
  uid: number
  gid: number
}

export interface ThrowawayOptions {
  /** Begins the folder's name. */
  name: string
  /** Whom the process and its folder belong to when we are root; null: us. */
  user: string | null
  endSignal: 'QUIT' | 'TERM'
}

export class ThrowawayServer {
  readonly folder: string
  readonly port: number
  readonly #options: ThrowawayOptions
  readonly #owner: Owner | null
  /** One for each start. */
  readonly #children: ChildProcess[] = []

  private constructor(options: ThrowawayOptions, port: number) {
    this.port = port
    this.#options = options
    this.folder = mkdtempSync(join(tmpdir(), `${options.name}-`))
    this.#owner = ownerOf(options.user)
    if (this.#owner !== null) chownSync(this.folder, this.#owner.uid, this.#owner.gid)
  }

  static async prepare(options: ThrowawayOptions): Promise<ThrowawayServer> {
    return new ThrowawayServer(options, await freePort())
  }

  /** Runs a command to its end, as the server's user. */
  run(command: string, args: readonly string[]): void {
    execFileSync(command, args, { stdio: 'ignore', cwd: this.folder, ...this.#owner })
  }

  /** Resolves when `answers` does not reject any more. May be called again after the server has died. */
  async start(command: string, args: readonly string[], answers: () => Promise<unknown>): Promise<void> {
    // The shell outlives this process however it ends: its standard input closes, and server and folder are gone.
    const script = `"$0" "$@" & read -r _; kill -${this.#options.endSignal} $!; wait $!; cd / && rm -rf "$OLDPWD"`
    const child = spawn('sh', ['-c', script, command, ...args], {
      stdio: ['pipe', 'ignore', 'ignore'],
      cwd: this.folder,
      detached: true,
      ...this.#owner,
    })
    child.unref()
    this.#children.push(child)
    for (;;) {
      try {
        return void (await answers())
      } catch (error) {
        if (child.exitCode !== null) throw new Error(`${command} did not start`, { cause: error })
      }
    }
  }

  async stop(): Promise<void> {
    for (const child of this.#children) {
      const exited = once(child, 'exit')
      child.ref()
      child.stdin?.end()
      await exited
    }
    rmSync(this.folder, { recursive: true, force: true })
  }
}

function ownerOf(user: string | null): Owner | null {
  if (user === null || process.getuid?.() !== 0) return null
  const idOf = (flag: string) => Number(execFileSync('id', [flag, user], { encoding: 'utf8' }))
  return { uid: idOf('-u'), gid: idOf('-g') }
}

async function freePort(): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as { port: number }
  await new Promise(resolve => listener.close(resolve))
  return port
}

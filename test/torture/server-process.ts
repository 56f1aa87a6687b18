// The real server as a process that can be killed: `outdial serve` on a data directory of the test's own.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
export const apiKey = 'torture-0123456789-abcdef'

// biome-ignore lint/suspicious/noExplicitAny: answers of many shapes, read by tests and benchmarks
type Json = any

export interface ServerProcess {
  url: string
  pid: number
  /** What it logged so far (warnings and worse), oldest first. */
  log: Record<string, unknown>[]
  /** Sends a request with the workspace's key; throws on any status from 400. */
  send(method: string, path: string, body?: object | FormData): Promise<Json>
  /** `SIGKILL`, as a power cut would: nothing is written or told any more. Resolves when the process is gone. */
  kill(): Promise<void>
}

/** Starts the server and resolves once it listens. */
export async function startServer(
  dataDir: string,
  settings: Record<string, string> = {},
): Promise<ServerProcess> {
  const child = spawn(process.execPath, [program, 'serve'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      PORT: '0',
      OUTDIAL_DATA_DIR: dataDir,
      OUTDIAL_API_KEY: apiKey,
      OUTDIAL_LOG_LEVEL: 'warn',
      ...settings,
    },
  })
  const endWithUs = () => child.kill('SIGKILL')
  process.once('exit', endWithUs)
  const log: Record<string, unknown>[] = []
  createInterface({ input: child.stderr }).on('line', line => log.push(parseLine(line)))
  const url = await listening(child, log)
  return {
    url,
    pid: child.pid!,
    log,
    send: (method, path, body) => send(`${url}${path}`, method, body),
    async kill() {
      const exited = child.exitCode !== null || child.signalCode !== null ? null : once(child, 'exit')
      child.kill('SIGKILL')
      await exited
      process.removeListener('exit', endWithUs)
    },
  }
}

function listening(child: ChildProcess, log: Record<string, unknown>[]): Promise<string> {
  return new Promise((resolve, reject) => {
    createInterface({ input: child.stdout! }).on('line', line => {
      const [, url] = /listens on (http\S+)/.exec(line) ?? []
      if (url !== undefined) resolve(url)
    })
    child.once('exit', code =>
      reject(new Error(`the server ended with ${code} before it listened: ${JSON.stringify(log)}`)),
    )
  })
}

async function send(url: string, method: string, body?: object | FormData): Promise<Json> {
  const isForm = body instanceof FormData
  const answer = await fetch(url, {
    method,
    headers: {
      authorization: `Bearer ${apiKey}`,
      ...(body === undefined || isForm ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: isForm ? body : JSON.stringify(body) }),
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${method} ${new URL(url).pathname}: ${answer.status} ${text}`)
  return JSON.parse(text)
}

function parseLine(line: string): Record<string, unknown> {
  try {
    return JSON.parse(line) as Record<string, unknown>
  } catch {
    return { msg: line }
  }
}

// SIP programs that we did not write, as peers of the tests: started by name, skipped by name where they are not installed.
import { type ChildProcess, spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { accessSync, constants, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { type TestContext, test } from 'node:test'

export type Program = 'sipp' | 'kamailio' | 'baresip' | 'openssl'

/** A test that needs `programs`; in CI a missing one fails it, elsewhere it is skipped with the reason. */
export function peerTest(
  sentence: string,
  programs: readonly Program[],
  body: (t: TestContext) => Promise<void>,
): void {
  const missing = programs.filter(name => !isInstalled(name))
  const skip =
    missing.length > 0 && process.env.CI !== 'true' ? `${missing.join(', ')} is not installed` : false
  test(sentence, { skip, timeout: 15_000 }, body)
}

function isInstalled(name: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some(folder => {
    try {
      accessSync(join(folder, name), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

export function tempFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'outdial-peer-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export async function freePort(): Promise<number> {
  const socket = createSocket('udp4')
  const bound = once(socket, 'listening')
  socket.bind(0, '127.0.0.1')
  await bound
  const { port } = socket.address()
  await new Promise<void>(resolve => socket.close(resolve))
  return port
}

export interface SippOptions {
  /** A file of scenarios/, without `.xml`; or one of SIPp's own (`uac`). */
  scenario: string
  calls?: number
  transport?: 'u1' | 't1'
  /** What stands as `@NAME@` in the scenario: SIPp's own keywords may not be part of a status line. */
  fill?: Record<string, string>
  /** Where calls go; absent: SIPp is the one who is called. */
  target?: string
  args?: readonly string[]
}

export interface Sipp {
  port: number
  /** Resolves with '' when all calls went by the scenario, else with what SIPp says of the first that did not. */
  done: Promise<string>
}

const scenarios = join(import.meta.dirname, 'scenarios')

/** Resolves when SIPp listens. It is gone after the test. */
export async function startSipp(t: TestContext, options: SippOptions): Promise<Sipp> {
  const { scenario, calls = 1, transport = 'u1', fill, target, args = [] } = options
  const folder = tempFolder(t)
  const port = await freePort()
  const errors = join(folder, 'errors.log')
  const isOwn = scenario === 'uac' || scenario === 'uas'
  const file = fill === undefined ? join(scenarios, `${scenario}.xml`) : fillScenario(scenario, fill, folder)
  const child = spawn(
    'sipp',
    [
      ...(target === undefined ? [] : [target]),
      ...(isOwn ? ['-sn', scenario] : ['-sf', file]),
      ...['-i', '127.0.0.1', '-p', String(port), '-t', transport, '-m', String(calls), '-nostdin'],
      ...['-timeout', '12s', '-timeout_error', '-deadcall_wait', '0', '-trace_err', '-error_file', errors],
      ...args,
    ],
    { cwd: folder, stdio: 'ignore' },
  )
  endAfter(t, child)
  const exited = once(child, 'exit')
  const done = exited.then(([code]) => (code === 0 ? '' : `exit ${code}: ${readIfThere(errors)}`))
  await untilBound(transport === 'u1' ? 'udp' : 'tcp', port, child)
  return { port, done }
}

function fillScenario(scenario: string, fill: Record<string, string>, folder: string): string {
  const text = readFileSync(join(scenarios, `${scenario}.xml`), 'utf8')
  const file = join(folder, `${scenario}.xml`)
  writeFileSync(
    file,
    text.replace(/@([A-Z]+)@/g, (_, name: string) => fill[name] ?? ''),
  )
  return file
}

/** SIPp and Kamailio do not say when they listen; the kernel does. Asked again and again, each time through its files. */
export async function untilBound(protocol: 'udp' | 'tcp', port: number, child: ChildProcess): Promise<void> {
  const wanted = new RegExp(`^ *\\d+: 0100007F:${port.toString(16).toUpperCase().padStart(4, '0')} `, 'm')
  while (child.exitCode === null && !wanted.test(await readFile(`/proc/net/${protocol}`, 'utf8')));
}

/** Kills what the test started, at its end; `group`: with its children (the child was started detached). */
export function endAfter(t: TestContext, child: ChildProcess, { group = false } = {}): void {
  t.after(async () => {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
    const exited = once(child, 'exit')
    process.kill(group ? -child.pid : child.pid, 'SIGKILL')
    await exited
  })
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8').slice(0, 2_000)
  } catch {
    return 'no reason given'
  }
}

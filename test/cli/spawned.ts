// The command as a process of its own: its lines as they come, its end, its signals.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

const root = join(import.meta.dirname, '../..')

export interface Spawned {
  child: ChildProcess
  /** All that was said so far. */
  out: string[]
  err: string[]
  /** Resolves with the first line, past or to come, that matches; rejects when the process ends without it. */
  line(pattern: RegExp): Promise<RegExpExecArray>
  exit: Promise<number | null>
}

export function outdial(args: string[], env: Record<string, string>): Spawned {
  return spawned(process.execPath, [join(root, 'bin/outdial.js'), ...args], env)
}

export function spawned(command: string, args: string[], env: Record<string, string>): Spawned {
  const clean = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('OUTDIAL_') && name !== 'PORT'),
  )
  const child = spawn(command, args, {
    cwd: root,
    env: { ...clean, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const out = linesOf(child.stdout!)
  const err = linesOf(child.stderr!)
  const exit = once(child, 'close').then(([code]) => code as number | null)
  return {
    child,
    out: out.lines,
    err: err.lines,
    exit,
    line: pattern => firstLine([out, err], pattern, exit),
  }
}

interface Lines {
  lines: string[]
  onLine(listener: (line: string) => void): void
}

function linesOf(stream: Readable): Lines {
  const lines: string[] = []
  const reader = createInterface({ input: stream })
  reader.on('line', line => lines.push(line))
  return { lines, onLine: listener => void reader.on('line', listener) }
}

function firstLine(streams: Lines[], pattern: RegExp, exit: Promise<unknown>): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    const look = (line: string) => {
      const found = pattern.exec(line)
      if (found !== null) resolve(found)
    }
    for (const { lines, onLine } of streams) {
      lines.forEach(look)
      onLine(look)
    }
    void exit.then(code => {
      const said = streams.flatMap(({ lines }) => lines).join('\n')
      reject(new Error(`ended with ${code} before a line matched ${pattern}:\n${said}`))
    })
  })
}

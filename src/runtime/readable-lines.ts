// Log lines for people: `12:31:05 warn  trunk slowed  trunkId=1 callsPerSecond=4`. Machines get the JSON as it is.
import { Writable } from 'node:stream'

const levelNames: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info ',
  40: 'warn ',
  50: 'error',
  60: 'fatal',
}

/** Takes pino's JSON lines and writes readable ones to `destination`. */
export function readableLines(destination: Writable): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      for (const line of chunk.toString('utf8').split('\n')) {
        if (line !== '') destination.write(`${readable(line)}\n`)
      }
      done()
    },
  })
}

function readable(line: string): string {
  const { time, level, msg, ...fields } = JSON.parse(line) as Record<string, unknown>
  const clock = new Date(Number(time)).toISOString().slice(11, 19)
  const name = levelNames[Number(level)] ?? String(level)
  const { err, ...others } = fields
  const pairs = Object.entries(others).map(([key, value]) => `${key}=${inline(value)}`)
  return (
    [`${clock} ${name} ${String(msg ?? '')}`, ...pairs].join('  ') + (err === undefined ? '' : stackOf(err))
  )
}

function inline(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function stackOf(err: unknown): string {
  const stack = (err as { stack?: unknown } | null)?.stack
  return typeof stack === 'string' ? `\n${stack}` : `  ${inline(err)}`
}

// The log: JSON lines on stderr, or short readable ones on a terminal; telephone numbers and secrets are masked in it.
import type { Writable } from 'node:stream'
import { pino } from 'pino'
import { readableLines } from './readable-lines.ts'

export type Logger = pino.Logger

export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

/** The only fields that may hold a telephone number. Messages never hold one. */
const numberFields = ['number', 'from', 'to', 'callerId', 'e164'] as const
/** Fields that must not be seen at all. */
const secretFields = [
  'authorization',
  'apiKey',
  'password',
  'req.headers.authorization',
  'req.headers["x-api-key"]',
]

/** How many digits of a number stay readable at its end: enough to find a call, too few to ring it. */
const maxVisibleDigits = 2
/** Country code and area stay readable: what goes wrong often goes wrong for one of them. */
const maxVisibleStart = 4

/**
 * Writes to stderr: stdout belongs to the data that a command was asked for.
 * @param options.readable short lines for people instead of JSON
 */
export function createLogger(options: {
  level: LogLevel
  readable?: boolean
  destination?: Writable
}): Logger {
  const destination = options.destination ?? process.stderr
  const stream = options.readable ? readableLines(destination) : destination
  return pino(
    {
      level: options.level,
      base: null,
      serializers: Object.fromEntries(numberFields.map(field => [field, maskNumber])),
      redact: { paths: secretFields, censor: '[hidden]' },
    },
    stream,
  )
}

/** For tests and for commands that speak for themselves. */
export const silentLogger: Logger = pino({ level: 'silent' })

/** `+12025550163` → `+120******63`. What is no string is hidden whole. */
export function maskNumber(value: unknown): string {
  if (typeof value !== 'string') return '[hidden]'
  if (value.length <= maxVisibleStart + maxVisibleDigits) return '*'.repeat(value.length)
  const hidden = value.length - maxVisibleStart - maxVisibleDigits
  return value.slice(0, maxVisibleStart) + '*'.repeat(hidden) + value.slice(-maxVisibleDigits)
}

// `outdial serve`: the server in the foreground, until a signal ends it.
import { type App, startApp } from '../app.ts'
import { type Config, readConfig, unknownVariables } from '../config.ts'
import { DatabaseUnusable, RoleNeedsDatabase } from '../open-store.ts'
import { realClock } from '../runtime/clock.ts'
import { DataDirTaken } from '../runtime/data-dir-lock.ts'
import { createLogger, type Logger } from '../runtime/logger.ts'
import type { NodeRole } from '../store/node-records.ts'
import { CommandFailure, exitCodes } from './failure.ts'
import type { Terminal } from './terminal.ts'

/** A terminal sends Ctrl-C to us and to npm, which passes it on: the same one then arrives twice. */
const echoMs = 300

/** Runs until SIGTERM or Ctrl-C, then lets calls end, closes everything and ends the process. */
export async function serve({ role }: { role?: NodeRole }, terminal: Terminal): Promise<void> {
  const configured = readConfig()
  const config = { ...configured, role: role ?? configured.role }
  const logger = createLogger({ level: config.logLevel, readable: terminal.isLive })
  warnOfUnknownVariables(logger)
  const app = await openApp(config, logger)
  terminal.print(`Outdial listens on ${app.url}`)
  if (app.newApiKey !== null) printNewKey(app.newApiKey, terminal)
  await stopOnSignal(app, config, terminal)
}

/** Starts the app; what commonly goes wrong becomes a sentence that says what to do. */
export async function openApp(config: Config, logger: Logger): Promise<App> {
  try {
    return await startApp(config, logger)
  } catch (error) {
    throw explained(error, config)
  }
}

/**
 * Waits for the first signal, stops the app and ends the process with 0; a second signal ends it at once.
 * @param onSignal runs at the first one; what it returns is waited for
 */
export async function stopOnSignal(
  app: App,
  config: Config,
  terminal: Terminal,
  onSignal: () => unknown = () => {},
): Promise<void> {
  await new Promise<void>(resolve => {
    const first = () => {
      process.removeListener('SIGTERM', first).removeListener('SIGINT', first)
      resolve()
    }
    process.on('SIGTERM', first).on('SIGINT', first)
  })
  const firstAt = realClock.now()
  const endAtOnce = () => {
    if (realClock.now() - firstAt > echoMs) process.exit(exitCodes.interrupted)
  }
  process.on('SIGTERM', endAtOnce).on('SIGINT', endAtOnce)
  const alsoStopping = onSignal()
  const open = await app.deps.store.countOpenAttempts()
  const wait =
    open === 0 ? '' : ` ${open} calls may go on for ${config.shutdownGraceMs / 1000} s; again: end at once.`
  terminal.note(`Stopping: no more calls are placed.${wait}`)
  await Promise.all([app.stop(), alsoStopping])
  terminal.note('Stopped.')
  // Everything is closed and on disk: a client's half-open connection must not keep a supervisor waiting.
  process.exit(exitCodes.ok)
}

function printNewKey(key: string, terminal: Terminal): void {
  terminal.print(`API key of the workspace "demo" (shown only this once): ${key}`)
}

function warnOfUnknownVariables(logger: Logger): void {
  const names = unknownVariables()
  if (names.length > 0) logger.warn({ names }, 'variables that are no settings of Outdial: misspelt?')
}

function explained(error: unknown, { host, port, dataDir }: Config): unknown {
  const isSaid = [DataDirTaken, DatabaseUnusable, RoleNeedsDatabase].some(kind => error instanceof kind)
  if (isSaid) return new CommandFailure('failed', (error as Error).message)
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EADDRINUSE':
      return new CommandFailure(
        'failed',
        `Port ${port} on ${host} is in use by another program. Choose another one, e.g. PORT=${port + 1}, or PORT=0 for any free one.`,
      )
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new CommandFailure(
        'failed',
        `This machine has no address ${host}. Set HOST, e.g. HOST=127.0.0.1.`,
      )
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new CommandFailure(
        'failed',
        `No permission: ${(error as Error).message}. The server needs port ${port} and a writable directory ${dataDir}.`,
      )
    default:
      return error
  }
}

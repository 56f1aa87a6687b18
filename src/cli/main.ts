// The `outdial` command: runs what was asked for and ends with the exit code that tells how it went.
import { CommanderError } from 'commander'
import { ConfigError } from '../runtime/config-error.ts'
import { CommandFailure, exitCodes } from './failure.ts'
import { createProgram } from './program.ts'
import { processTerminal } from './terminal.ts'

const terminal = processTerminal()

// A reader that stops early (`| head`) is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? exitCodes.ok : exitCodes.failed)
})

try {
  await createProgram(terminal).parseAsync(process.argv)
} catch (error) {
  process.exitCode = report(error)
}

function report(error: unknown): number {
  // Commander has said it already; its own code is 1 for wrong usage, ours is 2.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
  if (error instanceof ConfigError) {
    terminal.note(error.message)
    return exitCodes.usage
  }
  if (error instanceof CommandFailure) {
    for (const line of [error.message, ...error.details.map(detail => `  ${detail}`)]) terminal.note(line)
    return exitCodes[error.reason]
  }
  terminal.note(error instanceof Error ? (error.stack ?? error.message) : String(error))
  return exitCodes.failed
}

// `outdial carrier`: the simulated carrier as a process of its own, which outlives the server that dials through it.
import { startCarrier } from '../app.ts'
import { CommandFailure, exitCodes } from './failure.ts'
import type { Terminal } from './terminal.ts'

/** Runs until a signal ends it, or its log cannot be written: then nothing may be dialled any more. */
export async function carrier(
  { port, log, seed }: { port: number; log: string; seed: number },
  terminal: Terminal,
): Promise<void> {
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>()
  const running = await startCarrier({ port, logPath: log, seed, onFailure: reject }).catch(explain)
  process.once('SIGTERM', resolve).once('SIGINT', resolve)
  terminal.print(`The simulated carrier listens on ${running.address}`)
  try {
    await ended
  } catch (error) {
    terminal.note(`The log ${log} cannot be written: ${(error as Error).message}`)
    process.exit(exitCodes.failed)
  }
  await running.close()
}

function explain(error: NodeJS.ErrnoException): never {
  throw new CommandFailure('failed', `The carrier does not start: ${error.message}`)
}

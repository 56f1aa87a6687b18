// `outdial phones`: telephones to ring on this machine, and what became of each call to them.
import { openPhones } from '../phones/phones.ts'
import { realClock } from '../runtime/clock.ts'
import { createLogger } from '../runtime/logger.ts'
import type { PortRange } from '../runtime/port-range.ts'
import { CommandFailure } from './failure.ts'
import type { Terminal } from './terminal.ts'

interface PhonesCommandOptions {
  host: string
  port: number
  rtpPorts: PortRange
  seed: number
  quiet: boolean
}

/** Runs until a signal ends it. */
export async function phones(options: PhonesCommandOptions, terminal: Terminal): Promise<void> {
  const { promise: ended, resolve } = Promise.withResolvers<void>()
  const logger = createLogger({ level: 'warn', readable: terminal.isLive })
  const onCall = (number: string, what: string) => {
    if (!options.quiet) terminal.print(`${number}  ${what}`)
  }
  const street = await openPhones({ ...options, clock: realClock, logger, onCall }).catch(error =>
    explain(error, options),
  )
  process.once('SIGTERM', resolve).once('SIGINT', resolve)
  const address = `${options.host.includes(':') ? `[${street.host}]` : street.host}:${street.port}`
  terminal.print(`Telephones ring at ${address} (SIP over UDP and TCP).`)
  terminal.print(`  outdial trunk add street --gateway ${address} --caller-id +12025550100 --agent AGENT`)
  terminal.print('The last two digits of a number say who picks up: docs/guide/phones.md. Ctrl-C ends them.')
  await ended
  await street.close()
}

function explain(error: NodeJS.ErrnoException, { host, port }: PhonesCommandOptions): never {
  const why =
    error.code === 'EADDRINUSE'
      ? `port ${port} on ${host} is in use. Choose another one, or --port 0 for any free one.`
      : error.message
  throw new CommandFailure('failed', `The telephones cannot be set up: ${why}`)
}

// The simulated carrier as a process of its own: node carrier-process.ts --port 7070 --log carrier.log [--seed 1]
// [--until-stdin-ends]. Prints {"listening":"127.0.0.1:PORT"}; SIGTERM ends it. Exit codes: 0 ended, 1 failed, 2 usage.
import { parseArgs } from 'node:util'
import { realClock } from '../../runtime/clock.ts'
import { CarrierServer } from './carrier-server.ts'

const usage = 'usage: carrier-process.ts --log FILE [--port 7070] [--seed 1] [--until-stdin-ends]'

async function main(): Promise<void> {
  const { port, seed, logPath, untilStdinEnds } = readArguments()
  const server = await CarrierServer.start({ port, logPath, seed, clock: realClock, onFailure: fail })
  const stop = () => void server.close().then(() => process.exit(0), fail)
  process.once('SIGTERM', stop).once('SIGINT', stop)
  // A test that is killed cannot stop its carrier; its end of the pipe closes all the same.
  if (untilStdinEnds) process.stdin.resume().once('end', stop)
  process.stdout.write(`${JSON.stringify({ listening: `127.0.0.1:${server.port}` })}\n`)
}

function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        port: { type: 'string', default: '7070' },
        log: { type: 'string' },
        seed: { type: 'string', default: '1' },
        'until-stdin-ends': { type: 'boolean', default: false },
      },
    })
    const [port, seed, logPath] = [Number(values.port), Number(values.seed), values.log]
    if (
      !Number.isInteger(port) ||
      port < 0 ||
      port > 65_535 ||
      !Number.isSafeInteger(seed) ||
      logPath === undefined
    )
      throw new TypeError('a log file, a port and a whole number as seed are needed')
    return { port, seed, logPath, untilStdinEnds: values['until-stdin-ends'] }
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${usage}\n`)
    process.exit(2)
  }
}

function fail(error: unknown): never {
  process.stderr.write(`the simulated carrier failed: ${(error as Error).message}\n`)
  process.exit(1)
}

main().catch(fail)

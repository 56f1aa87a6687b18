// The carrier's own process, which outlives the server, and what its log says of the calls that it was asked to place.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { LogLine } from '../../src/carrier/simulated/carrier-server.ts'
import { RemoteCarrier } from '../../src/carrier/simulated/remote-carrier.ts'
import type { Seen } from '../../src/carrier/simulated/traffic-meter.ts'
import { realClock } from '../../src/runtime/clock.ts'

const program = fileURLToPath(new URL('../../src/carrier/simulated/carrier-process.ts', import.meta.url))

export interface CarrierChild {
  /** For a trunk's settings. */
  address: string
  seen(): Promise<Seen>
  stop(): Promise<void>
}

export async function startCarrier(logPath: string): Promise<CarrierChild> {
  const child = spawn(process.execPath, [program, '--until-stdin-ends', '--port', '0', '--log', logPath], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const [line] = await once(createInterface({ input: child.stdout }), 'line')
  const { listening: address } = JSON.parse(line as string) as { listening: string }
  const onlooker = new RemoteCarrier(Number(address.split(':')[1]), realClock)
  return {
    address,
    async seen() {
      const seen = await onlooker.seen()
      if (seen === null) throw new Error('the carrier does not answer')
      return seen
    },
    async stop() {
      await onlooker.close()
      const exited = once(child, 'exit')
      child.stdin.end()
      await exited
    },
  }
}

export interface CarrierRecord {
  /** Call-IDs in the order of their dials, as often as they were dialled. */
  callIds: string[]
  /** Dials by number. */
  dials: Map<string, number>
  /** Numbers that answered, and those that were dialled again afterwards. */
  answered: Set<string>
  dialledAfterAnswer: string[]
  /** Dials that came after their Call-ID had been withdrawn: they rang nobody. */
  refused: number
}

/** Reads the whole log, in the order in which things reached the disk. */
export async function readCarrierLog(path: string): Promise<CarrierRecord> {
  const lines = (await readFile(path, 'utf8')).trimEnd().split('\n')
  const record: CarrierRecord = {
    callIds: [],
    dials: new Map(),
    answered: new Set(),
    dialledAfterAnswer: [],
    refused: 0,
  }
  for (const text of lines) note(record, JSON.parse(text) as LogLine)
  return record
}

function note(record: CarrierRecord, line: LogLine): void {
  if (line.what === 'answer') record.answered.add(line.number)
  if (line.what === 'refused') record.refused++
  if (line.what !== 'dial') return
  record.callIds.push(line.callId)
  record.dials.set(line.number, (record.dials.get(line.number) ?? 0) + 1)
  if (record.answered.has(line.number)) record.dialledAfterAnswer.push(line.number)
}

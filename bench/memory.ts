// How much memory does the server hold with 1,000,000 recipients stored: after a restart, and while it calls?
//
// The real server as a process of its own; resident memory as the kernel counts it (Linux). The yardstick, in the same
// run: the same server on an empty data directory. Aim: under 350 MB.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type ServerProcess, startServer } from '../test/torture/server-process.ts'
import { withMillionPeople } from './million-people.ts'
import { withFolder } from './open-app.ts'

const callsWatched = Number(process.argv[2] ?? 20_000)
const concurrency = 2_000

const emptyMb = await withFolder(async folder => {
  const server = await startServer(join(folder, 'data'))
  const { residentMb } = await memoryOf(server)
  await server.kill()
  return residentMb
})
console.log(`yardstick: the server with nothing stored ${emptyMb} MB`)
await withMillionPeople(async ({ dataDir, batchId }) => {
  const since = performance.now()
  const server = await startServer(dataDir)
  const startMs = performance.now() - since
  try {
    print(`after a restart (listening after ${Math.round(startMs)} ms)`, await memoryOf(server))
    await server.send('GET', `/talkifai/batch/jobs/batch_${batchId}?contactsPageSize=500`)
    await server.send('PATCH', '/api/v1/workspace', { maxConcurrentCalls: concurrency })
    const attempts = async () => (await server.send('GET', `/api/v1/batches/${batchId}`)).attempts
    const before = await attempts()
    await server.send('POST', `/api/v1/batches/${batchId}/resume`)
    while ((await attempts()) < before + callsWatched);
    print(`while calling, ${concurrency} at a time, after ${callsWatched} calls`, await memoryOf(server))
    await server.send('POST', `/api/v1/batches/${batchId}/pause`)
  } finally {
    await server.kill()
  }
})

interface Memory {
  residentMb: number
  /** The most it ever was. */
  peakMb: number
}

async function memoryOf({ pid }: ServerProcess): Promise<Memory> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  const megabytes = (name: string) =>
    Math.round((Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1_024) / 1_000_000)
  return { residentMb: megabytes('VmRSS'), peakMb: megabytes('VmHWM') }
}

function print(when: string, { residentMb, peakMb }: Memory): void {
  console.log(
    `${when}: ${residentMb} MB (at most ${peakMb} MB), ${(residentMb / emptyMb).toFixed(2)} times the empty server`,
  )
}

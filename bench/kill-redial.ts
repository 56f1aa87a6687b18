// Twenty people are being talked to when the process that called them is killed: how many are dialled again?
// node bench/kill-redial.ts. Needs: npm ci --prefix bench/queues, PostgreSQL, Redis.
//
// Job queues: a job is a call; its handler writes "dial" with the person to a file, flushes it to disk and talks for two
// seconds. The worker is killed (`kill -9`) in the middle, another one starts, and once no job is left the file is read.
// Everything is as each queue sets it by itself, except that a dead worker is noticed after 4 s instead of 30 s (BullMQ: lock
// and stall check) or 15 minutes (pg-boss: expiry and its check); Graphile Worker takes jobs back after 4 hours, or when a
// person hands it the dead workers' ids as its documentation says, which is done here. Outdial: the same twenty calls, on a
// simulated carrier that outlives the nodes and writes each dial to disk; the usual settings, a lost call is tried again.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startCarrier } from '../src/app.ts'
import { openPostgresStore } from '../src/store/postgres/postgres-store.ts'
import { openSqliteStore } from '../src/store/sqlite/sqlite-store.ts'
import { BenchProcess, until } from './bench-process.ts'
import { withFolder } from './open-app.ts'
import { withPostgres } from './postgres-cluster.ts'
import { needQueues, type QueueName, startQueueProcess } from './queue-run.ts'
import { withRedis } from './redis-server.ts'
import { seedBatch } from './seed-batch.ts'

const people = 20
const talkMs = 2_000
const lookEveryMs = 20
/** Short, so that the second call, if there is to be one, comes at once. */
const retryDelaysMs = [500]

needQueues()
await withRedis('everysec', url => killQueueWorker('bullmq', url))
await withPostgres(async postgres => {
  await killQueueWorker('pg-boss', await postgres.newDatabase())
  await killQueueWorker('graphile-worker', await postgres.newDatabase())
  await killNode('Outdial on PostgreSQL', await postgres.newDatabase())
})
await withFolder(folder => killNode('Outdial on SQLite', join(folder, 'outdial.db')))

async function killQueueWorker(name: QueueName, url: string): Promise<void> {
  await withFolder(async folder => {
    const log = join(folder, 'dials.log')
    writeFileSync(log, '')
    const dials = () => readFileSync(log, 'utf8').trim().split('\n').filter(Boolean)
    const keeper = startQueueProcess(name, url, 'calls')
    await keeper.ask('open')
    await keeper.ask('fill', people)
    const first = startQueueProcess(name, url, 'calls')
    await first.ask('call', { log, talkMs })
    await killInMidCall(first, () => dials().length)
    const second = startQueueProcess(name, url, 'calls')
    await second.ask('open')
    await keeper.ask('takeBack')
    await second.ask('call', { log, talkMs })
    await until(lookEveryMs, async () => (await keeper.ask<number>('left')) === 0)
    await Promise.all([keeper.stop(), second.stop()])
    print(name, dials())
  })
}

async function killNode(name: string, address: string): Promise<void> {
  await withFolder(async folder => {
    const log = join(folder, 'carrier.log')
    const carrier = await startCarrier({ port: 0, logPath: log, seed: 1, onFailure: fail })
    const lines = () =>
      readFileSync(log, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map(line => JSON.parse(line) as { what: string; number: string })
    const batch = await seedPeople(address, carrier.address)
    const startNode = () => new BenchProcess('node-process.ts', [address])
    const first = startNode()
    await killInMidCall(first, () => lines().filter(({ what }) => what === 'answer').length)
    const second = startNode()
    await until(lookEveryMs, () => second.ask<boolean>('isCompleted', batch))
    await second.stop()
    await carrier.close()
    print(
      name,
      lines()
        .filter(({ what }) => what === 'dial')
        .map(({ number }) => number),
    )
  })
}

async function seedPeople(address: string, carrierAddress: string) {
  const store = address.startsWith('postgresql://')
    ? await openPostgresStore({ url: address })
    : await openSqliteStore({ path: address })
  try {
    return await seedBatch(store, {
      recipients: people,
      trunkSettings: { address: carrierAddress, ringMs: [0, 0], talkMs: [talkMs, talkMs], answerRate: 1 },
      maxConcurrentCalls: people,
      retry: { maxAttempts: 3, delaysMs: { lost: retryDelaysMs, 'no-answer': retryDelaysMs } },
      startAs: 'running',
    })
  } finally {
    await store.close()
  }
}

/** Once everybody is being talked to, half a call later. */
async function killInMidCall(worker: BenchProcess, talking: () => number): Promise<void> {
  await until(lookEveryMs, () => talking() >= people)
  await new Promise(resolve => setTimeout(resolve, talkMs / 2))
  await worker.kill()
}

function print(name: string, dials: readonly string[]): void {
  const called = new Set(dials)
  const again = new Set(dials.filter((person, index) => dials.indexOf(person) !== index))
  console.log(
    `${name}: ${again.size} of ${people} people were dialled again, ${people - called.size} never dialled`,
  )
}

function fail(error: unknown): never {
  throw error
}

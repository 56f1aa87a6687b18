// A data directory that holds a batch of 1,000,000 people, 100,000 of them called, among 200 small batches; made once.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { SimulatedCarrier } from '../src/carrier/simulated/simulated-carrier.ts'
import { startDispatcher } from '../src/dispatcher/dispatcher.ts'
import { noRetries } from '../src/domain/retry.ts'
import { realClock } from '../src/runtime/clock.ts'
import { silentLogger } from '../src/runtime/logger.ts'
import { openSqliteStore } from '../src/store/sqlite/sqlite-store.ts'
import { withFolder } from './open-app.ts'
import { seedBatch } from './seed-batch.ts'

const people = 1_000_000
const called = 100_000
const smallBatches = 200
const maxConcurrentCalls = 2_000

export interface MillionPeople {
  dataDir: string
  /** Of the large batch; it is paused. */
  batchId: number
}

/** Uses the directory that `bench/all.ts` provides for several benchmarks, else one that is cleared away afterwards. */
export async function withMillionPeople<T>(work: (made: MillionPeople) => Promise<T>): Promise<T> {
  const { OUTDIAL_BENCH_DIR: shared } = process.env
  if (shared !== undefined) return work(await make(shared))
  return withFolder(async folder => work(await make(folder)))
}

async function make(folder: string): Promise<MillionPeople> {
  const dataDir = join(folder, 'million')
  const path = join(dataDir, 'outdial.db')
  if ((await mkdir(dataDir, { recursive: true })) === undefined) return { dataDir, batchId: 1 }
  const since = performance.now()
  const batchId = await seed(path)
  // From here on calls take a second: 1,000 places make 1,000 calls a second.
  const db = new DatabaseSync(path)
  db.prepare('UPDATE trunks SET settings = ?').run(
    '{"ringMs":[0,0],"talkMs":[1000,1000],"forcedEndings":false}',
  )
  db.close()
  console.log(
    `1,000,000 people stored, ${called} called: ${Math.round((performance.now() - since) / 1_000)} s`,
  )
  return { dataDir, batchId }
}

/** With the simulated carrier's usual mix of outcomes. */
async function seed(path: string): Promise<number> {
  const store = await openSqliteStore({ path })
  const options = { trunkSettings: { zeroLength: true }, maxConcurrentCalls, retry: noRetries }
  const { batchId, workspaceId } = await seedBatch(store, {
    ...options,
    recipients: people,
    startAs: 'draft',
  })
  for (let index = 0; index < smallBatches; index++)
    await seedBatch(store, { ...options, workspaceId, recipients: 10, startAs: 'draft' })
  const carrier = new SimulatedCarrier({ clock: realClock, seed: 1 })
  const dispatcher = startDispatcher({ store, carrier, clock: realClock, logger: silentLogger })
  await store.startBatch(workspaceId, batchId, Date.now())
  await new Promise<void>(resolve => {
    store.onEvents(() => {
      if (dispatcher.figures().placed >= called) resolve()
    })
  })
  await store.pauseBatch(workspaceId, batchId, 'user', Date.now())
  await dispatcher.stop({ graceMs: 5_000 })
  await store.close()
  return batchId
}

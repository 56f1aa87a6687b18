// Promises 1 to 3 and 6 under the worst that can happen: the server dies five times in the middle of a batch.
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { seededRandom } from '../../src/runtime/random.ts'
import { type CarrierChild, readCarrierLog, startCarrier } from './carrier-child.ts'
import { Changes } from './changes.ts'
import { type ServerProcess, startServer } from './server-process.ts'
import { assertKept, createBatch } from './torture-batch.ts'

const kills = 5
/** Dials between a start and the next kill: so few that the batch is still under way at the last one. */
const dialsBeforeKill = { min: 200, max: 450 }
/** And so many turns of the event loop later, up to some 10 ms: a kill must not keep step with the commits. */
const turnsBeforeKill = { min: 0, max: 3_000 }
const timeoutMs = 120_000

const seed = Number(process.env.OUTDIAL_TEST_SEED ?? Math.floor(Math.random() * 2 ** 32))

const batch = { people: 2_000, concurrency: 200, seed }

test(`a batch of ${batch.people} survives ${kills} kill -9: nobody is called twice, nobody is lost`, {
  timeout: timeoutMs,
}, async t => {
  t.diagnostic(`seed ${seed} (OUTDIAL_TEST_SEED=${seed} replays the choice of moments)`)
  const house = await openHouse(t)
  const batchId = await createBatch(house.server(), house.carrier, batch)
  await killAgainAndAgain(t, house)
  await completed(house, batchId)

  const record = await readCarrierLog(house.logPath)
  t.diagnostic(await assertKept(house.server(), house.carrier, record, batchId, batch))
})

interface House {
  carrier: CarrierChild
  logPath: string
  changes: Changes
  server(): ServerProcess
  /** Kills the server and starts another one on the same data. */
  restart(): Promise<void>
}

async function openHouse(t: TestContext): Promise<House> {
  const folder = await mkdtemp(join(tmpdir(), 'outdial-kill-'))
  const [dataDir, carrierDir] = [join(folder, 'data'), join(folder, 'carrier')]
  for (const each of [dataDir, carrierDir]) await mkdir(each)
  const logPath = join(carrierDir, 'carrier.log')
  const carrier = await startCarrier(logPath)
  let server = await startServer(dataDir)
  const changes = new Changes(dataDir, carrierDir)
  t.after(async () => {
    changes.close()
    await server.kill()
    await carrier.stop()
    await rm(folder, { recursive: true, force: true })
  })
  return {
    carrier,
    logPath,
    changes,
    server: () => server,
    async restart() {
      await server.kill()
      server = await startServer(dataDir)
    },
  }
}

/** At random moments, between any two writes of the server and of the carrier. */
async function killAgainAndAgain(
  t: TestContext,
  { carrier, changes, restart, server }: House,
): Promise<void> {
  const random = seededRandom(seed)
  const between = ({ min, max }: { min: number; max: number }) => min + Math.floor(random() * (max - min))
  for (let kill = 1; kill <= kills; kill++) {
    const target = (await carrier.seen()).dials + between(dialsBeforeKill)
    await changes.until(async () => (await carrier.seen()).dials >= target)
    for (let turns = between(turnsBeforeKill); turns > 0; turns--) await setImmediate()
    await restart()
    await changes.until(async () => openWhenKilled(server()) !== null)
    const { dials } = await carrier.seen()
    t.diagnostic(`kill ${kill} near dial ${dials}: ${openWhenKilled(server())} attempts were open`)
  }
}

/** How many attempts the server found open when it started. */
function openWhenKilled({ log }: ServerProcess): number | null {
  const line = log.find(({ msg }) => String(msg).startsWith('settling calls'))
  return line === undefined ? null : Number(line.attempts)
}

/** Resolves when the batch is over; whatever is read meanwhile must add up. */
async function completed({ changes, server }: House, batchId: number): Promise<void> {
  await changes.until(async () => {
    const { counts, status } = await server().send('GET', `/api/v1/batches/${batchId}`)
    const sum = Object.values<number>(counts).reduce((total, count) => total + count, 0)
    assert.equal(sum, batch.people, 'the counts do not add up')
    return status === 'completed'
  })
}

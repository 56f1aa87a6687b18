// A disk that fills up and a disk that fails, under a server in the middle of a batch: it says so, dials nothing that it
// cannot write down, and loses nothing.
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { realClock } from '../../src/runtime/clock.ts'
import { waitFor } from '../../src/runtime/wait.ts'
import { readCarrierLog, startCarrier } from './carrier-child.ts'
import { Changes } from './changes.ts'
import { type ServerProcess, startServer } from './server-process.ts'
import { SmallDisk, skipWithoutDisks } from './small-disk.ts'
import { assertKept, createBatch } from './torture-batch.ts'

const diskMib = 32
const seed = Number(process.env.OUTDIAL_TEST_SEED ?? Math.floor(Math.random() * 2 ** 32))
/** Longer than any call of these telephones: whoever was being called when the disk failed has hung up. */
const callsOverMs = 3_000
/** Nothing may be dialled during this, ms. */
const watchedMs = 3_000
const lookAgainMs = 250
/** Many times what the free pages of a store of this size can hold. */
const maxSmallWrites = 20_000
const batch = { people: 1_500, concurrency: 60, seed }
const skip = skipWithoutDisks

test('a full disk stops the calls until there is room again, and nobody is lost', { skip }, async t => {
  const house = await openHouse(t)
  const batchId = await callUntilMidway(house)
  await house.disk.fill()
  await assertStopped(house, /full/i)
  await house.disk.free()
  await assertFinished(house, batchId)
})

test('a disk that turned read-only stops the calls, and a restart on the mended disk goes on', {
  skip,
}, async t => {
  const house = await openHouse(t)
  const batchId = await callUntilMidway(house)
  house.disk.fail()
  await assertStopped(house, /readonly|read-only|I\/O/i)
  await house.server().kill()
  house.disk.repair()
  await house.start()
  await assertFinished(house, batchId)
})

type House = Awaited<ReturnType<typeof openHouse>>

async function openHouse(t: TestContext) {
  t.diagnostic(`seed ${seed}`)
  const folder = await mkdtemp(join(tmpdir(), 'outdial-disk-'))
  const carrierDir = join(folder, 'carrier')
  await mkdir(carrierDir)
  const disk = new SmallDisk(folder, diskMib)
  const logPath = join(carrierDir, 'carrier.log')
  const carrier = await startCarrier(logPath)
  let server = await startServer(join(disk.path, 'data'))
  const changes = new Changes(carrierDir)
  t.after(async () => {
    changes.close()
    await server.kill()
    await carrier.stop()
    disk.unmount()
    await rm(folder, { recursive: true, force: true })
  })
  return {
    t,
    disk,
    carrier,
    changes,
    logPath,
    server: () => server,
    async start() {
      server = await startServer(join(disk.path, 'data'))
    },
  }
}

async function callUntilMidway({ server, carrier, changes }: House): Promise<number> {
  const batchId = await createBatch(server(), carrier, batch)
  await changes.until(async () => (await carrier.seen()).dials >= 300)
  return batchId
}

async function assertStopped({ carrier, server }: House, says: RegExp): Promise<void> {
  await waitFor(realClock, callsOverMs)
  const before = (await carrier.seen()).dials
  assert.ok(before < batch.people, 'the batch is under way')
  await waitFor(realClock, watchedMs)
  assert.equal((await carrier.seen()).dials, before, 'nothing is dialled that cannot be written down')
  const log = JSON.stringify(server().log)
  assert.match(log, /nothing is dialled until it answers again/)
  assert.match(log, says)
  await assertSaysSo(server(), says)
}

/** What is small may still find room in the last pages of the journal: it is used up then. */
async function assertSaysSo(server: ServerProcess, says: RegExp): Promise<void> {
  let refused = 'accepted'
  for (let asked = 0; refused === 'accepted' && asked < maxSmallWrites; asked++)
    refused = await server.send('POST', '/api/v1/agents', { name: `Bob ${asked}` }).then(
      () => 'accepted',
      (error: Error) => error.message,
    )
  assert.match(refused, /503 .*store_unavailable/)
  assert.match(refused, says)
  assert.equal((await fetch(`${server.url}/readyz`)).status, 503)
}

async function assertFinished(house: House, batchId: number): Promise<void> {
  const { t, server, carrier, logPath } = house
  const status = async () => (await server().send('GET', `/api/v1/batches/${batchId}`)).status
  while ((await status()) !== 'completed') await waitFor(realClock, lookAgainMs)
  const record = await readCarrierLog(logPath)
  t.diagnostic(await assertKept(server(), carrier, record, batchId, batch))
}

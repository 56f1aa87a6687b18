// What has been kept long enough goes away by itself, with its files, in steps with pauses, and never what is still needed.
import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Housekeeper, type HousekeeperDeps } from '../../src/housekeeping/housekeeper.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import { VirtualClock } from '../../src/runtime/virtual-clock.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { furnish, start, type Workbench } from '../store/workbench.ts'

const page = { limit: 10_000 }
const dayMs = 24 * 3_600_000
const line = { packetsSent: 0, packetsReceived: 0, packetsLost: 0, jitterMs: 0, firstAudioAfterMs: null }

interface House {
  bench: Workbench
  clock: VirtualClock
  housekeeper: Housekeeper
  recordings(): Promise<string[]>
  /** A round at this day. */
  roundOn(day: number): Promise<void>
}

/** `calls` calls that were recorded on day 0. */
async function house(t: TestContext, calls: number, deps: Partial<HousekeeperDeps> = {}): Promise<House> {
  const recordingsDir = await mkdtemp(join(tmpdir(), 'outdial-housekeeper-'))
  t.after(() => rm(recordingsDir, { recursive: true, force: true }))
  const clock = new VirtualClock(start)
  const bench = await furnish(await openSqliteStore({ path: ':memory:', schedule: queueMicrotask }))
  t.after(() => bench.store.close())
  await bench.store.updateWorkspace(bench.workspace.id, { maxConcurrentCalls: 10_000 }, start)
  if (calls > 0) await bench.import(calls)
  for (const call of await bench.call({ maxClaims: 10_000 })) {
    const recordingFile = `${call.attemptId}.wav`
    await writeFile(join(recordingsDir, recordingFile), '')
    const transcript = [{ role: 'human' as const, message: 'Yes.', at: start }]
    const conversation = { transcript, results: {}, recordingFile, recordingBytes: 0, line }
    await bench.end([call], { conversation })
  }
  const { store } = bench
  const housekeeper = new Housekeeper({ store, clock, logger: silentLogger, recordingsDir, ...deps })
  const roundOn = async (day: number) => {
    await clock.run({ until: start + day * dayMs })
    let isOver = false
    const round = housekeeper.round().finally(() => {
      isOver = true
    })
    // Files are removed in real time, the pauses in between pass on the clock.
    while (!isOver) await clock.run()
    await round
  }
  return { bench, clock, housekeeper, roundOn, recordings: () => readdir(recordingsDir) }
}

test('by default recordings and events go after 90 days, transcripts after 180, batches never', async t => {
  const { bench, roundOn, recordings, housekeeper } = await house(t, 3)
  const { store, workspace } = bench
  const transcripts = async () => {
    const attempts = await store.listAttempts(workspace.id, {}, page)
    return attempts.filter(({ results }) => results !== null).length
  }
  await roundOn(89)
  assert.equal((await recordings()).length, 3)
  assert.ok((await store.listEvents(workspace.id, page)).length > 3)
  await roundOn(91)
  assert.deepEqual(await recordings(), [])
  assert.equal((await store.listEvents(workspace.id, page)).length, 1, 'the newest stays: ids go on from it')
  assert.equal(await transcripts(), 3)
  await roundOn(181)
  assert.equal(await transcripts(), 0)
  assert.equal(await store.countAttempts(workspace.id, {}), 3)
  await roundOn(5_000)
  const { total } = await store.listBatches(workspace.id, {}, { offset: 0, limit: 1 })
  assert.equal(total, 1)
  const removed = housekeeper.removed()
  assert.deepEqual([removed.recordings, removed.conversations, removed.batches], [3, 3, 0])
})

test('batches go with their people and recordings when the workspace says so', async t => {
  const { bench, roundOn, recordings } = await house(t, 2)
  const { store, workspace } = bench
  const running = await bench.import(1)
  const retention = { recordingDays: null, transcriptDays: null, eventDays: null, batchDays: 30 }
  await store.updateWorkspace(workspace.id, { retention }, start)
  await roundOn(29)
  assert.equal((await recordings()).length, 2)
  await roundOn(31)
  assert.deepEqual(await recordings(), [])
  const { batches } = await store.listBatches(workspace.id, {}, { offset: 0, limit: 10 })
  assert.deepEqual(
    batches.map(({ id }) => id),
    [running.id],
  )
  assert.ok((await store.listEvents(workspace.id, page)).length > 0, 'events are kept for ever here')
})

test('many rows take many steps, with a pause after each', async t => {
  const { roundOn, recordings, clock } = await house(t, 1_500)
  const steps: number[] = []
  const at = clock.at.bind(clock)
  clock.at = (when, task) => {
    steps.push(when - clock.now())
    return at(when, task)
  }
  await roundOn(91)
  assert.deepEqual(await recordings(), [])
  const pauses = steps.filter(ms => ms < dayMs)
  assert.ok(pauses.length >= 3, `${pauses.length} pauses`)
  assert.ok(pauses.every(ms => ms >= 20))
})

test('an event that somebody still has to be told of stays, whatever its age', async t => {
  let needed = 0
  const { bench, roundOn } = await house(t, 3, { lowestNeededEventId: async () => needed })
  const { store, workspace } = bench
  const events = await store.listEvents(workspace.id, page)
  needed = events[2]!.id
  await roundOn(91)
  assert.deepEqual(await store.listEvents(workspace.id, page), events.slice(2))
})

test('in a store that waits to be accepted nothing is removed', async t => {
  const { bench, roundOn, recordings } = await house(t, 2)
  await bench.store.hold('backup', start)
  await roundOn(200)
  assert.equal((await recordings()).length, 2)
})

test('a round comes by itself after a minute and then each hour, until it is stopped', async t => {
  const { clock, housekeeper, bench } = await house(t, 1)
  let rounds = 0
  const { getHold } = bench.store
  bench.store.getHold = () => {
    rounds++
    return getHold()
  }
  housekeeper.start()
  await clock.run({ done: () => rounds === 3 })
  assert.equal(clock.now(), start + 60_000 + 2 * 3_600_000)
  await housekeeper.stop()
  await clock.run({ done: () => false })
  assert.equal(rounds, 3)
})

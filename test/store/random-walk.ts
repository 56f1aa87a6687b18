// Random journeys through a store: whatever is asked of it and in whatever order, its counters equal its rows.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { countAll, countLive } from '../../src/domain/progress.ts'
import { Refusal } from '../../src/domain/refusal.ts'
import { type Ask, moves, type World } from './walk-moves.ts'
import { type Engine, setUp, start, type Workbench } from './workbench.ts'

const kinds = Object.keys(moves) as (keyof typeof moves)[]
const ask: fc.Arbitrary<Ask> = fc.record({
  kind: fc.constantFrom(...kinds),
  pick: fc.nat(1_000),
  count: fc.integer({ min: 1, max: 6 }),
  delayMs: fc.constantFrom(0, 500, 5_000, 31_000),
})
/** What is asked in one turn of the event loop: the store may commit it together. */
const step = fc.oneof({ weight: 3, arbitrary: fc.tuple(ask) }, fc.array(ask, { minLength: 2, maxLength: 4 }))

/** A walk that fails is made shorter for as long as this; then the shortest so far is shown. */
const maxWalkMs = 60_000

export function randomWalk(engine: Engine): void {
  test('after every step of a random walk the counters equal a recount, and nothing is over a limit', async t => {
    const seed = Date.now() % 2 ** 31
    t.diagnostic(`seed ${seed}`)
    const walk = fc.array(step, { minLength: 30, maxLength: 80 })
    const property = fc.asyncProperty(walk, async steps => {
      const bench = await setUp(t, engine, { maxConcurrentCalls: 4, agent: { maxConcurrentCalls: 6 } })
      const world: World = { bench, now: start, batches: [], claims: [], calls: [], maxOpen: 4 }
      let openBefore = 0
      for (const asks of steps) {
        const maxBefore = world.maxOpen
        await Promise.all(asks.map(one => carryOut(world, one, asks.length === 1)))
        const open = await assertSound(world)
        assert.ok(open <= Math.max(openBefore, maxBefore, world.maxOpen), `${open} calls are open`)
        openBefore = open
      }
      await assertEnds(world)
    })
    await fc.assert(property, { seed, numRuns: engine.walks, interruptAfterTimeLimit: maxWalkMs })
  })
}

/** A refusal is an answer like any other; anything else that is thrown is a defect. */
async function carryOut(world: World, one: Ask, alone: boolean): Promise<void> {
  try {
    // The sweep runs at start, before anything else does.
    if (one.kind === 'sweep' && !alone) return
    await moves[one.kind](world, one)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
  }
}

/** Returns how many attempts are open. */
async function assertSound({ bench, batches }: World): Promise<number> {
  const { store, workspace } = bench
  let calling = 0
  let attempts = 0
  for (const id of batches) {
    await assertBatchSound(bench, id)
    const { progress } = await bench.batch(id)
    calling += progress.counts.calling
    attempts += progress.attempts
  }
  const open = await bench.openAttempts()
  assert.equal(open.length, calling, 'who is being called has an open attempt')
  assert.equal(await store.countOpenAttempts(), open.length)
  assert.equal(
    new Set(open.map(({ number }) => number)).size,
    open.length,
    'no number is called twice at once',
  )
  assert.equal(await store.countAttempts(workspace.id, {}), attempts)
  assert.equal((await store.listAttempts(workspace.id, {}, { limit: 10_000 })).length, attempts)
  return open.length
}

async function assertBatchSound(bench: Workbench, id: number): Promise<void> {
  const batch = await bench.batch(id)
  const { status, progress, totalRecipients, ingest, open, startedAt } = batch
  assert.deepEqual(await bench.store.recount(id), progress)
  assert.equal(countAll(progress), totalRecipients)
  assert.equal(ingest.accepted + ingest.invalid + ingest.duplicate + ingest.suppressed, ingest.rows)
  const liveCount = countLive(progress)
  if (status === 'completed') assert.equal(liveCount, 0, 'nobody waits in a completed batch')
  if (status === 'cancelled') assert.equal(liveCount, progress.counts.calling)
  const started = status === 'running' || (status === 'paused' && startedAt !== null)
  if (started && !open) assert.ok(liveCount > 0, 'a batch completes with its last recipient')
  const completions = (await bench.events(id)).filter(type => type === 'batch.completed').length
  assert.equal(completions, status === 'completed' ? 1 : 0, 'completion is told once')
}

/** Left to itself, every batch comes to its end: nobody is lost on the way. */
async function assertEnds(world: World): Promise<void> {
  const { bench, batches } = world
  const { store, workspace } = bench
  await store.setWorkspaceStopped(workspace.id, false, world.now)
  await store.updateWorkspace(workspace.id, { maxConcurrentCalls: 50 }, world.now)
  for (const id of batches) {
    const { status } = await bench.batch(id)
    if (status === 'draft' || status === 'scheduled') await store.startBatch(workspace.id, id, world.now)
    if (status === 'paused') await store.resumeBatch(workspace.id, id, world.now)
    if ((await bench.batch(id)).open && status !== 'cancelled')
      await store.closeBatch(workspace.id, id, world.now)
  }
  await settleOpen(world)
  for (let round = 0; round < 50; round++) {
    world.now += 60_000
    const { claims } = await bench.claim({ now: world.now })
    await bench.place(claims, world.now)
    await bench.end(claims, { endedAt: world.now })
  }
  for (const id of batches) {
    assert.match((await bench.batch(id)).status, /^(completed|cancelled)$/)
    await assertBatchSound(bench, id)
    assert.equal(countLive((await bench.batch(id)).progress), 0)
  }
}

async function settleOpen({ bench, now }: World): Promise<void> {
  const open = await bench.openAttempts()
  const claimed = open.filter(({ status }) => status === 'claimed')
  await bench.store.releaseClaims(
    claimed.map(({ attemptId }) => attemptId),
    now,
  )
  await bench.end(open, { endedAt: now })
}

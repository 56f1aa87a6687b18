// What a store promises about the moves of a batch: those that are lawful, what they do, and that others are refused.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Batch, type BatchAction, type BatchStatus, lawfulActions } from '../../src/domain/batch.ts'
import { assertCounted, type Engine, outcomeOf, person, setUp, start, type Workbench } from './workbench.ts'

const actions: readonly BatchAction[] = [
  'start',
  'pause',
  'resume',
  'cancel',
  'reschedule',
  'close',
  'add-recipients',
]
const later = start + 3_600_000

/** How an open batch of two comes to each status; `failed` is left out, since no move leads there yet. */
const into: Partial<Record<BatchStatus, (bench: Workbench) => Promise<Batch>>> = {
  draft: bench => bench.import(2, { open: true, startAs: 'draft' }),
  scheduled: bench => bench.import(2, { open: true, scheduledAt: later }),
  running: bench => bench.import(2, { open: true }),
  async paused(bench) {
    const { id } = await bench.import(2, { open: true })
    return (await bench.store.pauseBatch(bench.workspace.id, id, 'user', start))!
  },
  completed: bench => bench.import(0),
  async cancelled(bench) {
    const { id } = await bench.import(2, { open: true })
    return (await bench.store.cancelBatch(bench.workspace.id, id, start))!.batch
  },
}

/** Where a lawful move leads; `null`: it stays. */
const leadsTo: Record<BatchAction, BatchStatus | null> = {
  start: 'running',
  pause: 'paused',
  resume: 'running',
  cancel: 'cancelled',
  reschedule: 'scheduled',
  close: null,
  'add-recipients': null,
}

export function movePromises(engine: Engine): void {
  for (const [status, enter] of Object.entries(into) as [BatchStatus, typeof into.draft & object][])
    for (const action of actions) {
      const lawful = lawfulActions[status].includes(action)
      test(`${action} of a ${status} batch is ${lawful ? 'done' : 'refused'}`, async t => {
        const bench = await setUp(t, engine)
        const before = await enter(bench)
        assert.equal(before.status, status)
        if (lawful) {
          await act(bench, before.id, action)
          assert.equal((await bench.batch(before.id)).status, leadsTo[action] ?? status)
        } else {
          await assert.rejects(act(bench, before.id, action), refusalOf(action, status))
          assert.deepEqual(await bench.batch(before.id), before)
        }
        await assertCounted(bench, before.id)
      })
    }

  test('each move is told once, with its reason, and a refused one not at all', async t => {
    const bench = await setUp(t, engine)
    const { store, workspace } = bench
    const { id } = await bench.import(1, { startAs: 'draft', open: true })
    await store.rescheduleBatch(workspace.id, id, later, 'Asia/Kolkata', start)
    await store.startBatch(workspace.id, id, start + 1)
    await assert.rejects(store.startBatch(workspace.id, id, start + 1))
    const paused = await store.pauseBatch(workspace.id, id, 'user', start + 2)
    assert.equal(paused?.statusReason, 'user')
    const resumed = await store.resumeBatch(workspace.id, id, start + 3)
    assert.deepEqual([resumed?.statusReason, resumed?.startedAt], [null, start + 1])
    await store.closeBatch(workspace.id, id, start + 4)
    const cancelled = await store.cancelBatch(workspace.id, id, start + 5)
    assert.equal(cancelled?.batch.completedAt, start + 5)
    const told = ['created', 'rescheduled', 'started', 'paused', 'resumed', 'closed', 'cancelled']
    assert.deepEqual(
      await bench.events(id),
      told.map(what => `batch.${what}`),
    )
    const events = await store.listEvents(workspace.id, { limit: 100 })
    assert.deepEqual(events.find(event => event.type === 'batch.paused')?.data, { reason: 'user' })
  })

  test('a batch that is paused before its time and resumed waits for its time', async t => {
    const bench = await setUp(t, engine)
    const { store, workspace } = bench
    const { id } = await bench.import(1, { scheduledAt: later })
    const pause = () => store.pauseBatch(workspace.id, id, 'user', start)
    await pause()
    assert.equal((await bench.claim({ now: later })).claims.length, 0)
    assert.equal((await store.resumeBatch(workspace.id, id, start))?.status, 'scheduled')
    await pause()
    assert.equal((await store.resumeBatch(workspace.id, id, later))?.status, 'running')
  })

  test('a new start holds: its instant and its zone', async t => {
    const bench = await setUp(t, engine)
    const { store, workspace } = bench
    const { id } = await bench.import(1, { startAs: 'draft' })
    const moved = await store.rescheduleBatch(workspace.id, id, later, 'Asia/Kolkata', start)
    assert.deepEqual([moved?.scheduledAt, moved?.timezone], [later, 'Asia/Kolkata'])
    assert.equal((await bench.claim({ now: later - 1 })).wakeAt, later)
    assert.equal((await bench.claim({ now: later })).claims.length, 1)
  })

  test('cancel drops everybody who waits, however many, and lets calls end without a retry', async t => {
    const bench = await setUp(t, engine)
    const { store, workspace } = bench
    const { id } = await bench.import(12_000)
    const [retried, putBack, answered, claimed, waiting] = (await bench.claim({ maxClaims: 5 })).claims
    await bench.place([retried!, putBack!, answered!, waiting!])
    const retry = { kind: 'retry', dueAt: start } as const
    await bench.end([waiting!], { outcome: outcomeOf('busy'), next: { kind: 'retry', dueAt: later } })
    const cancelled = await store.cancelBatch(workspace.id, id, start)
    assert.equal(cancelled?.dropped, 12_000 - 4)
    assert.equal(cancelled?.batch.progress.counts.cancelled, 12_000 - 4)
    await assertCounted(bench, id)
    await bench.end([retried!], { outcome: outcomeOf('busy'), next: retry })
    await bench.end([putBack!], { next: { kind: 'put-back', dueAt: start, throttled: true } })
    await bench.end([answered!])
    assert.deepEqual(await bench.place([claimed!]), ['batch-not-running'])
    const { counts } = (await bench.batch(id)).progress
    assert.deepEqual([counts.busy, counts.answered, counts.cancelled], [1, 1, 12_000 - 2])
    assert.equal((await bench.claim({ now: later })).claims.length, 0)
    await assertCounted(bench, id)
  })

  test('a closed batch completes with its last recipient, at once when nobody is left', async t => {
    const bench = await setUp(t, engine)
    const { store, workspace } = bench
    const { id } = await bench.import(1, { open: true })
    await bench.end(await bench.call())
    assert.equal((await bench.batch(id)).status, 'running')
    assert.equal((await store.closeBatch(workspace.id, id, start + 3))?.status, 'completed')
    assert.deepEqual((await bench.events(id)).slice(-2), ['batch.closed', 'batch.completed'])
    const addition = store.addRecipients(workspace.id, id, [person(7)], [], 1, start)
    await assert.rejects(addition, { kind: 'conflict', code: 'batch_not_open' })
  })

  test('a draft whose people are all suppressed completes when it is started', async t => {
    const bench = await setUp(t, engine)
    const { store, workspace } = bench
    const { id } = await bench.import([person(1)], { startAs: 'draft' })
    await store.suppress(workspace.id, [person(1).number], 'asked', start)
    assert.equal((await bench.batch(id)).status, 'draft')
    assert.equal((await store.startBatch(workspace.id, id, start))?.status, 'completed')
  })

  test('only a draft or a finished batch without calls is deleted, and nothing of it stays', async t => {
    const bench = await setUp(t, engine)
    const { store, workspace } = bench
    const remove = (id: number) => store.deleteBatch(workspace.id, id, start)
    for (const status of ['running', 'scheduled', 'paused'] as const) {
      const { id } = await into[status]!(bench)
      await assert.rejects(remove(id), {
        kind: 'conflict',
        code: 'wrong_status',
        details: { action: 'delete', status },
      })
      await store.cancelBatch(workspace.id, id, start)
      assert.equal(await remove(id), true)
    }
    const { id } = await bench.import(2)
    const calls = await bench.call()
    await store.cancelBatch(workspace.id, id, start)
    await assert.rejects(remove(id), { code: 'wrong_status' })
    await bench.end(calls)
    assert.equal(await remove(id), true)
    assert.equal(await store.getBatch(workspace.id, id), null)
    assert.deepEqual(await store.listAttempts(workspace.id, {}, { limit: 9 }), [])
    assert.equal(await store.countAttempts(workspace.id, {}), 0)
    assert.equal(await remove(id), false)
  })

  test("a deleted batch's id is not given to another", async t => {
    const bench = await setUp(t, engine)
    const { id } = await bench.import(0)
    await bench.store.deleteBatch(bench.workspace.id, id, start)
    assert.notEqual((await bench.import(0)).id, id)
  })

  test('batches are listed newest first, by agent and status, in pages', async t => {
    const bench = await setUp(t, engine)
    const { store, workspace, agent } = bench
    const running = [await bench.import(1), await bench.import(1)]
    const draft = await bench.import(1, { startAs: 'draft' })
    const list = async (filter: { agentId?: number; statuses?: BatchStatus[] }, offset = 0) => {
      const { batches, total } = await store.listBatches(workspace.id, filter, { offset, limit: 2 })
      return [total, ...batches.map(({ id }) => id)]
    }
    assert.deepEqual(await list({}), [3, draft.id, running[1]!.id])
    assert.deepEqual(await list({}, 2), [3, running[0]!.id])
    assert.deepEqual(await list({ statuses: ['draft', 'paused'] }), [1, draft.id])
    assert.deepEqual(await list({ agentId: agent.id, statuses: [] }), [0])
    assert.deepEqual(await list({ agentId: agent.id + 1 }), [0])
    const before = await store.listBatchesBefore(
      workspace.id,
      { statuses: ['running'] },
      { beforeId: draft.id, limit: 1 },
    )
    assert.deepEqual(before, [await bench.batch(running[1]!.id)])
  })
}

function act({ store, workspace }: Workbench, id: number, action: BatchAction): Promise<unknown> {
  const { id: mine } = workspace
  if (action === 'start') return store.startBatch(mine, id, start)
  if (action === 'pause') return store.pauseBatch(mine, id, 'user', start)
  if (action === 'resume') return store.resumeBatch(mine, id, start)
  if (action === 'cancel') return store.cancelBatch(mine, id, start)
  if (action === 'reschedule') return store.rescheduleBatch(mine, id, later, 'UTC', start)
  if (action === 'close') return store.closeBatch(mine, id, start)
  return store.addRecipients(mine, id, [person(77)], [], 1, start)
}

/** A completed batch was closed before: that is what an addition hears. */
const refusalOf = (action: BatchAction, status: BatchStatus) => {
  const shut = action === 'add-recipients' && status === 'completed'
  return { name: 'Refusal', kind: 'conflict', code: shut ? 'batch_not_open' : 'wrong_status' }
}

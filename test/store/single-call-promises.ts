// What a store promises about single calls: kept apart from lists, a place where one is needed, and retries on time.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recipientId } from '../../src/domain/recipient-id.ts'
import { Refusal } from '../../src/domain/refusal.ts'
import { assertCounted, type Engine, outcomeOf, setUp, start, type Workbench } from './workbench.ts'

const call = { kind: 'call' } as const
const idsOf = (things: readonly { id: number }[]) => things.map(({ id }) => id)

async function waitingForRetry(bench: Workbench, dueAt: number): Promise<number> {
  const { id } = await bench.import(1, call)
  const retry = { kind: 'retry', dueAt } as const
  await bench.end(await bench.call(), { outcome: outcomeOf('busy'), next: retry })
  return id
}

export function singleCallPromises(engine: Engine): void {
  test('a call keeps its kind and its metadata, and lists are filtered by kind', async t => {
    const bench = await setUp(t, engine)
    const { store, workspace } = bench
    const metadata = { order: [1, { two: 'three' }] }
    const single = await bench.import(1, { ...call, metadata })
    const list = await bench.import(2)
    assert.deepEqual(
      [single.kind, single.metadata, list.kind, list.metadata],
      ['call', metadata, 'list', null],
    )
    const all = { offset: 0, limit: 9 }
    const listed = async (filter: { kind?: 'call' | 'list' }) =>
      idsOf((await store.listBatches(workspace.id, filter, all)).batches)
    assert.deepEqual(await listed({ kind: 'list' }), [list.id])
    assert.deepEqual(await listed({ kind: 'call' }), [single.id])
    assert.deepEqual(await listed({}), [list.id, single.id])
    const before = await store.listBatchesBefore(workspace.id, { kind: 'call' }, { limit: 9 })
    assert.deepEqual(idsOf(before), [single.id])
  })

  test('everybody is listed across batches, the newest first, by agent where asked', async t => {
    const bench = await setUp(t, engine)
    const { store, workspace } = bench
    const [first, single, third] = [await bench.import(3), await bench.import(1, call), await bench.import(2)]
    const expected = [
      ...[1, 2].map(position => recipientId(third.id, position)),
      recipientId(single.id, 1),
      ...[1, 2, 3].map(position => recipientId(first.id, position)),
    ]
    for (let offset = 0; offset <= 7; offset++)
      for (const limit of [1, 2, 9]) {
        const page = await store.listEverybody(workspace.id, {}, { offset, limit })
        assert.deepEqual([idsOf(page.recipients), page.total], [expected.slice(offset, offset + limit), 6])
      }
    const calls = await bench.call()
    const { recipients } = await store.listEverybody(workspace.id, {}, { offset: 0, limit: 1 })
    assert.equal(
      recipients[0]?.lastAttempt?.id,
      calls.find(one => one.recipientId === expected[0])?.attemptId,
    )
    const other = await store.listEverybody(
      workspace.id,
      { agentId: bench.agent.id + 1 },
      { offset: 0, limit: 9 },
    )
    assert.deepEqual(other, { recipients: [], total: 0 })
  })

  test('a call that needs a place gets the last one once, and is refused with the figures', async t => {
    const bench = await setUp(t, engine, { maxConcurrentCalls: 2 })
    await bench.import(1)
    await bench.call()
    const needing = bench.newBatch({ ...call, needsPlace: true })
    const answers = await Promise.allSettled([1, 2].map(() => bench.store.beginImport(needing)))
    const refused = answers.find(answer => answer.status === 'rejected')
    assert.ok(refused?.reason instanceof Refusal)
    assert.deepEqual(
      [refused.reason.code, refused.reason.details],
      ['no_free_place', { currentCalls: 2, maxCalls: 2 }],
    )
    await bench.store.discardImport(
      (answers.find(answer => answer.status === 'fulfilled') as { value: number }).value,
    )
    await bench.import(1, { ...call, needsPlace: true })
    await assert.rejects(bench.store.beginImport(needing), { code: 'no_free_place' })
    const later = { ...needing, createdAt: start + 60_000 }
    assert.ok((await bench.store.beginImport(later)) > 0, 'what waits for a minute waits for no place')
  })

  test('a call waits for its retry, is rung when it is due, and is told of until then', async t => {
    const bench = await setUp(t, engine)
    const id = await waitingForRetry(bench, start + 5_000)
    const other = await waitingForRetry(bench, start + 9_000)
    assert.deepEqual(await bench.claim({ now: start + 4_999 }), {
      claims: [],
      wakeAt: start + 5_000,
      more: false,
    })
    const { claims, wakeAt } = await bench.claim({ now: start + 5_000 })
    assert.deepEqual([claims.map(({ batchId }) => batchId), wakeAt], [[id], start + 9_000])
    await bench.place(claims, start + 5_000)
    await bench.end(claims, { endedAt: start + 5_000 })
    assert.equal((await bench.batch(id)).status, 'completed')
    await assertCounted(bench, id)
    await assertCounted(bench, other)
  })

  test('a call that waits obeys pause, resume, suppression and cancel like any batch', async t => {
    const bench = await setUp(t, engine)
    const { store, workspace } = bench
    const [paused, suppressed, cancelled] = [
      await waitingForRetry(bench, start + 1_000),
      await waitingForRetry(bench, start + 1_000),
      await waitingForRetry(bench, start + 1_000),
    ]
    await store.pauseBatch(workspace.id, paused, 'user', start)
    const [person] = await store.listRecipients(workspace.id, suppressed, {}, { limit: 1 })
    await store.suppress(workspace.id, [person!.number], 'asked', start)
    await store.cancelBatch(workspace.id, cancelled, start)
    assert.deepEqual((await bench.claim({ now: start + 2_000 })).claims, [])
    assert.deepEqual(
      [await bench.batch(suppressed), await bench.batch(cancelled)].map(({ status }) => status),
      ['completed', 'cancelled'],
    )
    await store.resumeBatch(workspace.id, paused, start + 3_000)
    assert.equal((await bench.claim({ now: start + 3_000 })).claims.length, 1)
  })

  test('a call that was put back is rung again when it is due', async t => {
    const bench = await setUp(t, engine)
    await bench.import(1, call)
    const next = { kind: 'put-back', dueAt: start + 700, throttled: true } as const
    await bench.end(await bench.call(), { outcome: outcomeOf('carrier-failure'), next })
    assert.deepEqual(await bench.claim(), { claims: [], wakeAt: start + 700, more: false })
    const { claims } = await bench.claim({ now: start + 700 })
    await bench.store.releaseClaims([claims[0]!.attemptId], start + 700)
    assert.equal((await bench.claim({ now: start + 700 })).claims.length, 1)
  })
}

// What a store promises to whoever opens it again: what was committed is there, what was half done is cleared up.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Store } from '../../src/store/store.ts'
import {
  assertCounted,
  type Engine,
  furnish,
  outcomeOf,
  people,
  start,
  type Workbench,
  workbench,
} from './workbench.ts'

export function crashPromises(engine: Engine, reopen: (store: Store) => Promise<Store>): void {
  /** Opens an empty store, and again what it left, on the same furniture. */
  const lives = async () => {
    let bench = await furnish(await engine.open(), { maxConcurrentCalls: 4 })
    return {
      bench,
      async again(): Promise<Workbench> {
        const { workspace, agent, trunk, phoneNumber } = bench
        bench = workbench(await reopen(bench.store), workspace, agent, trunk, phoneNumber)
        return bench
      },
      end: () => bench.store.close(),
    }
  }

  test('everything that was committed is there again, and goes on', async t => {
    const life = await lives()
    t.after(life.end)
    const first = life.bench
    const { id } = await first.import(6, { maxConcurrentCalls: 3 })
    const calls = await first.call()
    await first.end(calls.slice(2, 3))
    const retry = { kind: 'retry', dueAt: start + 1_000 } as const
    await first.end(calls.slice(1, 2), { outcome: outcomeOf('busy'), next: retry })
    const before = [await first.batch(id), await first.standings(id), await first.events(id)]
    const second = await life.again()
    assert.deepEqual([await second.batch(id), await second.standings(id), await second.events(id)], before)
    const { store, workspace, agent, phoneNumber } = second
    assert.deepEqual(await store.getWorkspace(workspace.id), workspace)
    assert.deepEqual(await store.getAgent(agent.id), agent)
    assert.deepEqual(await store.findPhoneNumber(workspace.id, String(phoneNumber.id)), phoneNumber)
    const { claims } = await second.claim({ now: start + 1_000 })
    assert.deepEqual(
      claims.map(({ ordinal }) => ordinal),
      [2, 1],
    )
    const used = new Set(calls.map(({ attemptId }) => attemptId))
    assert.ok(claims.every(({ attemptId }) => !used.has(attemptId)))
    await assertCounted(second, id)
  })

  test('calls of a dead life keep their places and their numbers until they are settled', async t => {
    const life = await lives()
    t.after(life.end)
    const { id } = await life.bench.import(people(10))
    const { claims } = await life.bench.claim()
    await life.bench.place(claims.slice(0, 3))
    const bench = await life.again()
    const { store } = bench
    assert.equal(await store.countOpenAttempts(), 4)
    assert.equal((await bench.claim({ nodeId: 'node-2' })).claims.length, 0)
    const [call] = claims.slice(3).map(({ attemptId }) => ({ attemptId, callId: 'x' }))
    assert.deepEqual(await store.placeCalls([call!], 'node-2', start), ['lease-lost'])
    const orphans = await bench.adopt('node-2')
    assert.deepEqual(
      orphans.map(({ status, callId }) => [status, callId]),
      [...claims.slice(0, 3).map(({ attemptId }) => ['dialing', `call-${attemptId}`]), ['claimed', null]],
    )
    await store.releaseClaims([orphans[3]!.attemptId], start)
    await bench.end(orphans.slice(0, 3), { outcome: outcomeOf('lost') })
    assert.equal((await bench.claim({ nodeId: 'node-2' })).claims.length, 4)
    await assertCounted(bench, id)
  })

  test('an import that a crash interrupted is swept', async t => {
    const life = await lives()
    t.after(life.end)
    const { store } = life.bench
    const id = await store.beginImport(life.bench.newBatch())
    await store.importRows(id, people(20), [])
    const bench = await life.again()
    assert.equal(await bench.store.sweep(start), 1)
    const { counts } = await bench.store.recount(id)
    assert.equal(counts.queued, 0)
  })

  test('a cancel that a crash interrupted is finished by the sweep', async t => {
    const life = await lives()
    t.after(life.end)
    const { store, workspace } = life.bench
    const { id } = await life.bench.import(18_000)
    const cancelled = new Promise<void>(resolve => {
      store.onEvents(resolve)
    })
    const interrupted = store.cancelBatch(workspace.id, id, start).then(
      () => 'finished',
      () => 'interrupted',
    )
    await cancelled
    const bench = await life.again()
    assert.equal(await interrupted, 'interrupted')
    const before = await bench.batch(id)
    assert.equal(before.status, 'cancelled')
    assert.ok(before.progress.counts.queued > 0, 'some had not been dropped yet')
    await assertCounted(bench, id)
    await bench.store.sweep(start)
    assert.equal((await bench.batch(id)).progress.counts.cancelled, 18_000)
    await assertCounted(bench, id)
  })

  test('a deletion that a crash interrupted is finished by the sweep', async t => {
    const life = await lives()
    t.after(life.end)
    const { store, workspace } = life.bench
    const { id } = await life.bench.import(18_000, { startAs: 'draft' })
    const interrupted = store.deleteBatch(workspace.id, id, start).then(
      () => 'finished',
      () => 'interrupted',
    )
    const bench = await life.again()
    assert.equal(await interrupted, 'interrupted')
    assert.equal(await bench.store.getBatch(workspace.id, id), null)
    assert.equal(await bench.store.sweep(start), 1)
    assert.equal((await bench.store.recount(id)).counts.queued, 0)
  })
}

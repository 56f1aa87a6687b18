// What a store promises about who holds an open attempt: one node at a time, until it is heard of no more.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NodeReport } from '../../src/store/node-records.ts'
import { assertCounted, type Engine, node, outcomeOf, setUp, start, type Workbench } from './workbench.ts'

const leaseMs = 30_000
const report = (id: string, changes: Partial<NodeReport> = {}): NodeReport => ({
  id,
  name: `${id}:1`,
  role: 'all',
  version: '0.1.0',
  startedAt: start,
  load: { running: 0, placed: 0, pacingLatenessMs: null },
  ...changes,
})
const others = { alone: false }

/** People of one batch, claimed by `node` under a lease of so many ms. */
async function claimed(bench: Workbench, count: number, lease = leaseMs): Promise<number[]> {
  await bench.import(count)
  const { claims } = await bench.claim({ leaseMs: lease })
  return claims.map(({ attemptId }) => attemptId)
}

const ids = (attempts: readonly { attemptId: number }[]) => attempts.map(({ attemptId }) => attemptId)

export function leasePromises(engine: Engine): void {
  test('an attempt whose lease runs belongs to nobody else', async t => {
    const bench = await setUp(t, engine)
    await claimed(bench, 3)
    assert.deepEqual(await bench.adopt('node-2', others), [])
    assert.deepEqual(await bench.adopt(node, others), [], 'nor is it its own orphan')
  })

  test('an attempt whose lease ran out goes to the first node that asks, under a lease of its own', async t => {
    const bench = await setUp(t, engine)
    const attempts = await claimed(bench, 3, 0)
    assert.deepEqual(ids(await bench.adopt('node-2', others)), attempts)
    assert.deepEqual(await bench.adopt('node-3', others), [])
    assert.deepEqual(await bench.store.placeCalls([{ attemptId: attempts[0]!, callId: 'x' }], node, start), [
      'lease-lost',
    ])
    assert.deepEqual(await bench.store.mayStillDial(attempts, node, start), [false, false, false])
  })

  test('nodes that ask at the same moment share what nobody holds, each attempt once', async t => {
    const bench = await setUp(t, engine)
    const attempts = await claimed(bench, 40, 0)
    const shares = await Promise.all(
      ['a', 'b', 'c', 'd'].map(nodeId => bench.adopt(nodeId, { ...others, maxAttempts: 15 })),
    )
    const left = await bench.adopt('e', others)
    const all = [...shares, left].flatMap(ids).sort((one, other) => one - other)
    assert.deepEqual(all, attempts)
    for (const share of shares) assert.ok(share.length <= 15)
  })

  test('a node never takes over what it knows of, however late it is', async t => {
    const bench = await setUp(t, engine)
    const attempts = await claimed(bench, 3, 0)
    const known = attempts.slice(1)
    assert.deepEqual(ids(await bench.adopt(node, { ...others, known })), attempts.slice(0, 1))
  })

  test('a claim whose answer was lost comes back to the node that made it, once its lease has run out', async t => {
    const bench = await setUp(t, engine)
    const attempts = await claimed(bench, 2, 0)
    const orphans = await bench.adopt(node, others)
    assert.deepEqual(
      orphans.map(({ attemptId, status }) => [attemptId, status]),
      attempts.map(attemptId => [attemptId, 'claimed']),
    )
  })

  test('a heartbeat keeps leases alive, also one that ran out while nobody asked', async t => {
    const bench = await setUp(t, engine)
    const attempts = await claimed(bench, 3, 0)
    const { lost } = await bench.store.heartbeat(report(node), attempts, leaseMs)
    assert.deepEqual(lost, [])
    assert.deepEqual(await bench.adopt('node-2', others), [])
    assert.deepEqual(await bench.place((await bench.openAttempts()).slice(0, 1)), ['placed'])
  })

  test('a heartbeat names what was taken over or has ended', async t => {
    const bench = await setUp(t, engine)
    const attempts = await claimed(bench, 3, 0)
    const [first, second, third] = attempts as [number, number, number]
    await bench.adopt('node-2', { ...others, maxAttempts: 1 })
    await bench.store.releaseClaims([second], start)
    const { lost } = await bench.store.heartbeat(report(node), attempts, leaseMs)
    assert.deepEqual(lost, [first, second])
    const renewed = await bench.store.heartbeat(report(node), [third], leaseMs)
    assert.deepEqual(renewed.lost, [])
    assert.deepEqual((await bench.store.heartbeat(report('node-2'), [first, third], leaseMs)).lost, [third])
  })

  test("what a carrier's adapter keeps of a call reaches whoever takes the call over, and nobody else may write it", async t => {
    const bench = await setUp(t, engine)
    const { id } = await bench.import(2)
    const calls = await bench.call({ leaseMs: 60_000 })
    const [one, other] = ids(calls) as [number, number]
    const keep = (attemptId: number, dialog: string) => ({ attemptId, dialog })
    assert.deepEqual(
      await bench.store.keepDialogs([keep(one, 'a'), keep(other, 'b'), keep(999, 'c')], node),
      [true, true, false],
    )
    await bench.store.keepDialogs([keep(one, '{"to":1}')], node)
    const orphans = await bench.adopt('node-2')
    assert.deepEqual(
      orphans.map(({ dialog }) => dialog),
      ['{"to":1}', 'b'],
    )
    assert.deepEqual(await bench.store.keepDialogs([keep(one, 'late')], node), [false])
    await bench.end(orphans, { outcome: outcomeOf('lost') })
    await assertCounted(bench, id)
  })

  test('nodes are listed with what they last said, until they leave', async t => {
    const { store } = await setUp(t, engine)
    const load = { running: 7, placed: 20, pacingLatenessMs: 1.5 }
    const first = await store.heartbeat(report('b'), [], leaseMs)
    await store.heartbeat(report('a', { role: 'api' }), [], leaseMs)
    const second = await store.heartbeat(report('b', { load }), [], leaseMs)
    assert.ok(second.storeNow >= first.storeNow)
    const nodes = await store.listNodes()
    assert.deepEqual(
      nodes.map(({ id, role, load: { running } }) => [id, role, running]),
      [
        ['a', 'api', 0],
        ['b', 'all', 7],
      ],
    )
    assert.deepEqual(nodes[1]!.load, load)
    assert.equal(nodes[1]!.seenAt, second.storeNow)
    await store.removeNode('b')
    assert.deepEqual(
      (await store.listNodes()).map(({ id }) => id),
      ['a'],
    )
  })
}

// Several nodes on one PostgreSQL: limits hold over all of them, they wake each other, and none sweeps what another is at.
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { runningBatches } from '../../src/store/postgres/rules.ts'
import type { Store } from '../../src/store/store.ts'
import { inspect, newDatabase, skipWithoutPostgres, untilWaiting } from './postgres-server.ts'
import { assertCounted, furnish, people, start, type Workbench, workbench } from './workbench.ts'

interface Nodes {
  url: string
  /** On one workspace. */
  benches: Workbench[]
}

async function openNodes(t: TestContext, count: number, maxConcurrentCalls = 100): Promise<Nodes> {
  const url = await newDatabase()
  const stores = await Promise.all(Array.from({ length: count }, () => openPostgresStore({ url })))
  t.after(() => Promise.all(stores.map(store => store.close())))
  const first = await furnish(stores[0]!, { maxConcurrentCalls })
  const { workspace, agent, trunk, phoneNumber } = first
  const others = stores.slice(1).map(store => workbench(store, workspace, agent, trunk, phoneNumber))
  return { url, benches: [first, ...others] }
}

const heardBy = (store: Store) => new Promise<void>(resolve => void store.onWork(resolve))

describe('nodes on one PostgreSQL', { skip: skipWithoutPostgres }, () => {
  test('what binds a batch comes whole when the batch stops to run while it is read', async t => {
    const { url, benches } = await openNodes(t, 1)
    const { id } = await benches[0]!.import(2)
    await inspect(url, async client => {
      let reading: Promise<unknown> = Promise.resolve()
      const rows = (sql: string, values?: readonly unknown[]) => {
        const read = reading.then(async () => (await client.query(sql, [...(values ?? [])])).rows)
        reading = read.then(() => client.query(`UPDATE batches SET status = 'paused' WHERE id = $1`, [id]))
        return read
      }
      const reader = { rows, row: async () => undefined }
      const which = {
        batchIds: `SELECT id FROM batches WHERE id = ANY ($1) AND status = 'running'`,
        ids: [id],
      }
      const [batch] = (await runningBatches(reader, which)).values()
      await reading
      assert.deepEqual(
        batch?.callers.map(({ callerId }) => callerId),
        ['+12025550100'],
      )
    })
  })

  test('the safety net hears when something last happened where it looks, for another node may be about to claim', async t => {
    const { url, benches } = await openNodes(t, 1, 2)
    const bench = benches[0]!
    await bench.import(3)
    const calls = await bench.call()
    const now = start + 60_000
    await bench.end(calls)
    const told = await inspect(url, client => client.query('SELECT max(at)::float8 AS at FROM events'))
    const { changedAt } = await bench.claim({ now, asSafetyNet: true })
    assert.equal(changedAt, told.rows[0].at)
    assert.equal((await bench.claim({ now })).changedAt, undefined)
  })

  test('nodes that claim at the same moment never hold more than the limit, nor a person twice', async t => {
    const { benches } = await openNodes(t, 4, 7)
    const [bench] = benches as [Workbench]
    // The same people in two lists.
    const ids = [(await bench.import(people(60))).id, (await bench.import(people(60))).id]
    for (let round = 0; round < 12; round++) {
      const now = start + round * 10_000
      const shares = await Promise.all(
        benches.map((node, index) => node.claim({ now, nodeId: `node-${index}` })),
      )
      const claims = shares.flatMap(share => share.claims)
      assert.equal(claims.length, 7)
      assert.equal(new Set(claims.map(({ number }) => number)).size, 7)
      const verdicts = await Promise.all(
        shares.map((share, index) =>
          benches[index]!.store.placeCalls(
            share.claims.map(({ attemptId }) => ({ attemptId, callId: `call-${attemptId}` })),
            `node-${index}`,
            now,
          ),
        ),
      )
      assert.deepEqual(new Set(verdicts.flat()), new Set(['placed']))
      await Promise.all(shares.map((share, index) => benches[index]!.end(share.claims, { endedAt: now })))
    }
    for (const id of ids) await assertCounted(bench, id)
  })

  test('a pause on one node comes before or after what another places at that moment, not in the middle', async t => {
    const { benches } = await openNodes(t, 2)
    const [one, other] = benches as [Workbench, Workbench]
    for (let round = 0; round < 10; round++) {
      const { id } = await one.import(2, { open: true })
      const { claims } = await one.claim()
      const [verdicts] = await Promise.all([
        one.place(claims),
        other.store.pauseBatch(other.workspace.id, id, 'user', start),
      ])
      assert.equal(new Set(verdicts).size, 1, 'all before the pause, or all after it')
      const placed = claims.filter((_, index) => verdicts[index] === 'placed')
      await one.end(placed)
      await other.store.cancelBatch(other.workspace.id, id, start)
      await assertCounted(one, id)
    }
  })

  test('a paced trunk stays with the node that has slots ahead, and goes to another with a distance when they are past', async t => {
    const { benches } = await openNodes(t, 2)
    const [one, other] = benches as [Workbench, Workbench]
    const trunk = await one.store.createTrunk({
      workspaceId: one.workspace.id,
      name: 'paced',
      kind: 'simulated',
      maxConcurrentCalls: null,
      callsPerSecond: 20,
      settings: {},
      createdAt: start,
    })
    const { id: phoneNumberId } = await one.store.createPhoneNumber({
      workspaceId: one.workspace.id,
      e164: '+12025550199',
      trunkId: trunk.id,
      agentId: null,
      maxConcurrentCalls: null,
      aliases: [],
      createdAt: start,
    })
    await one.import(20, { phoneNumberId })
    const alone = await one.claim({ horizonMs: 100 })
    assert.deepEqual(new Set(alone.claims.map(({ dialBefore }) => dialBefore)), new Set([null]))
    await other.store.heartbeat(
      {
        id: 'node-2',
        name: 'other',
        role: 'all',
        version: '1',
        startedAt: start,
        load: { running: 0, placed: 0, pacingLatenessMs: null },
      },
      [],
      1_000,
    )
    const goesOn = await one.claim({ horizonMs: 400, now: start + 1 })
    assert.ok(goesOn.claims.length > 0)
    const last = goesOn.claims.at(-1)!.slotAt
    const waits = await other.claim({ horizonMs: 400, now: start + 1, nodeId: 'node-3' })
    assert.deepEqual(waits.claims, [])
    assert.ok(waits.wakeAt !== null && waits.wakeAt > start + 1, 'it looks again by itself')
    const takesOver = await other.claim({ horizonMs: 400, now: last + 60, nodeId: 'node-3' })
    const slots = [alone, goesOn, takesOver].flatMap(({ claims }) => claims.map(({ slotAt }) => slotAt))
    for (const [index, slotAt] of slots.slice(1).entries())
      assert.ok(slotAt - slots[index]! >= (slots[index] === last ? 50 + 150 : 50), `slot ${index + 1}`)
    for (const { slotAt, dialBefore } of [...goesOn.claims, ...takesOver.claims])
      assert.equal(dialBefore, slotAt + 150)
  })

  test('a list that goes live on one node wakes another that has nothing to do', async t => {
    const { benches } = await openNodes(t, 2)
    const [one, other] = benches as [Workbench, Workbench]
    const work = heardBy(other.store)
    const events = new Promise<void>(resolve => void other.store.onEvents(resolve))
    await one.import(1)
    await Promise.all([work, events])
    assert.equal((await other.claim()).claims.length, 1)
  })

  test('a call that ends is told to nobody else: a notification costs all of them', async t => {
    const { url, benches } = await openNodes(t, 1)
    const [bench] = benches as [Workbench]
    await bench.import(5)
    await inspect(url, async client => {
      const heard: string[] = []
      client.on('notification', ({ channel }) => heard.push(channel))
      await client.query('LISTEN outdial_work; LISTEN outdial_events')
      const calls = await bench.call()
      await bench.end(calls.slice(1))
      assert.deepEqual(heard, [])
      const stopped = new Promise<void>(resolve => client.on('notification', () => resolve()))
      await bench.store.setWorkspaceStopped(bench.workspace.id, true, start)
      await stopped
      assert.deepEqual(new Set(heard), new Set(['outdial_work', 'outdial_events']))
      assert.equal(heard.length, 2)
    })
  })

  test('no sweep takes an import or a key from a node that lives, and each takes those of dead ones', async t => {
    const { url, benches } = await openNodes(t, 2)
    const [one, other] = benches as [Workbench, Workbench]
    const { store, workspace } = one
    const living = await store.beginImport(one.newBatch())
    const dead = await store.beginImport(one.newBatch())
    await store.importRows(living, people(3), [])
    await store.importRows(dead, people(3), [])
    const reserve = async (key: string) =>
      (await store.reserveIdempotencyKey(workspace.id, key, 'body', start)).verdict
    await reserve('living')
    await reserve('dead')
    assert.equal(await other.store.sweep(start), 0)
    await inspect(url, async client => {
      await client.query('UPDATE batches SET import_touched_at = import_touched_at - 900000')
      await client.query(`UPDATE idempotency_keys SET reserved_at = reserved_at - 3600000 WHERE key = 'dead'`)
    })
    await store.importRows(living, people(3, 7), [])
    const swept = await Promise.all([other.store.sweep(start), store.sweep(start)])
    assert.equal(swept[0] + swept[1], 1)
    await assert.rejects(store.importRows(dead, people(3, 8), []), /the import of batch \d+ is over/)
    await assert.rejects(
      store.finishImport(dead, { rows: 3 }, () => {}, start),
      /is over/,
    )
    assert.deepEqual([await reserve('living'), await reserve('dead')], ['in-flight', 'new'])
    const batch = await store.finishImport(living, { rows: 6 }, () => {}, start)
    assert.equal(batch.totalRecipients, 6)
  })

  test('a list that is being swept never goes live with what is left of it', async t => {
    const { url, benches } = await openNodes(t, 2)
    const [one, other] = benches as [Workbench, Workbench]
    const id = await one.store.beginImport(one.newBatch())
    await one.store.importRows(id, people(5), [])
    await inspect(url, async client => {
      await client.query('UPDATE batches SET import_touched_at = 0')
      // The sweep has begun and stands still in the middle.
      await client.query('BEGIN')
      await client.query('SELECT FROM recipients FOR UPDATE')
      const sweeping = other.store.sweep(start)
      await untilWaiting(url)
      await assert.rejects(
        one.store.finishImport(id, { rows: 5 }, () => {}, start),
        /is over/,
      )
      await client.query('COMMIT')
      assert.equal(await sweeping, 1)
    })
    assert.equal(await one.store.getBatch(one.workspace.id, id), null)
  })
})

// What a store promises about who delivers what when: one at a time for each batch of an endpoint, in order, on one node.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Store } from '../../src/store/store.ts'
import type { AfterTry } from '../../src/store/webhook-records.ts'
import {
  claim,
  delivered,
  enqueue,
  eventIds,
  leaseMs,
  newEndpoint,
  record,
  refused,
} from './webhook-bench.ts'
import { type Engine, furnish, node, setUp, start } from './workbench.ts'

export function webhookLanePromises(engine: Engine): void {
  orderPromises(engine)
  leasePromises(engine)
  const { reopen } = engine
  if (reopen !== undefined) survivalPromises(engine, reopen)
}

function orderPromises(engine: Engine): void {
  test('deliveries of a batch are claimed one after another, those of others beside them', async t => {
    const { store, workspace } = await setUp(t, engine)
    const endpoint = await store.createWebhookEndpoint(newEndpoint(workspace.id))
    const from = endpoint.position
    await enqueue(store, endpoint, 1, 2)
    await enqueue(store, endpoint, 2, 1)
    await enqueue(store, endpoint, null, 1)
    const claimed = await claim(store)
    assert.deepEqual(eventIds(claimed).sort(), [from + 1, from + 3, from + 4])
    assert.deepEqual(await claim(store), [])
    await record(store, claimed.find(({ delivery }) => delivery.eventId === from + 1)!, delivered)
    assert.deepEqual(eventIds(await claim(store)), [from + 2])
  })

  test('one that failed holds up its own batch until it is due, or is overtaken', async t => {
    const { store, workspace } = await setUp(t, engine)
    const endpoint = await store.createWebhookEndpoint(newEndpoint(workspace.id))
    const from = endpoint.position
    await enqueue(store, endpoint, 1, 2)
    const [first] = await claim(store)
    const dueAt = start + 5_000
    await record(store, first!, { kind: 'retry', dueAt, overtaken: false })
    const idle = await store.claimDeliveries({
      nodeId: node,
      now: start + 4_999,
      limit: 9,
      perEndpoint: 9,
      perFailingEndpoint: 1,
      leaseMs,
    })
    assert.deepEqual([idle.claimed, idle.wakeAt], [[], dueAt])
    const [again] = await claim(store, { now: dueAt })
    assert.deepEqual([again?.delivery.eventId, again?.delivery.tries], [from + 1, [refused]])
    await record(store, again!, { kind: 'retry', dueAt: dueAt + 9_000, overtaken: true }, dueAt)
    const [second] = await claim(store, { now: dueAt })
    assert.equal(second?.delivery.eventId, from + 2)
    await record(store, second!, delivered, dueAt)
    assert.deepEqual(await claim(store, { now: dueAt + 8_999 }), [])
    assert.deepEqual(eventIds(await claim(store, { now: dueAt + 9_000 })), [from + 1])
  })

  test('one endpoint has so many under way and no more, one that fails a single one', async t => {
    const { store, workspace } = await setUp(t, engine)
    const endpoint = await store.createWebhookEndpoint(newEndpoint(workspace.id))
    for (const batchId of [1, 2, 3, 4, 5]) await enqueue(store, endpoint, batchId, 1)
    const claimed = await claim(store, { perEndpoint: 3 })
    assert.equal(claimed.length, 3)
    assert.deepEqual(await claim(store, { perEndpoint: 3, nodeId: 'node-2' }), [])
    for (const one of claimed) await record(store, one, { kind: 'failed' })
    assert.equal((await store.findWebhookEndpoint(workspace.id, endpoint.id))?.failingSince, start)
    assert.equal((await claim(store, { perEndpoint: 3 })).length, 1)
  })

  test('the limit of all is shared by endpoints, the longest waiting first', async t => {
    const { store, workspace } = await setUp(t, engine)
    const one = await store.createWebhookEndpoint(newEndpoint(workspace.id))
    const other = await store.createWebhookEndpoint(newEndpoint(workspace.id))
    await enqueue(store, one, 1, 1)
    await enqueue(store, one, 2, 1)
    await enqueue(store, other, 1, 1)
    const [first] = await claim(store, { limit: 1 })
    await record(store, first!, { kind: 'retry', dueAt: start + 1, overtaken: false })
    const second = await claim(store, { limit: 1, now: start + 1 })
    const third = await claim(store, { limit: 1, now: start + 1 })
    assert.deepEqual(
      [...second, ...third].map(({ endpoint }) => endpoint.id).sort(),
      [one.id, other.id].sort(),
    )
  })
}

function leasePromises(engine: Engine): void {
  test('what a node left is taken over when its lease ends, and what it says then changes nothing', async t => {
    const { store, workspace } = await setUp(t, engine)
    const endpoint = await store.createWebhookEndpoint(newEndpoint(workspace.id))
    await enqueue(store, endpoint, 1, 1)
    const [mine] = await claim(store)
    assert.deepEqual(await claim(store, { nodeId: 'node-2', now: start + leaseMs - 1 }), [])
    const [theirs] = await claim(store, { nodeId: 'node-2', now: start + leaseMs })
    assert.equal(theirs?.delivery.id, mine?.delivery.id)
    assert.deepEqual(await record(store, mine!, delivered), [false])
    assert.deepEqual(await record(store, theirs!, delivered, start + leaseMs, 'node-2'), [true])
    assert.deepEqual(await record(store, theirs!, delivered, start + leaseMs, 'node-2'), [false])
  })

  test('several nodes that claim at once never hold the same batch of an endpoint', async t => {
    const { store, workspace } = await setUp(t, engine)
    const endpoint = await store.createWebhookEndpoint(newEndpoint(workspace.id))
    for (let batchId = 1; batchId <= 20; batchId++) await enqueue(store, endpoint, batchId, 2)
    const nodes = ['a', 'b', 'c', 'd']
    const held = await Promise.all(nodes.map(nodeId => claim(store, { nodeId, perEndpoint: 40 })))
    const batches = held.flat().map(({ delivery }) => delivery.batchId)
    assert.equal(new Set(batches).size, batches.length)
    assert.ok(batches.length > 0)
  })

  test('a disabled endpoint is not delivered to, says why in an event, and goes on when it is enabled', async t => {
    const { store, workspace, events } = await setUp(t, engine)
    const endpoint = await store.createWebhookEndpoint(newEndpoint(workspace.id))
    await enqueue(store, endpoint, 1, 2)
    const [first] = await claim(store)
    const tried = { deliveryId: first!.delivery.id, made: refused, next: { kind: 'failed' } as AfterTry }
    await store.recordDeliveries([{ ...tried, disable: 'gone' }], node, start)
    const gone = await store.findWebhookEndpoint(workspace.id, endpoint.id)
    assert.deepEqual([gone?.enabled, gone?.disabledReason, gone?.waiting], [false, 'gone', 1])
    assert.equal((await events(null)).at(-1), 'webhook-endpoint.disabled')
    assert.deepEqual(await claim(store), [])
    assert.equal(await store.oldestWaitingEventAt(), null)
    await store.updateWebhookEndpoint(workspace.id, endpoint.id, { enabled: true }, start)
    assert.equal(await store.oldestWaitingEventAt(), start + 1)
    assert.equal((await claim(store)).length, 1)
  })
}

function survivalPromises(engine: Engine, reopen: (store: Store) => Promise<Store>): void {
  test('what waits and what was claimed is there after a crash, for another life to deliver', async t => {
    const { store: first, workspace } = await furnish(await engine.open())
    const endpoint = await first.createWebhookEndpoint(newEndpoint(workspace.id))
    await enqueue(first, endpoint, 1, 2)
    await enqueue(first, endpoint, 2, 1)
    const before = await claim(first, { limit: 1 })
    const second = await reopen(first)
    t.after(() => second.close())
    const kept = await second.findWebhookEndpoint(workspace.id, endpoint.id)
    assert.deepEqual([kept?.position, kept?.waiting], [endpoint.position + 3, 3])
    const after = await claim(second, { nodeId: 'node-2', now: start + leaseMs })
    assert.deepEqual(after.length, 2)
    assert.ok(eventIds(after).includes(before[0]!.delivery.eventId))
  })
}

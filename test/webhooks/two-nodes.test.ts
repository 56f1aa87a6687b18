// Two nodes on one PostgreSQL deliver for one endpoint: everything, in order for each batch, and hardly anything twice.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { realClock } from '../../src/runtime/clock.ts'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { createEndpoint } from '../../src/webhooks/control-endpoint.ts'
import { newDatabase, skipWithoutPostgres } from '../store/postgres-server.ts'
import { furnish, outcomeOf, start } from '../store/workbench.ts'
import { newEndpoint } from './delivery-house.ts'
import { Receiver } from './receiver.ts'
import { webhooksFor } from './webhook-desk.ts'

const batches = 6
const callsOfBatch = 25

test('what one node has not delivered when it stops the other delivers, each event once', {
  skip: skipWithoutPostgres,
}, async t => {
  const url = await newDatabase()
  const stores = [await openPostgresStore({ url }), await openPostgresStore({ url })] as const
  const nodes = stores.map(store => webhooksFor(store))
  t.after(async () => {
    await Promise.all(nodes.map(node => node.stop()))
    await Promise.all(stores.map(store => store.close()))
  })
  const receiver = await Receiver.open(t)
  const { promise: everything, resolve } = Promise.withResolvers<void>()
  const seen = new Set<string>()
  receiver.answer = ({ headers }) => {
    seen.add(String(headers['webhook-id']))
    // In the middle of all batches: the other one goes on from there.
    if (seen.size === (batches * callsOfBatch) / 2) void nodes[0]!.stop()
    if (seen.size === batches * callsOfBatch) resolve()
    return {}
  }
  const bench = await furnish(stores[0], { maxConcurrentCalls: 1_000 })
  const endpoint = { ...newEndpoint(bench.workspace.id, receiver.url), events: ['attempt.ended'] }
  await createEndpoint({ store: stores[0], clock: realClock, webhooks: nodes[0]! }, endpoint)
  nodes.forEach((node, index) => {
    node.start({ nodeId: `node-${index}`, publicUrl: 'http://localhost', alone: false })
  })
  for (let batch = 0; batch < batches; batch++) {
    await bench.import(callsOfBatch)
    await bench.end(await bench.call(), { outcome: outcomeOf('busy'), endedAt: start })
  }
  await everything
  const last = new Map<number, number>()
  for (const { body } of receiver.received) {
    const { batchId, attemptId } = JSON.parse(body).data
    assert.ok(
      attemptId > (last.get(batchId) ?? 0),
      `call ${attemptId} of batch ${batchId} in order, and once`,
    )
    last.set(batchId, attemptId)
  }
  assert.ok(nodes[1]!.figures().delivered > 0)
})

// What the API says of the processes that share the store.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runServer } from './running-server.ts'

test('nodes are listed with their load, and whoever missed heartbeats is silent', async t => {
  let now = Date.now()
  const clock = { now: () => now, elapsed: () => now, at: () => ({ cancel() {} }) }
  const { store, send } = await runServer(t, { clock })
  const load = { running: 12, placed: 40, pacingLatenessMs: 1.25 }
  const node = { id: 'a', name: 'host:1', role: 'caller', version: '0.1.0', startedAt: now, load } as const
  await store.heartbeat(node, [], 15_000)
  const [alive] = (await send('GET', '/api/v1/nodes')).json().data
  const { id, name, role, status, callsUnderWay, callsPlaced, pacingLatenessMs } = alive
  assert.deepEqual(
    [id, name, role, status, callsUnderWay, callsPlaced, pacingLatenessMs],
    ['a', 'host:1', 'caller', 'alive', 12, 40, 1.25],
  )
  now += 11_000
  assert.equal((await send('GET', '/api/v1/nodes')).json().data[0].status, 'silent')
})

test('a node that only calls serves health and metrics, and nothing else', async t => {
  const { send } = await runServer(t, { callsOnly: true })
  for (const url of ['/healthz', '/readyz', '/metrics'])
    assert.equal((await send('GET', url)).statusCode, 200)
  assert.equal((await send('GET', '/api/v1/batches')).statusCode, 404)
})

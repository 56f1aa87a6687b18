// What machines ask of a server.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runServer } from './running-server.ts'

test('a server is ready while it dispatches calls, and not before or after', async t => {
  let phase: 'starting' | 'running' | 'stopping' = 'starting'
  const server = await runServer(t, { phase: () => phase })
  assert.equal((await server.send('GET', '/readyz')).statusCode, 503)
  phase = 'running'
  assert.deepEqual((await server.send('GET', '/readyz')).json(), { status: 'ready', phase, store: 'ok' })
  phase = 'stopping'
  assert.equal((await server.send('GET', '/readyz')).statusCode, 503)
  assert.equal((await server.send('GET', '/healthz')).statusCode, 200)
})

test('a server whose store does not answer is not ready, and still alive', async t => {
  const server = await runServer(t)
  server.store.getHold = async () => {
    throw new Error('disk gone')
  }
  const ready = await server.send('GET', '/readyz')
  assert.equal(ready.statusCode, 503)
  assert.equal(ready.json().store, 'failing')
  assert.equal((await server.send('GET', '/healthz')).statusCode, 200)
})

test('metrics tell open attempts and what the safety sweep found', async t => {
  const server = await runServer(t, { sweepFoundTotal: () => 2 })
  const { body } = await server.send('GET', '/metrics')
  assert.match(body, /^outdial_open_attempts 0$/m)
  assert.match(body, /^outdial_sweep_found_total 2$/m)
})

test('the description of the API names every route', async t => {
  const server = await runServer(t)
  const { paths } = (await server.send('GET', '/api/openapi.json')).json()
  for (const path of [
    '/api/v1/agents',
    '/api/v1/batches',
    '/api/v1/batches/{id}/recipients',
    '/api/v1/workspace/stop',
  ])
    assert.ok(path in paths, path)
})

// Our own API: one call to one person.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addCaller, type RunningServer, runServer } from './running-server.ts'

const call = (server: RunningServer, fields: object = {}, headers = {}) =>
  server.send('POST', '/api/v1/calls', {
    payload: { agentId: '456', phone: '+12025550190', ...fields },
    headers,
  })

test('a call is made, is read by its id, and is no batch of the list', async t => {
  const server = await runServer(t)
  await addCaller(server)
  const made = await call(server, { variables: { name: 'Ann' }, metadata: { order: 7 }, record: true })
  assert.equal(made.statusCode, 201)
  const { createdAt, ...answer } = made.json()
  assert.deepEqual(answer, {
    id: 10_000_001,
    batchId: 1,
    agentId: 1,
    phoneNumberId: 1,
    status: 'running',
    metadata: { order: 7 },
    scheduledAt: null,
    repeated: false,
  })
  const { number, variables, metadata, standing, transcript } = (
    await server.send('GET', `/api/v1/calls/${answer.id}`)
  ).json()
  assert.deepEqual(
    { number, variables, metadata, standing, transcript },
    {
      number: '+12025550190',
      variables: { name: 'Ann' },
      metadata: { order: 7 },
      standing: 'queued',
      transcript: null,
    },
  )
  const list = async (query: string) => (await server.send('GET', `/api/v1/batches${query}`)).json().data
  assert.deepEqual(await list(''), [])
  const [batch] = await list('?kind=call')
  assert.deepEqual([batch.id, batch.kind, batch.name, batch.record], [1, 'call', 'Call', true])
  assert.equal((await server.send('GET', '/api/v1/batches?kind=x')).statusCode, 400)
})

test('a call that is sent again is answered again: by its key, or within a minute', async t => {
  const server = await runServer(t)
  await addCaller(server)
  const first = (await call(server)).json()
  const again = await call(server)
  assert.deepEqual([again.statusCode, again.json().id, again.json().repeated], [200, first.id, true])
  const key = { 'idempotency-key': 'k' }
  const [one, two] = [await call(server, {}, key), await call(server, {}, key)]
  assert.notEqual(one.json().id, first.id)
  assert.deepEqual([two.statusCode, two.json()], [201, one.json()])
})

test('a call waits for its time and is cancelled as its batch', async t => {
  const server = await runServer(t)
  await addCaller(server)
  const { id, batchId, status } = (await call(server, { scheduledAt: '2100-01-01T09:00:00Z' })).json()
  assert.equal(status, 'scheduled')
  await server.send('POST', `/api/v1/batches/${batchId}/cancel`)
  assert.equal((await server.send('GET', `/api/v1/calls/${id}`)).json().standing, 'cancelled')
})

test('what is wrong with a call is said by its field', async t => {
  const server = await runServer(t)
  await addCaller(server)
  const code = async (fields: object) => {
    const answer = await call(server, fields)
    return `${answer.statusCode} ${answer.json().code}`
  }
  assert.equal(await code({ phone: undefined }), '400 invalid_request')
  assert.equal(await code({ phone: '12' }), '400 invalid_phone')
  assert.equal(await code({ variables: [] }), '400 invalid_request')
  assert.equal(await code({ metadata: 'x' }), '400 invalid_request')
  assert.equal(await code({ agentId: '999' }), '404 agent_not_found')
  await server.send('POST', '/api/v1/suppressions', { payload: { numbers: ['+12025550190'] } })
  assert.equal(await code({}), '400 suppressed')
  for (const id of ['1', '10000001', 'x']) {
    const answer = await server.send('GET', `/api/v1/calls/${id}`)
    assert.deepEqual([answer.statusCode, answer.json().code], [404, 'recipient_not_found'])
  }
})

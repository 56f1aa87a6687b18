// Idempotency-Key: what is sent again is answered again, not done again.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addCaller, formWith, type RunningServer, runServer, twoPeople } from './running-server.ts'

const key = (text: string) => ({ 'idempotency-key': text })

const creates: [sentence: string, path: string, payload: object, other: object][] = [
  ['agent', '/agents', { name: 'Eve' }, { name: 'Mallory' }],
  ['trunk', '/trunks', { name: 'second' }, { name: 'third' }],
  ['phone number', '/phone-numbers', { e164: '+12025550111' }, { e164: '+12025550112' }],
  ['suppression', '/suppressions', { number: '+12025550120' }, { number: '+12025550121' }],
  [
    'batch',
    '/batches',
    { agentId: '456', recipients: [{ phone: '+12025550101' }] },
    { agentId: '456', recipients: [{ phone: '+12025550102' }] },
  ],
]
for (const [thing, path, payload, other] of creates)
  test(`a create of a ${thing} under the same key is answered again, and done once`, async t => {
    const server = await runServer(t)
    await addCaller(server)
    const url = `/api/v1${path}`
    const first = await server.send('POST', url, { payload, headers: key('k1') })
    assert.equal(first.statusCode, 201, first.body)
    assert.equal(first.headers['idempotency-replayed'], undefined)
    const again = await server.send('POST', url, { payload, headers: key('k1') })
    assert.equal(again.statusCode, 201)
    assert.equal(again.headers['idempotency-replayed'], 'true')
    assert.deepEqual(again.json(), first.json())
    const reused = await server.send('POST', url, { payload: other, headers: key('k1') })
    assert.equal(reused.statusCode, 422)
    assert.equal(reused.json().code, 'idempotency_key_reused')
    const fresh = await server.send('POST', url, { payload: other, headers: key('k2') })
    assert.equal(fresh.statusCode, 201)
  })

const upload = (server: RunningServer, text: string, headers: Record<string, string>, fields = {}) =>
  server.send('POST', '/api/v1/batches', { payload: formWith({ agentId: '456', ...fields }, text), headers })

test('the same form under another multipart boundary is the same request', async t => {
  const server = await runServer(t)
  await addCaller(server)
  const first = await upload(server, twoPeople, key('k'))
  const again = await upload(server, twoPeople, key('k'))
  assert.equal(again.headers['idempotency-replayed'], 'true')
  assert.equal(again.json().id, first.json().id)
  assert.equal((await upload(server, `${twoPeople}+12025550103,Joe\n`, key('k'))).statusCode, 422)
  assert.equal((await upload(server, twoPeople, key('k'), { name: 'Other' })).statusCode, 422)
})

test('the order of JSON keys does not make another request', async t => {
  const server = await runServer(t)
  const first = await server.send('POST', '/api/v1/agents', {
    payload: { name: 'A', prompt: 'p' },
    headers: key('k'),
  })
  const again = await server.send('POST', '/api/v1/agents', {
    payload: { prompt: 'p', name: 'A' },
    headers: key('k'),
  })
  assert.deepEqual(again.json(), first.json())
})

test('a key whose first request is under way is a 409, and free of harm', async t => {
  const server = await runServer(t)
  await addCaller(server)
  const reached = Promise.withResolvers<void>()
  const goOn = Promise.withResolvers<void>()
  const { beginImport } = server.store
  server.store.beginImport = async batch => {
    reached.resolve()
    await goOn.promise
    return beginImport(batch)
  }
  const first = upload(server, twoPeople, key('k'))
  await reached.promise
  const meanwhile = await upload(server, twoPeople, key('k'))
  assert.equal(meanwhile.statusCode, 409)
  assert.equal(meanwhile.json().code, 'idempotency_in_flight')
  goOn.resolve()
  assert.equal((await first).statusCode, 201)
  assert.equal((await upload(server, twoPeople, key('k'))).headers['idempotency-replayed'], 'true')
})

test('a refused create gives its key back', async t => {
  const server = await runServer(t)
  await addCaller(server)
  assert.equal((await upload(server, 'phone\nnobody\n', key('k'))).statusCode, 400)
  assert.equal((await upload(server, twoPeople, key('k'))).statusCode, 201)
})

test('a create that dies of a defect gives its key back', async t => {
  const server = await runServer(t)
  await addCaller(server)
  const { beginImport } = server.store
  server.store.beginImport = async () => {
    throw new Error('disk full')
  }
  assert.equal((await upload(server, twoPeople, key('k'))).statusCode, 500)
  server.store.beginImport = beginImport
  assert.equal((await upload(server, twoPeople, key('k'))).statusCode, 201)
})

test('the same key in two workspaces is two keys', async t => {
  const server = await runServer(t)
  const otherKey = await server.otherKey()
  const payload = { name: 'Eve' }
  const mine = await server.send('POST', '/api/v1/agents', { payload, headers: key('k') })
  const theirs = await server.send('POST', '/api/v1/agents', { payload, headers: key('k'), key: otherKey })
  assert.notEqual(theirs.json().id, mine.json().id)
  assert.equal(theirs.headers['idempotency-replayed'], undefined)
})

test('a key that is empty, too long or not visible ASCII is a 400', async t => {
  const server = await runServer(t)
  for (const bad of ['', ' ', 'a b', 'ä', 'x'.repeat(256)]) {
    const answer = await server.send('POST', '/api/v1/agents', { payload: { name: 'E' }, headers: key(bad) })
    assert.equal(answer.statusCode, 400, JSON.stringify(bad))
    assert.equal(answer.json().code, 'invalid_idempotency_key')
  }
})

test('additions to an open batch are made once for each key', async t => {
  const server = await runServer(t)
  await addCaller(server)
  const open = await server.send('POST', '/api/v1/batches', { payload: { agentId: '456', open: true } })
  const url = `/api/v1/batches/${open.json().id}/recipients`
  const payload = { recipients: [{ phone: '+12025550101' }] }
  const first = await server.send('POST', url, { payload, headers: key('k') })
  assert.deepEqual(first.json(), {
    batchId: open.json().id,
    rows: 1,
    accepted: 1,
    invalid: 0,
    duplicate: 0,
    suppressed: 0,
  })
  assert.deepEqual((await server.send('POST', url, { payload, headers: key('k') })).json(), first.json())
  const unkeyed = await server.send('POST', url, { payload })
  assert.equal(unkeyed.json().duplicate, 1)
  const batch = await server.send('GET', `/api/v1/batches/${open.json().id}`)
  assert.equal(batch.json().totalRecipients, 1)
})

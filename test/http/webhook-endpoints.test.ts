// Webhook endpoints over HTTP: made, changed, tested, looked into; what is refused, and what is never shown.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Webhook } from 'standardwebhooks'
import { maxEndpointsPerWorkspace, secretOverlapMs } from '../../src/webhooks/control-endpoint.ts'
import type { Webhooks } from '../../src/webhooks/open-webhooks.ts'
import { Receiver } from '../webhooks/receiver.ts'
import { webhooksFor } from '../webhooks/webhook-desk.ts'
import { addCaller, type RunningServer, runServer, type Sent } from './running-server.ts'

const path = '/api/v1/webhook-endpoints'
const url = 'https://example.com/hook'

const create = (server: RunningServer, payload: object, sent: Sent = {}) =>
  server.send('POST', path, { payload, ...sent })

test('the secret is shown once, when the endpoint is made', async t => {
  const server = await runServer(t)
  const made = await create(server, { url, description: 'CRM' })
  assert.equal(made.statusCode, 201)
  const { secret, ...shown } = made.json()
  assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/)
  assert.deepEqual(
    [shown.url, shown.format, shown.events, shown.enabled, shown.description, shown.waiting],
    [url, 'outdial', null, true, 'CRM', 0],
  )
  for (const read of [path, `${path}/${shown.id}`]) {
    const answer = await server.send('GET', read)
    assert.equal(answer.statusCode, 200)
    assert.ok(!answer.body.includes(secret) && !/"(previousS|s)ecret"/.test(answer.body))
  }
  assert.deepEqual((await server.send('GET', `${path}/${shown.id}`)).json(), shown)
})

test('the vendors’ formats take a secret of their clients or make one', async t => {
  const server = await runServer(t)
  for (const format of ['formant', 'dialnexa', 'talkifai']) {
    assert.match((await create(server, { url, format })).json().secret, /^[0-9a-f]{64}$/)
    const own = await create(server, { url, format, secret: 'a-secret-of-the-client' })
    assert.equal(own.json().secret, 'a-secret-of-the-client')
  }
})

test('a create that is repeated under its key makes one endpoint', async t => {
  const server = await runServer(t)
  const sent = { headers: { 'idempotency-key': 'once' } }
  const [first, second] = [await create(server, { url }, sent), await create(server, { url }, sent)]
  assert.deepEqual(second.json(), first.json())
  assert.equal(second.headers['idempotency-replayed'], 'true')
  assert.equal((await server.send('GET', path)).json().data.length, 1)
})

const refusals: [what: string, payload: object, status: number, code: string][] = [
  ['no URL', {}, 400, 'invalid_request'],
  ['another protocol', { url: 'ftp://example.com/' }, 400, 'invalid_webhook_url'],
  ['a password in the URL', { url: 'https://a:b@example.com/' }, 400, 'invalid_webhook_url'],
  ['the metadata service', { url: 'http://169.254.169.254/' }, 400, 'invalid_webhook_url'],
  ['this machine', { url: 'http://localhost:8080/' }, 400, 'invalid_webhook_url'],
  ['an unknown format', { url, format: 'xml' }, 400, 'invalid_webhook_format'],
  ['an unknown event', { url, events: ['batch.completed', 'call.completed'] }, 400, 'invalid_webhook_events'],
  [
    'an event of another format',
    { url, format: 'formant', events: ['batch.completed'] },
    400,
    'invalid_webhook_events',
  ],
  ['no event', { url, events: [] }, 400, 'invalid_request'],
  ['a weak secret', { url, secret: 'whsec_AAAA' }, 400, 'invalid_webhook_secret'],
  ['an unknown agent', { url, agentId: 'nobody' }, 404, 'agent_not_found'],
  ['an unknown batch', { url, batchId: 77 }, 404, 'batch_not_found'],
]

test('what cannot be an endpoint is refused with its reason', async t => {
  const server = await runServer(t)
  const strict = webhooksFor(server.store, { allowPrivate: false })
  t.after(() => strict.stop())
  const { app } = await runServer(t, { webhooks: strict, store: server.store })
  for (const [what, payload, status, code] of refusals) {
    const authorization = `Bearer ${server.key}`
    const answer = await app.inject({ method: 'POST', url: path, headers: { authorization }, payload })
    assert.deepEqual([answer.statusCode, answer.json().code], [status, code], `${what}: ${answer.body}`)
  }
  assert.deepEqual((await server.send('GET', path)).json().data, [])
})

test('a workspace has a bounded number of endpoints', async t => {
  const server = await runServer(t)
  for (let made = 0; made < maxEndpointsPerWorkspace; made++)
    assert.equal((await create(server, { url })).statusCode, 201)
  const one = await create(server, { url })
  assert.deepEqual([one.statusCode, one.json().code], [409, 'too_many_webhook_endpoints'])
})

test('an endpoint is changed, switched off and on, and deleted', async t => {
  const server = await runServer(t)
  await addCaller(server)
  const { id, agentId } = (await create(server, { url, agentId: '456' })).json()
  assert.equal(agentId, 1)
  const patch = (payload: object) => server.send('PATCH', `${path}/${id}`, { payload })
  const changed = await patch({ url: `${url}/2`, events: ['batch.completed'] })
  assert.deepEqual([changed.json().url, changed.json().events], [`${url}/2`, ['batch.completed']])
  assert.equal((await patch({ events: ['nothing'] })).json().code, 'invalid_webhook_events')
  assert.equal((await patch({ url: 'nowhere' })).json().code, 'invalid_webhook_url')
  const off = (await patch({ enabled: false })).json()
  assert.deepEqual([off.enabled, off.disabledReason, off.url], [false, 'user', `${url}/2`])
  assert.deepEqual((await patch({ enabled: true, events: null })).json().events, null)
  assert.equal((await server.send('DELETE', `${path}/${id}`)).statusCode, 204)
  assert.equal((await server.send('DELETE', `${path}/${id}`)).statusCode, 404)
})

test('a rotation shows the new secret, and says how long the old one signs as well', async t => {
  const server = await runServer(t)
  const made = (await create(server, { url })).json()
  const rotated = (await server.send('POST', `${path}/${made.id}/rotate-secret`)).json()
  assert.notEqual(rotated.secret, made.secret)
  const overlapMs = Date.parse(rotated.previousSecretUntil) - Date.parse(rotated.updatedAt)
  assert.equal(overlapMs, secretOverlapMs)
  const bad = await server.send('POST', `${path}/${made.id}/rotate-secret`, { payload: { secret: 'x' } })
  assert.equal(bad.json().code, 'invalid_webhook_secret')
})

test('the test button sends a signed event now and answers with what came back', async t => {
  const receiver = await Receiver.open(t)
  const server = await runServer(t)
  receiver.answer = () => ({ status: 500, body: 'not today' })
  const { id, secret } = (await create(server, { url: receiver.url, enabled: false })).json()
  const failed = (await server.send('POST', `${path}/${id}/test`)).json()
  assert.deepEqual(
    [failed.delivered, failed.status, failed.error, failed.response],
    [false, 500, null, 'not today'],
  )
  receiver.answer = () => ({ status: 200 })
  const { delivered, messageId } = (await server.send('POST', `${path}/${id}/test`)).json()
  const [, { headers, body }] = receiver.received as [unknown, (typeof receiver.received)[number]]
  assert.deepEqual([delivered, headers['webhook-id']], [true, messageId])
  const verified = new Webhook(secret).verify(body, headers as Record<string, string>) as { type: string }
  assert.equal(verified.type, 'webhook.test')
  for (const format of ['formant', 'dialnexa', 'talkifai']) {
    const vendor = (await create(server, { url: receiver.url, format })).json()
    assert.equal((await server.send('POST', `${path}/${vendor.id}/test`)).json().delivered, true)
  }
  receiver.kill()
  assert.equal((await server.send('POST', `${path}/${id}/test`)).json().error, 'ECONNREFUSED')
})

test('the log shows each try, and one delivery is sent again', async t => {
  const receiver = await Receiver.open(t)
  const server = await runServer(t)
  await addCaller(server)
  receiver.answer = () => ({ status: 400, body: 'what?' })
  const { id } = (
    await create(server, { url: receiver.url, format: 'dialnexa', events: ['campaign.completed'] })
  ).json()
  const webhooks = server.deps.webhooks as Webhooks
  webhooks.start({ nodeId: 'node-1', publicUrl: 'http://localhost' })
  t.after(() => webhooks.stop())
  // An open batch without anybody completes when it is closed.
  const batch = await server.send('POST', '/api/v1/batches', { payload: { agentId: '456', open: true } })
  await server.send('POST', `/api/v1/batches/${batch.json().id}/close`)
  const log = async () => (await server.send('GET', `${path}/${id}/deliveries`)).json().data
  const until = async (count: number) => {
    while ((await log()).filter(({ status }: { status: string }) => status !== 'waiting').length < count)
      await new Promise(resolve => setImmediate(resolve))
    return log()
  }
  const [delivery] = await until(1)
  assert.deepEqual(
    [delivery.name, delivery.status, delivery.batchId, delivery.tries.length],
    ['campaign.completed', 'failed', batch.json().id, 1],
  )
  const [{ at, durationMs, ...tried }] = delivery.tries
  assert.deepEqual(tried, { status: 400, error: null, response: 'what?' })
  assert.ok(Date.parse(at) > 0 && durationMs >= 0)
  receiver.answer = () => ({ status: 200 })
  const again = await server.send('POST', `${path}/${id}/deliveries/${delivery.id}/redeliver`)
  assert.deepEqual([again.statusCode, again.json().redeliveryOf], [202, delivery.id])
  assert.equal((await until(2))[0].status, 'delivered')
  assert.equal(receiver.received[0]?.body, receiver.received[1]?.body, 'the same event, the same id')
  const failed = await server.send('GET', `${path}/${id}/deliveries?status=failed&limit=1`)
  assert.deepEqual(failed.json().data, [delivery])
  const unknown = await server.send('POST', `${path}/${id}/deliveries/999/redeliver`)
  assert.equal(unknown.json().code, 'delivery_not_found')
})

test('another workspace’s endpoint does not exist', async t => {
  const server = await runServer(t)
  const { id } = (await create(server, { url })).json()
  const key = await server.otherKey()
  const asked: [method: string, path: string][] = [
    ['GET', ''],
    ['PATCH', ''],
    ['DELETE', ''],
    ['POST', '/test'],
    ['POST', '/rotate-secret'],
    ['GET', '/deliveries'],
    ['POST', '/deliveries/1/redeliver'],
  ]
  for (const [method, below] of asked) {
    const sent = method === 'PATCH' ? { key, payload: { enabled: false } } : { key }
    const answer = await server.send(method, `${path}/${id}${below}`, sent)
    assert.deepEqual([answer.statusCode, answer.json().code], [404, 'webhook_endpoint_not_found'], below)
  }
  assert.deepEqual((await server.send('GET', path, { key })).json().data, [])
  assert.equal((await server.send('GET', `${path}/${id}`)).json().enabled, true)
})

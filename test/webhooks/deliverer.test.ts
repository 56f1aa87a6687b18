// Deliveries on virtual time: each event told, in order, again when it failed, and never more at once than allowed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OutboxEvent } from '../../src/domain/event.ts'
import { keptDeliveryMs, maxInFlight, maxInFlightPerEndpoint } from '../../src/webhooks/deliverer.ts'
import { maxFailingMs } from '../../src/webhooks/try-delivery.ts'
import { answered, openHouse, type Sent } from './delivery-house.ts'

const attemptOf = ({ json }: Sent) => json.data.attemptId as number
const hour = 3_600

test('an event is sent soon after it happened, once', async t => {
  const house = await openHouse(t, () => answered(200))
  const { id } = await house.addEndpoint()
  await house.callEverybody(3)
  await house.pass(1)
  assert.deepEqual(
    house.sent.map(({ json }) => json.type),
    Array(3).fill('attempt.ended'),
  )
  assert.ok(house.sent.every(({ at }) => at < 0.1))
  await house.pass(hour)
  assert.equal(house.sent.length, 3)
  const { waiting, lastDeliveredAt, position } = await house.endpoint(id)
  assert.deepEqual([waiting, lastDeliveredAt === null, position > 0], [0, false, true])
  assert.equal(house.webhooks.figures().delivered, 3)
})

test('what happened before the endpoint was made is not told', async t => {
  const house = await openHouse(t, () => answered(200))
  await house.callEverybody(2)
  await house.addEndpoint()
  await house.pass(hour)
  assert.deepEqual(house.sent, [])
})

test('an endpoint is told of its events, its agent and its batch alone', async t => {
  const house = await openHouse(t, () => answered(200))
  const paths = (path: string) =>
    house.sent.filter(({ url }) => url.endsWith(path)).map(({ json }) => json.type)
  const first = await house.callEverybody(1)
  const url = 'http://127.0.0.1:1'
  await house.addEndpoint({ url: `${url}/all`, events: null })
  await house.addEndpoint({ url: `${url}/completed`, events: ['batch.completed'] })
  await house.addEndpoint({ url: `${url}/first`, events: null, batchId: first })
  await house.addEndpoint({
    url: `${url}/agent`,
    events: ['batch.started'],
    agentRef: String(house.agent.id),
  })
  const other = await house.store.createAgent({ ...house.agent, aliases: [] })
  await house.addEndpoint({ url: `${url}/other`, events: null, agentRef: String(other.id) })
  await house.callEverybody(1)
  await house.store.setAgentBreaker(other.id, null, null, house.clock.now())
  await house.pass(1)
  const ofBatch = ['batch.created', 'batch.started', 'attempt.ended', 'batch.completed']
  assert.deepEqual(
    paths('/all').filter(type => type !== 'agent.breaker-closed'),
    ofBatch,
  )
  assert.equal(paths('/all').length, ofBatch.length + 1)
  assert.deepEqual(paths('/completed'), ['batch.completed'])
  assert.deepEqual(paths('/first'), [])
  assert.deepEqual(paths('/agent'), ['batch.started'])
  assert.deepEqual(paths('/other'), ['agent.breaker-closed'])
})

test('a failed event is tried again and the batch waits for it; another batch does not', async t => {
  let failing = true
  const house = await openHouse(t, sent => answered(failing && attemptOf(sent) === 1 ? 500 : 200))
  await house.addEndpoint()
  const first = await house.callEverybody(3)
  await house.pass(1)
  const second = await house.callEverybody(2)
  await house.pass(1)
  const batches = () => house.sent.map(({ json }) => json.data.batchId)
  assert.deepEqual(batches(), [first, second, second])
  failing = false
  await house.pass(10)
  assert.deepEqual(house.sent.map(attemptOf), [1, 4, 5, 1, 2, 3])
})

test('one that nobody can digest is overtaken after minutes, tried for a day, then given up', async t => {
  const house = await openHouse(t, sent => answered(attemptOf(sent) === 1 ? 500 : 200))
  const { id } = await house.addEndpoint()
  await house.callEverybody(3)
  await house.pass(229 * 0.8)
  assert.deepEqual(new Set(house.sent.map(attemptOf)), new Set([1]))
  await house.pass(60)
  assert.deepEqual(house.sent.map(attemptOf).slice(-2), [2, 3])
  await house.pass(24 * hour)
  assert.equal(house.sent.filter(sent => attemptOf(sent) === 1).length, 14)
  const failed = (await house.deliveries(id)).filter(({ status }) => status === 'failed')
  assert.deepEqual(
    failed.map(({ tries }) => tries.length),
    [14],
  )
  assert.equal((await house.endpoint(id)).waiting, 0)
})

test('the tries of a repeated event have one id', async t => {
  const house = await openHouse(t, ({ at }) => answered(at < 20 ? null : 200))
  await house.addEndpoint()
  await house.callEverybody(1)
  await house.pass(60)
  assert.ok(house.sent.length >= 3)
  assert.equal(new Set(house.sent.map(({ headers }) => headers['webhook-id'])).size, 1)
})

test('Retry-After is waited for', async t => {
  const house = await openHouse(t, ({ at }) => answered(at < 1 ? 429 : 200, { retryAfter: '90' }))
  await house.addEndpoint()
  await house.callEverybody(1)
  await house.pass(hour)
  assert.deepEqual(
    house.sent.map(({ at }) => Math.round(at)),
    [0, 90],
  )
})

test('410 takes the endpoint out of service at once; enabled again it goes on where it stopped', async t => {
  let status = 410
  const house = await openHouse(t, () => answered(status))
  const { id } = await house.addEndpoint()
  await house.callEverybody(3)
  await house.pass(2 * hour)
  assert.equal(house.sent.length, 1)
  const gone = await house.endpoint(id)
  assert.deepEqual([gone.enabled, gone.disabledReason], [false, 'gone'])
  const events = await house.store.listEvents(house.workspace.id, { limit: 1_000 })
  const told = events.filter(({ type }: OutboxEvent) => type === 'webhook-endpoint.disabled')
  assert.deepEqual(
    told.map(({ data }) => data),
    [{ endpointId: id, reason: 'gone' }],
  )
  status = 200
  await house.callEverybody(1)
  await house.store.updateWebhookEndpoint(house.workspace.id, id, { enabled: true }, house.clock.now())
  house.webhooks.wake()
  await house.pass(1)
  assert.deepEqual(house.sent.map(attemptOf).sort(), [1, 2, 3, 4])
})

test('an endpoint that fails for days is taken out of service, and not before', async t => {
  const house = await openHouse(t, () => answered(503))
  const { id } = await house.addEndpoint()
  const days = maxFailingMs / 1_000 / hour / 24
  for (let day = 0; day < days; day++) {
    await house.callEverybody(1)
    await house.pass(24 * hour)
    assert.equal((await house.endpoint(id)).enabled, true, `day ${day}`)
  }
  await house.callEverybody(1)
  await house.pass(hour)
  assert.equal((await house.endpoint(id)).disabledReason, 'failing')
})

test('no more is under way than allowed: for one endpoint, for a failing one, in all', async t => {
  let open = 0
  const most = new Map<string, number>()
  let failing = ''
  const house = await openHouse(t, async ({ url }) => {
    const now = ++open
    most.set('all', Math.max(most.get('all') ?? 0, now))
    const ofOne = (most.get(`open ${url}`) ?? 0) + 1
    most.set(`open ${url}`, ofOne)
    most.set(url, Math.max(most.get(url) ?? 0, ofOne))
    await new Promise<void>(resolve => house.clock.at(house.clock.now() + 500, resolve))
    open--
    most.set(`open ${url}`, most.get(`open ${url}`)! - 1)
    return answered(url === failing ? null : 200)
  })
  const urls = Array.from({ length: 10 }, (_, index) => `http://127.0.0.1:${index + 1}/hook`)
  for (const url of urls) await house.addEndpoint({ url })
  for (let batch = 0; batch < 20; batch++) await house.callEverybody(1)
  await house.pass(60)
  assert.equal(house.sent.length, 200)
  assert.equal(most.get('all'), maxInFlight)
  for (const url of urls) assert.ok(most.get(url)! <= maxInFlightPerEndpoint, url)
  failing = urls[0]!
  await house.callEverybody(1)
  await house.pass(1)
  most.clear()
  for (let batch = 0; batch < 20; batch++) await house.callEverybody(1)
  await house.pass(60)
  assert.equal(most.get(failing), 1)
})

test('a dead endpoint is given so many deliveries and no more: the rest waits in the outbox', async t => {
  let alive = false
  const maxWaiting = 500
  const house = await openHouse(t, () => answered(alive ? 200 : null), { maxWaiting })
  const { id, position } = await house.addEndpoint()
  const calls = maxWaiting + 700
  for (let done = 0; done < calls; done += 100) await house.callEverybody(100)
  await house.pass(10)
  const { waiting, position: moved } = await house.endpoint(id)
  assert.ok(waiting >= maxWaiting && waiting < maxWaiting + 250, String(waiting))
  assert.ok(moved > position && moved < (await house.store.outboxHead()))
  alive = true
  const delivered = () => house.webhooks.figures().delivered === calls
  await house.clock.run({ until: house.clock.now() + 48 * hour * 1_000, done: delivered })
  await house.pass(1)
  assert.equal(new Set(house.sent.map(attemptOf)).size, calls)
  assert.equal((await house.endpoint(id)).waiting, 0)
})

test('the log forgets what was delivered a week ago', async t => {
  const house = await openHouse(t, () => answered(200))
  const { id } = await house.addEndpoint()
  await house.callEverybody(2)
  await house.pass(1)
  assert.equal((await house.deliveries(id)).length, 2)
  await house.pass(keptDeliveryMs / 1_000 - hour)
  assert.equal((await house.deliveries(id)).length, 2)
  await house.pass(2 * hour)
  assert.deepEqual(await house.deliveries(id), [])
})

test('without an endpoint a commit costs one look at most, however much happens', async t => {
  const house = await openHouse(t, () => answered(200))
  let looks = 0
  const { listEnabledEndpoints, readOutbox } = house.store
  house.store.listEnabledEndpoints = () => {
    looks++
    return listEnabledEndpoints()
  }
  let claims = 0
  const { claimDeliveries } = house.store
  house.store.claimDeliveries = request => {
    claims++
    return claimDeliveries(request)
  }
  let reads = 0
  house.store.readOutbox = (...page) => {
    reads++
    return readOutbox(...page)
  }
  for (let done = 0; done < 50; done++) await house.callEverybody(10)
  await house.pass(10)
  assert.deepEqual([looks, reads, claims], [1, 0, 0])
})

test('what another node has written and not told is found by looking', async t => {
  const house = await openHouse(t, () => answered(200), { alone: false })
  await house.addEndpoint()
  await house.pass(1.5)
  // An event that nobody is called for, as on another node.
  house.silence()
  await house.callEverybody(1)
  await house.pass(0.4)
  assert.deepEqual(house.sent, [])
  await house.pass(0.3)
  assert.equal(house.sent.length, 1)
})

test('a message that cannot be composed is a failed try, and says so in the log', async t => {
  const house = await openHouse(t, () => answered(200))
  const { id } = await house.addEndpoint()
  const { findAttempt } = house.store
  house.store.findAttempt = async () => {
    throw new Error('the disk is full')
  }
  await house.callEverybody(1)
  await house.pass(1)
  const [failed] = await house.deliveries(id)
  assert.deepEqual(
    failed?.tries.map(({ error }) => error),
    ['not composed: the disk is full'],
  )
  house.store.findAttempt = findAttempt
  await house.pass(60)
  assert.equal(house.sent.length, 1)
})

test('a store that fails for a while holds deliveries up and loses none', async t => {
  const house = await openHouse(t, () => answered(200))
  await house.addEndpoint()
  const { claimDeliveries, enqueueDeliveries } = house.store
  const fail = async () => {
    throw new Error('the disk is full')
  }
  Object.assign(house.store, { claimDeliveries: fail, enqueueDeliveries: fail })
  await house.callEverybody(3)
  await house.pass(10)
  assert.deepEqual(house.sent, [])
  Object.assign(house.store, { claimDeliveries, enqueueDeliveries })
  await house.pass(10)
  assert.deepEqual(house.sent.map(attemptOf), [1, 2, 3])
})

// What a store promises about telling others: no event is passed over, each try is kept, nothing is another workspace's.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { claim, delivered, enqueue, leaseMs, newEndpoint, record, refused } from './webhook-bench.ts'
import { type Engine, outcomeOf, setUp, start } from './workbench.ts'

export function webhookPromises(engine: Engine): void {
  endpointPromises(engine)
  outboxPromises(engine)
  logPromises(engine)
  answerPromises(engine)
}

function endpointPromises(engine: Engine): void {
  test('an endpoint begins at the end of the outbox, and belongs to its workspace', async t => {
    const { store, workspace, ...bench } = await setUp(t, engine)
    await bench.import(1)
    const made = await store.createWebhookEndpoint(newEndpoint(workspace.id, { events: ['batch.completed'] }))
    assert.equal(made.position, await store.outboxHead())
    assert.ok(made.position > 0)
    assert.deepEqual([made.events, made.waiting, made.disabledReason], [['batch.completed'], 0, null])
    const other = await store.createWorkspace('other', start)
    assert.deepEqual(await store.findWebhookEndpoint(workspace.id, made.id), made)
    assert.equal(await store.findWebhookEndpoint(other.id, made.id), null)
    assert.deepEqual(await store.listWebhookEndpoints(other.id, { limit: 9 }), [])
    assert.equal(await store.updateWebhookEndpoint(other.id, made.id, { enabled: false }, start), null)
    assert.equal(await store.rotateWebhookSecret(other.id, made.id, 'x', start, start), null)
    assert.equal(await store.deleteWebhookEndpoint(other.id, made.id), false)
    assert.deepEqual(await store.findWebhookEndpoint(workspace.id, made.id), made)
  })

  test('a rotation keeps the secret before; a change leaves what it does not name', async t => {
    const { store, workspace } = await setUp(t, engine)
    const { id } = await store.createWebhookEndpoint(newEndpoint(workspace.id, { description: 'CRM' }))
    const rotated = await store.rotateWebhookSecret(workspace.id, id, 'whsec_BBBB', start + 5, start)
    assert.deepEqual(
      [rotated?.secret, rotated?.previousSecret, rotated?.previousSecretUntil],
      ['whsec_BBBB', 'whsec_AAAA', start + 5],
    )
    const off = await store.updateWebhookEndpoint(workspace.id, id, { enabled: false }, start + 1)
    assert.deepEqual([off?.enabled, off?.disabledReason, off?.description], [false, 'user', 'CRM'])
    assert.deepEqual(await store.listEnabledEndpoints(), [])
    const on = await store.updateWebhookEndpoint(workspace.id, id, { enabled: true }, start + 2)
    assert.deepEqual([on?.enabled, on?.disabledReason, on?.updatedAt], [true, null, start + 2])
  })

  test('a deleted endpoint takes its deliveries with it, and what was under way changes nothing', async t => {
    const { store, workspace } = await setUp(t, engine)
    const endpoint = await store.createWebhookEndpoint(newEndpoint(workspace.id))
    await enqueue(store, endpoint, 1, 3)
    const [one] = await claim(store)
    assert.equal(await store.deleteWebhookEndpoint(workspace.id, endpoint.id), true)
    assert.deepEqual(await record(store, one!, delivered), [false])
    assert.deepEqual(await claim(store, { now: start + leaseMs }), [])
    assert.equal(await store.oldestWaitingEventAt(), null)
  })
}

function outboxPromises(engine: Engine): void {
  test('the outbox is read in pages, by workspace, batch and type', async t => {
    const { store, workspace, ...bench } = await setUp(t, engine)
    const [first, second] = [await bench.import(1), await bench.import(1)]
    await store.createWorkspace('other', start)
    const all = await store.listEvents(workspace.id, { limit: 100 })
    const scope = { workspaceId: workspace.id }
    const page = await store.readOutbox(scope, { after: 0, limit: 2 })
    assert.deepEqual([page.events, page.position, page.atEnd], [all.slice(0, 2), all[1]!.id, false])
    const rest = await store.readOutbox(scope, { after: page.position, limit: 100 })
    assert.deepEqual([rest.events, rest.atEnd], [all.slice(2), true])
    const ofSecond = await store.readOutbox({ ...scope, batchId: second.id }, { after: 0, limit: 100 })
    assert.deepEqual(
      ofSecond.events,
      all.filter(event => event.batchId === second.id),
    )
    const started = await store.readOutbox({ ...scope, types: ['batch.started'] }, { after: 0, limit: 100 })
    assert.deepEqual(
      started.events.map(event => event.batchId),
      [first.id, second.id],
    )
    const nobody = await store.readOutbox({ workspaceId: workspace.id + 99 }, { after: 0, limit: 100 })
    assert.deepEqual(nobody, { events: [], position: await store.outboxHead(), atEnd: true })
  })

  test('an endpoint moves on only from where it stands: what two nodes read becomes deliveries once', async t => {
    const { store, workspace } = await setUp(t, engine)
    const { id, position } = await store.createWebhookEndpoint(newEndpoint(workspace.id))
    const deliveries = [{ eventId: position + 1, batchId: 1, eventAt: start, name: 'attempt.ended' }]
    const stretch = { from: position, to: position + 1, deliveries }
    const both = await Promise.all([1, 2].map(() => store.enqueueDeliveries(id, stretch, start)))
    assert.deepEqual(both.sort(), [false, true])
    assert.equal((await store.listDeliveries(workspace.id, id, {}, { limit: 9 })).length, 1)
    assert.equal((await store.findWebhookEndpoint(workspace.id, id))?.waiting, 1)
  })
}

function logPromises(engine: Engine): void {
  test('the log shows each try, newest delivery first, to its workspace alone', async t => {
    const { store, workspace } = await setUp(t, engine)
    const endpoint = await store.createWebhookEndpoint(newEndpoint(workspace.id))
    await enqueue(store, endpoint, 1, 3)
    const [first] = await claim(store)
    await record(store, first!, { kind: 'failed' }, start + 7)
    const log = await store.listDeliveries(workspace.id, endpoint.id, {}, { limit: 2 })
    assert.deepEqual(
      log.map(({ eventId }) => eventId - endpoint.position),
      [3, 2],
    )
    const older = { beforeId: log.at(-1)!.id, limit: 2 }
    const [last] = await store.listDeliveries(workspace.id, endpoint.id, {}, older)
    assert.deepEqual(
      [last?.status, last?.tries, last?.dueAt, last?.finishedAt],
      ['failed', [refused], null, start + 7],
    )
    const failed = await store.listDeliveries(workspace.id, endpoint.id, { status: 'failed' }, { limit: 9 })
    assert.deepEqual(failed, [last])
    const other = await store.createWorkspace('other', start)
    assert.deepEqual(await store.listDeliveries(other.id, endpoint.id, {}, { limit: 9 }), [])
    assert.equal(await store.redeliver(other.id, endpoint.id, last!.id, start), null)
  })

  test('a redelivery is a delivery of its own that waits for nobody', async t => {
    const { store, workspace } = await setUp(t, engine)
    const endpoint = await store.createWebhookEndpoint(newEndpoint(workspace.id))
    await enqueue(store, endpoint, 1, 2)
    const [first] = await claim(store)
    await record(store, first!, delivered)
    const [second] = await claim(store)
    await record(store, second!, { kind: 'retry', dueAt: start + 50, overtaken: false })
    const again = await store.redeliver(workspace.id, endpoint.id, first!.delivery.id, start + 1)
    assert.deepEqual(
      [again?.eventId, again?.name, again?.redeliveryOf, again?.tries, again?.status],
      [first!.delivery.eventId, 'attempt.ended', first!.delivery.id, [], 'waiting'],
    )
    const [claimed] = await claim(store, { now: start + 1 })
    assert.equal(claimed?.delivery.id, again?.id)
    await record(store, claimed!, delivered, start + 1)
    assert.equal((await store.findWebhookEndpoint(workspace.id, endpoint.id))?.waiting, 1)
  })

  test('what was finished long ago is forgotten, what waits is not', async t => {
    const { store, workspace } = await setUp(t, engine)
    const endpoint = await store.createWebhookEndpoint(newEndpoint(workspace.id))
    await enqueue(store, endpoint, 1, 2)
    const [first] = await claim(store)
    await record(store, first!, delivered)
    assert.equal(await store.pruneDeliveries(start, 10), 0)
    assert.equal(await store.pruneDeliveries(start + 1, 10), 1)
    assert.deepEqual(
      (await store.listDeliveries(workspace.id, endpoint.id, {}, { limit: 9 })).map(({ status }) => status),
      ['waiting'],
    )
  })
}

function answerPromises(engine: Engine): void {
  const answered = { outcome: outcomeOf('answered'), answeredAt: start + 1, endedAt: start + 2 }

  test('an answer is an event only while an enabled endpoint of the workspace wants it', async t => {
    const { store, workspace, ...bench } = await setUp(t, engine)
    const { id: batchId } = await bench.import(3)
    const [first, second, third] = await bench.call()
    const tell = (attemptId: number) =>
      store.recordProgress([{ attemptId, status: 'answered', at: start + 1 }])
    const answers = async () => (await bench.events(batchId)).filter(type => type.startsWith('attempt.'))
    await tell(first!.attemptId)
    assert.deepEqual(await answers(), [])
    const made = await store.createWebhookEndpoint(newEndpoint(workspace.id, { wantsAnswers: true }))
    await tell(second!.attemptId)
    await bench.end([second!], answered)
    assert.deepEqual(await answers(), ['attempt.answered', 'attempt.ended'], 'once, and before the end')
    // Answered and ended in one turn: nobody told of the answer on the way.
    await bench.end([third!], answered)
    assert.deepEqual((await answers()).slice(2), ['attempt.answered', 'attempt.ended'])
    await store.updateWebhookEndpoint(workspace.id, made.id, { enabled: false }, start)
    await bench.end([first!], answered)
    assert.deepEqual((await answers()).slice(4), ['attempt.ended'])
  })
}

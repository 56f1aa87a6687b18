// Formant: batches that are really called; every documented field, in two that differ, while they run and at their end.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { presentMetrics } from '../../src/http/dialects/formant/present.ts'
import { type CallingHouse, openCallingHouse } from './calling-house.ts'

const batchCalls = '/formant/v1/batch-calls'

/** A number for each ending, all different. */
function csv(endings: string[]): string {
  const people = endings.map((ending, index) => `+1202${550 + index}01${ending},Person ${index + 1}\n`)
  return `customer_phone,customer_name\n${people.join('')}`
}

async function create(house: CallingHouse, fields: Record<string, string>, endings: string[]) {
  const form = { ...fields, file: [csv(endings), 'contacts.csv'] as [string, string] }
  const { status, body } = await house.call('POST', '/formant/v1/batch-call', { form })
  assert.equal(status, 200)
  return body.data
}

const read = async (house: CallingHouse, id: number) =>
  (await house.call('GET', `${batchCalls}/${id}`)).body.data
const metricsOf = async (house: CallingHouse, id: number) =>
  (await house.call('GET', `${batchCalls}/${id}/metrics`)).body.data

const nothingYet = {
  avg_duration_seconds: 0,
  busy_count: 0,
  completed_count: 0,
  failed_count: 0,
  in_progress_count: 0,
  no_answer_count: 0,
  pending_retry_count: 0,
  socket_failure_count: 0,
  success_count: 0,
  success_rate: 0,
  total_processed: 0,
  unreachable_count: 0,
}
const everyOutcome = ['90', '90', '90', '91', '92', '83', '93', '96', '97', '99', '95', '88']

test('two batches that differ show every field with its value, from create to the last call', async t => {
  const house = await openCallingHouse(t)
  const march = await create(house, { agent_id: '456', name: 'March Follow Ups' }, everyOutcome)
  const april = await create(
    house,
    { agent_id: '123', name: 'April', scheduled_for: '2026-01-05T17:30:00', timezone: 'Asia/Kolkata' },
    ['90', '96'],
  )
  const created = { created_at: '2026-01-05T10:00:00Z', updated_at: '2026-01-05T10:00:00Z' }
  const marchFields = {
    agent_id: 456,
    id: 1,
    name: 'March Follow Ups',
    scheduled_for: null,
    total_recipients: 12,
  }
  const aprilFields = {
    agent_id: 123,
    id: 2,
    name: 'April',
    scheduled_for: '2026-01-05T12:00:00Z',
    total_recipients: 2,
  }
  assert.deepEqual(march, { ...marchFields, ...created, status: 'pending' })
  assert.deepEqual(april, { ...aprilFields, ...created, status: 'scheduled' })

  // Four talk, one agent has yet to fail; busy, busy-at-first and silent people wait for their second call.
  await house.pass(60_000)
  assert.deepEqual(await read(house, 1), { ...marchFields, ...created, status: 'in_progress' })
  assert.deepEqual(await read(house, 2), { ...aprilFields, ...created, status: 'scheduled' })
  assert.deepEqual(await metricsOf(house, 1), {
    ...nothingYet,
    failed_count: 3,
    in_progress_count: 5,
    pending_retry_count: 3,
    total_processed: 4,
    unreachable_count: 1,
  })
  assert.deepEqual(await metricsOf(house, 2), nothingYet)

  await house.finish()
  // The silent one rings out at 10:00:20, is rung again after 5 minutes and after 30 more, 20 s each time.
  const marchDone = {
    ...marchFields,
    created_at: created.created_at,
    updated_at: '2026-01-05T10:36:00Z',
    status: 'completed',
  }
  const aprilDone = {
    ...aprilFields,
    created_at: created.created_at,
    updated_at: '2026-01-05T12:02:15Z',
    status: 'completed',
  }
  assert.deepEqual(await read(house, 1), marchDone)
  assert.deepEqual(await read(house, 2), aprilDone)
  assert.deepEqual(await metricsOf(house, 1), {
    avg_duration_seconds: 125.5,
    busy_count: 1,
    completed_count: 5,
    failed_count: 3,
    in_progress_count: 0,
    no_answer_count: 1,
    pending_retry_count: 0,
    socket_failure_count: 1,
    success_count: 4,
    success_rate: 33.3,
    total_processed: 12,
    unreachable_count: 1,
  })
  assert.deepEqual(await metricsOf(house, 2), {
    ...nothingYet,
    avg_duration_seconds: 125.5,
    completed_count: 1,
    success_count: 1,
    success_rate: 50,
    total_processed: 2,
    unreachable_count: 1,
  })
  const list = await house.call('GET', `${batchCalls}?limit=1`)
  assert.deepEqual(list.body, { data: [aprilDone], has_more: true, total: 2 })
})

test('the counts add up at every event of a running batch', async t => {
  const house = await openCallingHouse(t)
  const endings = Array.from({ length: 4 }, () => everyOutcome).flat()
  const { id, total_recipients: total } = await create(house, { agent_id: '456', name: 'Fifty' }, endings)
  const looks: Promise<void>[] = []
  const seen = new Set<string>()
  const look = async () => {
    const batch = await house.store.getBatch(house.workspace.id, id)
    const { counts } = batch!.progress
    const metrics = presentMetrics(batch!.progress, total)
    const called = metrics.total_processed + metrics.in_progress_count + metrics.pending_retry_count
    assert.equal(called, total - counts.queued - counts.cancelled - counts.suppressed)
    seen.add(JSON.stringify(metrics))
  }
  house.store.onEvents(() => looks.push(look()))
  await house.finish()
  await Promise.all(looks)
  assert.ok(seen.size >= total, `${seen.size} different moments`)
  const last = await metricsOf(house, id)
  assert.deepEqual([last.total_processed, last.completed_count, last.success_count], [total, 20, 16])
  const batch = await house.store.getBatch(house.workspace.id, id)
  assert.deepEqual(await house.store.recount(id), batch!.progress)
})

test('whoever is cancelled or suppressed is in no count', async t => {
  const house = await openCallingHouse(t)
  const { id } = await create(house, { agent_id: '456', name: 'Stopped' }, ['90', '92', '92', '96'])
  await house.pass(60_000)
  const [, second] = await house.store.listRecipients(house.workspace.id, id, {}, { limit: 2 })
  await house.store.suppress(house.workspace.id, [second!.number], 'asked', house.clock.now())
  await house.store.cancelBatch(house.workspace.id, id, house.clock.now())
  await house.finish()
  assert.equal((await read(house, id)).status, 'cancelled')
  const { total_processed, busy_count, pending_retry_count, success_rate } = await metricsOf(house, id)
  assert.deepEqual([total_processed, busy_count, pending_retry_count, success_rate], [2, 0, 0, 25])
})

test('a paused batch says so', async t => {
  const house = await openCallingHouse(t)
  const { id } = await create(house, { agent_id: '456', name: 'Paused' }, ['90'])
  await house.store.pauseBatch(house.workspace.id, id, 'user', house.clock.now())
  assert.equal((await read(house, id)).status, 'paused')
})

// DialNexa: batches that are really called, and their call logs; every documented field, in two that differ.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CallingHouse, openCallingHouse } from './calling-house.ts'

const batches = '/dialnexa/v1/batch-calls'

function csv(area: number, endings: string[]): string {
  const people = endings.map((ending, index) => `+1${area}${550 + index}01${ending},Person ${index + 1}\n`)
  return `phone_number,customer_name\n${people.join('')}`
}

async function create(house: CallingHouse, fields: Record<string, string>, file: string) {
  const { status, body } = await house.call('POST', batches, {
    form: { ...fields, file: [file, 'contacts.csv'] },
  })
  assert.equal(status, 201)
  return body
}

const logsOf = async (house: CallingHouse, query: string) =>
  (await house.call('GET', `/dialnexa/v1/call-logs?${query}`)).body
const read = async (house: CallingHouse, id: string) => (await house.call('GET', `${batches}/${id}`)).body

const retryOnce = '{"max_retries":1,"retry_interval_minutes":10}'
const createdAt = '2026-01-05T10:00:00.000Z'

test('two batches that differ show every field with its value, from create to the last call', async t => {
  const house = await openCallingHouse(t)
  const may = await create(
    house,
    { agent_id: 'agt_abc123', name: 'May Follow-Up Campaign', retry_config: retryOnce },
    csv(202, ['90', '92', '93', '83', '94', '96']),
  )
  const june = await create(
    house,
    { agent_id: 'agt_2', scheduled_at: '2026-01-05T11:00:00Z' },
    csv(212, ['91', '92', '99']),
  )
  const mayFields = {
    id: 'batch_1',
    name: 'May Follow-Up Campaign',
    total_leads: 6,
    agent_id: 'agt_abc123',
    created_at: createdAt,
  }
  const juneFields = {
    id: 'batch_2',
    name: 'contacts',
    total_leads: 3,
    agent_id: 'agt_2',
    created_at: createdAt,
  }
  assert.deepEqual(may, { ...mayFields, status: 'initiated', completed: 0, failed: 0 })
  assert.deepEqual(june, { ...juneFields, status: 'initiated', completed: 0, failed: 0 })

  await house.pass(15_000)
  assert.deepEqual(await read(house, 'batch_1'), { ...mayFields, status: 'running', completed: 0, failed: 1 })
  assert.deepEqual(await read(house, 'batch_2'), { ...juneFields, status: 'active', completed: 0, failed: 0 })

  await house.finish()
  const mayDone = { ...mayFields, status: 'completed', completed: 2, failed: 4 }
  const juneDone = { ...juneFields, status: 'completed', completed: 1, failed: 2 }
  assert.deepEqual(await read(house, 'batch_1'), mayDone)
  assert.deepEqual(await read(house, 'batch_2'), juneDone)
  const list = await house.call('GET', `${batches}?status=completed`)
  assert.deepEqual(list.body, {
    data: [juneDone, mayDone],
    meta: { page: 1, limit: 20, total: 2, totalPages: 1 },
  })
})

test('call logs show every call with every field', async t => {
  const house = await openCallingHouse(t)
  await create(house, { agent_id: 'agt_abc123' }, csv(202, ['90', '92']))
  await house.finish()
  const shared = { batch_id: 'batch_1', attempt_number: 1, started_at: createdAt, created_at: createdAt }
  assert.deepEqual(await logsOf(house, 'batch_id=batch_1'), {
    data: [
      {
        ...shared,
        id: 'call_1',
        phone_number: '+12025500190',
        status: 'completed',
        duration_seconds: 125.5,
        ended_at: '2026-01-05T10:02:15.510Z',
        failure_reason: null,
        variables: { customer_name: 'Person 1' },
      },
      {
        ...shared,
        id: 'call_2',
        phone_number: '+12025510192',
        status: 'busy',
        duration_seconds: 0,
        ended_at: '2026-01-05T10:00:00.010Z',
        failure_reason: 'sip 486 Busy Here q850 17',
        variables: { customer_name: 'Person 2' },
      },
    ],
    meta: { page: 1, limit: 20, total: 2, totalPages: 1 },
  })
})

test('a call is sent while it rings and while somebody talks; the last one says that no retry is left', async t => {
  const house = await openCallingHouse(t)
  const people = csv(202, ['90', '92', '93', '83', '94', '96'])
  await create(house, { agent_id: 'agt_abc123', retry_config: retryOnce }, people)
  const states = async () => {
    const { data } = await logsOf(house, 'batch_id=batch_1')
    const lines = data.map((log: { phone_number: string; attempt_number: number; status: string }) => [
      `${log.phone_number.slice(-2)} ${log.attempt_number}`,
      log.status,
    ])
    return Object.fromEntries(lines)
  }
  await house.pass(5)
  assert.deepEqual(new Set(Object.values(await states())), new Set(['initiated']))
  const first = { '83 1': 'busy', '92 1': 'busy', '96 1': 'failed' }
  await house.pass(15_000)
  assert.deepEqual(await states(), { ...first, '90 1': 'sent', '93 1': 'sent', '94 1': 'sent' })
  await house.finish()
  assert.deepEqual(await states(), {
    ...first,
    '90 1': 'completed',
    '93 1': 'did_not_pick',
    '94 1': 'no_answer',
    '83 2': 'completed',
    '92 2': 'retry_expired',
    '93 2': 'retry_expired',
    '94 2': 'retry_expired',
  })
})

test('call logs are paged, and without a batch they are those of the whole workspace', async t => {
  const house = await openCallingHouse(t)
  await create(house, { agent_id: 'agt_abc123', name: 'A' }, csv(202, ['90', '91', '92']))
  await create(house, { agent_id: 'agt_abc123', name: 'B' }, csv(212, ['90']))
  await house.finish()
  const second = await logsOf(house, 'batch_id=batch_1&limit=2&page=2')
  assert.deepEqual(second.meta, { page: 2, limit: 2, total: 3, totalPages: 2 })
  assert.deepEqual(
    second.data.map((log: { status: string }) => log.status),
    ['busy'],
  )
  const all = await logsOf(house, '')
  assert.deepEqual(
    [all.meta.total, new Set(all.data.map((log: { batch_id: string }) => log.batch_id))],
    [4, new Set(['batch_1', 'batch_2'])],
  )
})

test('a cancel drops who waits and lets calls under way end', async t => {
  const house = await openCallingHouse(t)
  await create(house, { agent_id: 'agt_abc123', retry_config: retryOnce }, csv(202, ['90', '92', '96']))
  await house.pass(60_000)
  const { body } = await house.call('PATCH', `${batches}/batch_1/status`, { json: { action: 'cancel' } })
  assert.deepEqual(body.affectedCalls, { pending: 0, in_progress: 1, cancelled: 1 })
  assert.equal(body.campaign.status, 'cancelled')
  await house.finish()
  const { status, completed, failed } = await read(house, 'batch_1')
  assert.deepEqual({ status, completed, failed }, { status: 'cancelled', completed: 1, failed: 1 })
})

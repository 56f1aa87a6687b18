// DialNexa: every field, default and range of create, list, read, status changes and call logs.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type House, openHouse } from './house.ts'

const batches = '/dialnexa/v1/batch-calls'
const people =
  'phone_number,customer_name,loan_amount,product\n9876543210,Priya Sharma,500000,home_loan\n9123456789,Rahul Mehra,250000,car_loan\n'

function send(house: House, fields: Record<string, string> = {}, csv = people) {
  return house.call('POST', batches, {
    form: { agent_id: 'agt_abc123', ...fields, file: [csv, 'May Follow-Up.csv'] },
  })
}

test('a create answers 201 with the acknowledgement, its later reads with where it stands', async t => {
  const house = await openHouse(t)
  const { status, body } = await send(house, {
    from_phone_number: '+912234567890',
    name: 'May Follow-Up Campaign',
    max_concurrent_calls: '7',
    retry_config: '{"max_retries":2,"retry_interval_minutes":60}',
  })
  assert.equal(status, 201)
  const { created_at, ...rest } = body
  assert.deepEqual(rest, {
    id: 'batch_1',
    name: 'May Follow-Up Campaign',
    status: 'initiated',
    total_leads: 2,
    completed: 0,
    failed: 0,
    agent_id: 'agt_abc123',
  })
  assert.match(created_at, /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/)
  assert.deepEqual((await house.call('GET', `${batches}/batch_1`)).body, { ...body, status: 'running' })
  const batch = await house.store.getBatch(house.workspace.id, 1)
  assert.equal(batch?.maxConcurrentCalls, 7)
  assert.equal(batch?.phoneNumberId, house.phoneNumber.id)
  assert.deepEqual(batch?.retry, {
    maxAttempts: 3,
    delaysMs: { busy: [3_600_000], 'no-answer': [3_600_000], lost: [60_000] },
  })
})

test('what a create leaves out: the name is that of the file, 10 calls at once, no retries', async t => {
  const house = await openHouse(t)
  const { body } = await send(house)
  assert.equal(body.name, 'May Follow-Up')
  const batch = await house.store.getBatch(house.workspace.id, 1)
  assert.deepEqual(
    [batch?.maxConcurrentCalls, batch?.retry, batch?.scheduledAt],
    [10, { maxAttempts: 1, delaysMs: {} }, null],
  )
})

test("numbers without a plus are read in the caller ID's country", async t => {
  const house = await openHouse(t)
  await send(house)
  const people = await house.store.listRecipients(house.workspace.id, 1, {}, { limit: 5 })
  assert.deepEqual(
    people.map(({ number }) => number),
    ['+919876543210', '+919123456789'],
  )
  assert.deepEqual(
    { ...people[0]?.variables },
    { customer_name: 'Priya Sharma', loan_amount: '500000', product: 'home_loan' },
  )
})

test('an agent is found by alias or by its printed id, and echoed', async t => {
  const house = await openHouse(t)
  const printed = `agt_${house.otherAgent.id}`
  assert.equal(
    (await send(house, { agent_id: printed }, 'phone_number\n+919876543210\n')).body.agent_id,
    printed,
  )
  const unknown = await send(house, { agent_id: 'agt_nobody' })
  assert.deepEqual(
    [unknown.status, unknown.body],
    [404, { statusCode: 404, message: 'Agent agt_nobody not found', error: 'Not Found' }],
  )
  const number = await send(house, { from_phone_number: '+912234567891' })
  assert.deepEqual([number.status, number.body.statusCode, number.body.error], [404, 404, 'Not Found'])
})

test('retry_config may leave a member out and may retry at once', async t => {
  const house = await openHouse(t)
  const retryOf = async (config: string) => {
    const { body } = await send(house, { retry_config: config })
    const batch = await house.store.getBatch(house.workspace.id, Number(body.id.slice('batch_'.length)))
    return [batch!.retry.maxAttempts, batch!.retry.delaysMs.busy]
  }
  assert.deepEqual(await retryOf('{}'), [3, [3_600_000]])
  assert.deepEqual(await retryOf('{"max_retries":0}'), [1, [3_600_000]])
  assert.deepEqual(await retryOf('{"max_retries":1,"retry_interval_minutes":0}'), [2, [0]])
  assert.deepEqual(await retryOf('{"max_retries":4,"retry_interval_minutes":0.5}'), [5, [30_000]])
})

test('a wrong field of a create is a 400 that names it, and nothing is stored', async t => {
  const house = await openHouse(t)
  const cases: [Record<string, string>, RegExp][] = [
    [{ agent_id: '' }, /agent_id/],
    [{ from_phone_number: '9123' }, /from_phone_number/],
    [{ name: 'x'.repeat(201) }, /name/],
    [{ max_concurrent_calls: '0' }, /max_concurrent_calls/],
    [{ max_concurrent_calls: 'ten' }, /max_concurrent_calls/],
    [{ scheduled_at: 'soon' }, /scheduled_at/],
    [{ scheduled_at: '2020-01-01T00:00:00Z' }, /future/],
    [{ timezone: 'Nowhere/Zone' }, /Invalid timezone/],
    ...[
      '{',
      '[]',
      'null',
      '3',
      '{"max_retries":-1}',
      '{"max_retries":1.5}',
      '{"max_retries":"2"}',
      '{"retry_interval_minutes":-1}',
    ].map((config): [Record<string, string>, RegExp] => [{ retry_config: config }, /retry_config/]),
  ]
  for (const [fields, message] of cases) {
    const { status, body } = await send(house, fields)
    assert.equal(status, 400, JSON.stringify(fields))
    assert.deepEqual(body, { statusCode: 400, message: body.message, error: 'Bad Request' })
    assert.match(body.message, message)
  }
  assert.equal((await house.call('GET', batches)).body.meta.total, 0)
})

test('one bad row refuses the whole file, with reasons grouped and row numbers as in the file', async t => {
  const house = await openHouse(t)
  await house.store.updateWorkspace(
    house.workspace.id,
    { destinations: [{ country: 'IN', prefixes: ['+9198'] }] },
    Date.now(),
  )
  const csv = 'phone_number,name\n9876543210,A\nhello,B\n+12025550101,C\n12,D\n9123456789,E\n+12025550102,F\n'
  const { status, body } = await send(house, {}, csv)
  assert.equal(status, 400)
  const { message, ...rest } = body
  assert.equal(typeof message, 'string')
  assert.deepEqual(rest, {
    statusCode: 400,
    error: 'Bad Request',
    errors: [
      { reason: 'invalid phone number', count: 2, rows: [3, 5] },
      { reason: 'unsupported destination country', count: 2, rows: [4, 7] },
      { reason: 'unsupported prefix', count: 1, rows: [6] },
    ],
  })
  await house.store.updateWorkspace(house.workspace.id, { destinations: [] }, Date.now())
  const none = await send(house)
  assert.deepEqual(none.body.errors, [{ reason: 'no enabled countries configured', count: 2, rows: [2, 3] }])
  assert.equal((await house.call('GET', batches)).body.meta.total, 0)
})

test('a file without a phone_number column is refused in the words of the vendor', async t => {
  const house = await openHouse(t)
  const { status, body } = await send(house, {}, 'phone,name\n9876543210,A\n')
  assert.deepEqual(
    [status, body],
    [
      400,
      {
        statusCode: 400,
        message: 'The uploaded file must include a phone_number column',
        error: 'Bad Request',
      },
    ],
  )
})

test('lists are paged with meta and filtered by status', async t => {
  const house = await openHouse(t)
  for (let number = 1; number <= 3; number++) await send(house, { name: `Now ${number}` })
  await send(house, { name: 'Later', scheduled_at: '2100-01-01T00:00:00Z' })
  const page = async (query: string) => {
    const { data, meta } = (await house.call('GET', `${batches}?${query}`)).body
    return [data.map((batch: { name: string }) => batch.name), meta]
  }
  assert.deepEqual(await page(''), [
    ['Later', 'Now 3', 'Now 2', 'Now 1'],
    { page: 1, limit: 20, total: 4, totalPages: 1 },
  ])
  assert.deepEqual(await page('page=2&limit=3'), [['Now 1'], { page: 2, limit: 3, total: 4, totalPages: 2 }])
  assert.deepEqual(await page('status=active'), [['Later'], { page: 1, limit: 20, total: 1, totalPages: 1 }])
  assert.deepEqual(await page('status=running&limit=1'), [
    ['Now 3'],
    { page: 1, limit: 1, total: 3, totalPages: 3 },
  ])
  for (const status of ['initiated', 'draft', 'paused', 'completed', 'cancelled'])
    assert.deepEqual(await page(`status=${status}`), [[], { page: 1, limit: 20, total: 0, totalPages: 0 }])
  for (const query of ['status=importing', 'status=failed', 'page=0', 'limit=101', 'limit=-1', 'page=x']) {
    const { status, body } = await house.call('GET', `${batches}?${query}`)
    assert.deepEqual([status, body.statusCode, body.error], [400, 400, 'Bad Request'], query)
    assert.match(body.message, new RegExp(query.split('=', 1)[0]!))
  }
})

test('a batch is paused, resumed and cancelled by an action', async t => {
  const house = await openHouse(t)
  await send(house, { name: 'May' })
  const act = (action: unknown) => house.call('PATCH', `${batches}/batch_1/status`, { json: { action } })
  const answers = []
  for (const action of ['pause', 'resume', 'cancel']) {
    const { status, body } = await act(action)
    assert.equal(status, 200)
    answers.push(body)
  }
  assert.deepEqual(answers, [
    {
      success: true,
      message: 'Batch paused',
      campaign: { id: 'batch_1', status: 'paused', title: 'May' },
      affectedCalls: { pending: 2, in_progress: 0, cancelled: 0 },
    },
    {
      success: true,
      message: 'Batch resumed',
      campaign: { id: 'batch_1', status: 'running', title: 'May' },
      affectedCalls: { pending: 2, in_progress: 0, cancelled: 0 },
    },
    {
      success: true,
      message: 'Batch cancelled',
      campaign: { id: 'batch_1', status: 'cancelled', title: 'May' },
      affectedCalls: { pending: 0, in_progress: 0, cancelled: 2 },
    },
  ])
  const late = await act('pause')
  assert.deepEqual([late.status, late.body.statusCode, late.body.error], [409, 409, 'Conflict'])
  for (const text of ['{"action":"stop"}', '{"action":1}', '{}', '[]', '"pause"', 'null', '']) {
    const { status, body } = await house.call('PATCH', `${batches}/batch_1/status`, {
      text,
      headers: { 'content-type': 'application/json' },
    })
    assert.deepEqual(
      [status, body],
      [
        400,
        {
          statusCode: 400,
          message: 'Invalid action. Must be one of: pause, resume, cancel',
          error: 'Bad Request',
        },
      ],
    )
  }
})

test('call logs of a batch without calls are an empty page, those of an unknown batch 404', async t => {
  const house = await openHouse(t)
  await send(house)
  const { body } = await house.call('GET', '/dialnexa/v1/call-logs?batch_id=batch_1')
  assert.deepEqual(body, { data: [], meta: { page: 1, limit: 20, total: 0, totalPages: 0 } })
  assert.equal((await house.call('GET', '/dialnexa/v1/call-logs?batch_id=batch_9')).status, 404)
  assert.equal((await house.call('GET', '/dialnexa/v1/call-logs?limit=0')).status, 400)
})

// Formant: every field, default and range of create, list and read.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addAgent, type House, openHouse, openWorkspace } from './house.ts'

const create = '/formant/v1/batch-call'
const list = '/formant/v1/batch-calls'
const people = 'customer_phone,customer_name\n+919876543210,Rahul\n+919812345678,Anita\n'

function send(house: House, fields: Record<string, string> = {}, csv = people) {
  return house.call('POST', create, {
    form: { agent_id: '456', name: 'March Follow Ups', ...fields, file: [csv, 'contacts.csv'] },
  })
}

test('a create answers 200 with the batch under data, pending when it starts now', async t => {
  const house = await openHouse(t)
  const { status, body } = await send(house)
  assert.equal(status, 200)
  const { created_at, updated_at, ...rest } = body.data
  assert.deepEqual(rest, {
    agent_id: 456,
    id: 1,
    name: 'March Follow Ups',
    scheduled_for: null,
    status: 'pending',
    total_recipients: 2,
  })
  assert.match(created_at, /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/)
  assert.match(updated_at, /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/)
  const { body: read } = await house.call('GET', `${list}/1`)
  assert.deepEqual({ ...read.data, updated_at }, { ...body.data, status: 'in_progress' })
})

test('scheduled_for is our extension: an instant, or a naive time in timezone', async t => {
  const house = await openHouse(t)
  const instant = await send(house, { scheduled_for: '2100-04-15T09:00:00Z' })
  assert.equal(instant.body.data.status, 'scheduled')
  assert.equal(instant.body.data.scheduled_for, '2100-04-15T09:00:00Z')
  const naive = await send(house, { name: 'B', scheduled_for: '2100-04-15T09:00', timezone: 'Asia/Kolkata' })
  assert.equal(naive.body.data.scheduled_for, '2100-04-15T03:30:00Z')
  const { body } = await house.call('GET', `${list}/${naive.body.data.id}`)
  assert.equal(body.data.status, 'scheduled')
})

test('an agent is echoed as it was sent, its own id or an alias, and the filter matches the agent', async t => {
  const house = await openHouse(t)
  const { id } = await addAgent(house.deps, house.workspace.id, {})
  assert.equal((await send(house, { agent_id: String(id), name: 'By id' })).body.data.agent_id, id)
  assert.equal((await send(house, { agent_id: '123', name: 'By alias' })).body.data.agent_id, 123)
  assert.equal((await send(house)).body.data.agent_id, 456)
  const names = async (query: string) => {
    const { body } = await house.call('GET', `${list}?${query}`)
    return body.data.map((batch: { name: string }) => batch.name)
  }
  assert.deepEqual(await names(`agent_id=${id}`), ['By id'])
  assert.deepEqual(await names('agent_id=123'), ['By alias'])
  assert.deepEqual(await names(`agent_id=${house.otherAgent.id}`), ['By alias'])
  assert.deepEqual(await names('agent_id=999999'), [])
})

test('lists are newest first, 20 at a time and 100 at most, and say whether there is more', async t => {
  const house = await openHouse(t)
  for (let number = 1; number <= 22; number++) await send(house, { name: `Batch ${number}` })
  const page = async (query: string) => (await house.call('GET', `${list}${query}`)).body
  const first = await page('')
  assert.equal(first.data.length, 20)
  assert.deepEqual([first.data[0].name, first.has_more, first.total], ['Batch 22', true, 22])
  const rest = await page('?offset=20')
  assert.deepEqual(
    [rest.data.length, rest.data[1].name, rest.has_more, rest.total],
    [2, 'Batch 1', false, 22],
  )
  assert.deepEqual((await page('?limit=100&offset=50')).data, [])
  const two = await page('?limit=2&offset=3')
  assert.deepEqual(
    [two.data.map((batch: { name: string }) => batch.name), two.has_more],
    [['Batch 19', 'Batch 18'], true],
  )
})

test('a wrong query is a 400 that names its field', async t => {
  const house = await openHouse(t)
  for (const query of [
    'limit=0',
    'limit=101',
    'limit=x',
    'limit=1.5',
    'limit=',
    'limit=1&limit=2',
    'offset=-1',
    'agent_id=abc',
  ]) {
    const { status, body } = await house.call('GET', `${list}?${query}`)
    assert.equal(status, 400, query)
    assert.equal(body.error.type, 'invalid_request')
    assert.match(body.error.message, new RegExp(query.split('=', 1)[0]!))
  }
})

test('a wrong field of a create is a 400 that names it, and nothing is stored', async t => {
  const house = await openHouse(t)
  const cases: [Record<string, string>, RegExp][] = [
    [{ agent_id: '' }, /agent_id/],
    [{ agent_id: 'abc' }, /agent_id/],
    [{ agent_id: '0' }, /agent_id/],
    [{ name: '' }, /name/],
    [{ name: '   ' }, /name/],
    [{ name: 'x'.repeat(201) }, /name.*200/],
    [{ scheduled_for: 'tomorrow' }, /scheduled_for/],
    [{ scheduled_for: '2020-01-01T00:00:00Z' }, /future/],
    [{ scheduled_for: '2100-01-01T00:00:00', timezone: 'Mars/Olympus' }, /Invalid timezone 'Mars\/Olympus'/],
  ]
  for (const [fields, message] of cases) {
    const { status, body } = await send(house, fields)
    assert.equal(status, 400, JSON.stringify(fields))
    assert.deepEqual(Object.keys(body.error).sort(), ['message', 'type'])
    assert.equal(body.error.type, 'invalid_request')
    assert.match(body.error.message, message)
  }
  assert.equal((await send(house, { name: ` ${'x'.repeat(200)} ` })).body.data.name, 'x'.repeat(200))
  assert.equal((await house.call('GET', list)).body.total, 1)
})

test('an unknown agent is 404, an agent without any phone number a 400 that says so', async t => {
  const house = await openHouse(t)
  const unknown = await send(house, { agent_id: '999' })
  assert.deepEqual(
    [unknown.status, unknown.body],
    [404, { error: { message: 'Agent 999 not found', type: 'not_found' } }],
  )
  const { workspace, key } = await openWorkspace(house.deps)
  await addAgent(house.deps, workspace.id, { aliases: ['77'] })
  const form = { agent_id: '77', name: 'A', file: [people, 'contacts.csv'] as [string, string] }
  const silent = await house.call('POST', create, { form, key })
  assert.deepEqual([silent.status, silent.body.error.type], [400, 'invalid_request'])
  assert.match(silent.body.error.message, /phone number to call from/)
})

test('fields and columns that nobody knows are ignored and kept as variables', async t => {
  const house = await openHouse(t)
  const { status, body } = await send(house, { colour: 'blue', metadata: '{}' })
  assert.equal(status, 200)
  const [person] = await house.store.listRecipients(house.workspace.id, body.data.id, {}, { limit: 1 })
  assert.deepEqual({ ...person?.variables }, { customer_name: 'Rahul' })
})

test('bad rows are left out and reported, and a file with no good row is 400', async t => {
  const house = await openHouse(t)
  const mixed = 'customer_phone\n+919876543210\nhello\n+919876543210\n+919812345678\n'
  const { status, body } = await send(house, {}, mixed)
  assert.deepEqual([status, body.data.total_recipients], [200, 2])
  const rows = await house.store.listIngestRows(house.workspace.id, body.data.id, {}, { limit: 10 })
  assert.deepEqual(
    rows.map(({ rowNumber, status }) => [rowNumber, status]),
    [
      [2, 'accepted'],
      [3, 'invalid'],
      [4, 'duplicate'],
      [5, 'accepted'],
    ],
  )
  const none = await send(house, { name: 'None' }, 'customer_phone\nhello\n')
  assert.equal(none.status, 400)
  assert.match(none.body.error.message, /no contact that can be called/)
})

test('a file without a customer_phone column is a 400 that names the columns it has', async t => {
  const house = await openHouse(t)
  const { status, body } = await send(house, {}, 'phone,name\n+919876543210,Rahul\n')
  assert.equal(status, 400)
  assert.deepEqual(body, {
    error: {
      message: 'The file must include a customer_phone column. Found columns: phone, name',
      type: 'invalid_request',
    },
  })
})

test('a client is called back after 5 and 30 minutes when busy or silent, three calls at most', async t => {
  const house = await openHouse(t)
  const { body } = await send(house)
  const batch = await house.store.getBatch(house.workspace.id, body.data.id)
  const { lost, ...delays } = batch!.retry.delaysMs
  assert.equal(batch!.retry.maxAttempts, 3)
  assert.deepEqual(delays, { busy: [300_000, 1_800_000], 'no-answer': [300_000, 1_800_000] })
  assert.deepEqual(lost, [60_000])
})

test('a body that comes with a GET is read past', async t => {
  const house = await openHouse(t)
  await send(house)
  const { status, body } = await house.call('GET', list, {
    json: {},
    headers: { 'content-type': 'application/json' },
  })
  assert.deepEqual([status, body.total], [200, 1])
})

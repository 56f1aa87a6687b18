// Our own API: lists become batches.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addCaller, formWith, type RunningServer, runServer, twoPeople } from './running-server.ts'

const upload = (server: RunningServer, fields: Record<string, string>, text = twoPeople) =>
  server.send('POST', '/api/v1/batches', { payload: formWith({ agentId: '456', ...fields }, text) })
const post = (server: RunningServer, payload: object) =>
  server.send('POST', '/api/v1/batches', { payload: { agentId: 456, ...payload } })

test('a file and form fields become a running batch that shows what was sent', async t => {
  const server = await runServer(t)
  await addCaller(server)
  const answer = await upload(server, {
    name: 'March',
    description: 'Renewals',
    maxConcurrentCalls: '5',
    callsPerSecond: '2.5',
    retry: '{"maxAttempts":2,"delaysMs":{"busy":[2000],"lost":[]}}',
    window: '[{"days":[1,2,3,4,5,6,7],"from":"00:00","to":"24:00"}]',
    ringTimeoutMs: '20000',
    maxCallMs: '60000',
    timezone: 'Asia/Kolkata',
    unknown: 'ignored',
  })
  assert.equal(answer.statusCode, 201, answer.body)
  const batch = answer.json()
  assert.equal(batch.name, 'March')
  assert.equal(batch.description, 'Renewals')
  assert.equal(batch.status, 'running')
  assert.equal(batch.agentId, 1)
  assert.equal(batch.phoneNumberId, 1)
  assert.equal(batch.maxConcurrentCalls, 5)
  assert.equal(batch.callsPerSecond, 2.5)
  assert.deepEqual(batch.retry, { maxAttempts: 2, delaysMs: { busy: [2000], lost: [] } })
  assert.deepEqual(batch.window, [{ days: [1, 2, 3, 4, 5, 6, 7], from: '00:00', to: '24:00' }])
  assert.equal(batch.ringTimeoutMs, 20_000)
  assert.equal(batch.maxCallMs, 60_000)
  assert.equal(batch.timezone, 'Asia/Kolkata')
  assert.deepEqual(batch.ingest, { rows: 2, accepted: 2, invalid: 0, duplicate: 0, suppressed: 0 })
  assert.equal(batch.totalRecipients, 2)
  assert.equal(batch.counts.queued, 2)
  assert.equal(batch.repeated, false)
  assert.deepEqual(await server.uploads(), [])
})

test('settings may come as one JSON field, and single fields win over it', async t => {
  const server = await runServer(t)
  await addCaller(server)
  const settings = JSON.stringify({ name: 'From settings', maxConcurrentCalls: 3, startAs: 'draft' })
  const batch = (await upload(server, { settings, maxConcurrentCalls: '4' })).json()
  assert.equal(batch.name, 'From settings')
  assert.equal(batch.maxConcurrentCalls, 4)
  assert.equal(batch.status, 'draft')
})

test('a batch without a name is called after its file', async t => {
  const server = await runServer(t)
  await addCaller(server)
  const form = formWith({ agentId: '456' }, twoPeople, 'spring.2027.csv')
  const named = await server.send('POST', '/api/v1/batches', { payload: form })
  assert.equal(named.json().name, 'spring.2027')
  assert.equal((await post(server, { recipients: [{ phone: '+12025550101' }] })).json().name, 'Batch')
})

test('recipients and contacts in JSON are the same thing, under any usual name of the number', async t => {
  const server = await runServer(t)
  await addCaller(server)
  const columns = ['phone', 'phone_number', 'phoneNumber', 'customer_phone', 'number', 'mobile', 'PHONE']
  for (const [index, column] of columns.entries()) {
    const list = index % 2 === 0 ? 'recipients' : 'contacts'
    const answer = await post(server, {
      [list]: [{ [column]: `+1202555010${index}`, age: 30 + index, tags: ['a'] }],
    })
    assert.equal(answer.statusCode, 201, `${column}: ${answer.body}`)
    const people = await server.send('GET', `/api/v1/batches/${answer.json().id}/recipients`)
    const [person] = people.json().data
    assert.equal(person.number, `+1202555010${index}`)
    assert.deepEqual(person.variables, { age: 30 + index, tags: ['a'] })
    assert.equal(person.rowNumber, 1)
  }
})

test('the phone column may be named', async t => {
  const server = await runServer(t)
  await addCaller(server)
  const answer = await upload(server, { phoneColumn: 'Tel' }, 'phone,tel\nhome,+12025550101\n')
  assert.equal(answer.statusCode, 201, answer.body)
  const people = (await server.send('GET', `/api/v1/batches/${answer.json().id}/recipients`)).json().data
  assert.deepEqual(people[0].variables, { phone: 'home' })
})

test('a start in a zone is the instant that it means there', async t => {
  const server = await runServer(t)
  await addCaller(server)
  const batch = (
    await upload(server, { scheduledAt: '2199-01-15T09:00:00', timezone: 'America/New_York' })
  ).json()
  assert.equal(batch.status, 'scheduled')
  assert.equal(batch.scheduledAt, '2199-01-15T14:00:00.000Z')
  assert.equal(batch.startedAt, null)
})

const refused: [sentence: string, payload: object, status: number, code: string, field?: string][] = [
  ['no list', {}, 400, 'missing_list'],
  ['two lists', { recipients: [], contacts: [] }, 400, 'invalid_request', 'contacts'],
  [
    'a list that is no array',
    { recipients: { phone: '+12025550101' } },
    400,
    'invalid_request',
    'recipients',
  ],
  ['a list of nobody', { recipients: [] }, 400, 'invalid_contacts'],
  [
    'an unknown agent',
    { agentId: 'nobody', recipients: [{ phone: '+12025550101' }] },
    404,
    'agent_not_found',
  ],
  [
    'an unknown phone number',
    { phoneNumberId: 'nothing', recipients: [{ phone: '+12025550101' }] },
    404,
    'phone_number_not_found',
  ],
  ['no caller at all', { agentId: null, recipients: [{ phone: '+12025550101' }] }, 400, 'no_caller'],
  [
    'a start in the past',
    { scheduledAt: '2001-01-01T00:00:00Z', recipients: [{ phone: '+12025550101' }] },
    400,
    'past_scheduled_time',
  ],
  [
    'a start that is no time',
    { scheduledAt: 'tomorrow', recipients: [{ phone: '+12025550101' }] },
    400,
    'invalid_request',
    'scheduledAt',
  ],
  [
    'an unknown zone',
    { timezone: 'Mars/Base', recipients: [{ phone: '+12025550101' }] },
    400,
    'invalid_request',
    'timezone',
  ],
  [
    'a concurrency of none',
    { maxConcurrentCalls: 0, recipients: [{ phone: '+12025550101' }] },
    400,
    'invalid_request',
    'maxConcurrentCalls',
  ],
  [
    'a retry of an unknown disposition',
    { retry: { delaysMs: { angry: [1] } }, recipients: [] },
    400,
    'invalid_request',
    'retry.delaysMs',
  ],
  [
    'too many attempts',
    { retry: { maxAttempts: 21 }, recipients: [] },
    400,
    'invalid_request',
    'retry.maxAttempts',
  ],
  ['only bad numbers', { recipients: [{ phone: 'x' }, { phone: '12' }] }, 400, 'no_valid_contacts'],
  [
    'a bad number in strict mode',
    { strict: true, recipients: [{ phone: '+12025550101' }, { phone: 'x' }] },
    400,
    'strict_rows',
  ],
  ['no phone at all', { recipients: [{ name: 'x' }] }, 400, 'no_valid_contacts'],
]
for (const [sentence, payload, status, code, field] of refused)
  test(`a create with ${sentence} is refused with ${code} and leaves nothing`, async t => {
    const server = await runServer(t)
    await addCaller(server)
    const answer = await post(server, payload)
    assert.equal(answer.statusCode, status, answer.body)
    assert.equal(answer.json().code, code, answer.body)
    if (field !== undefined) assert.equal(answer.json().errors[0].field, field)
    assert.deepEqual((await server.send('GET', '/api/v1/batches')).json().data, [])
    assert.deepEqual((await server.send('GET', '/api/v1/events')).json().data, [])
  })

test('form fields of a wrong kind are named', async t => {
  const server = await runServer(t)
  await addCaller(server)
  const bad: [Record<string, string>, string][] = [
    [{ maxConcurrentCalls: 'five' }, 'maxConcurrentCalls'],
    [{ open: 'yes' }, 'open'],
    [{ retry: '{' }, 'retry'],
    [{ settings: '{' }, 'settings'],
    [{ settings: '[]' }, 'settings'],
    [{ startAs: 'later' }, 'startAs'],
  ]
  for (const [fields, field] of bad) {
    const answer = await upload(server, fields)
    assert.equal(answer.statusCode, 400, JSON.stringify(fields))
    assert.equal(answer.json().errors[0].field, field)
  }
})

test('a file above the limit is a 413, one that is no list a 400', async t => {
  const server = await runServer(t)
  await addCaller(server)
  assert.equal((await upload(server, {}, `phone\n${'x'.repeat(1_000_000)}`)).statusCode, 413)
  assert.equal((await upload(server, {}, 'name\nJohn\n')).json().code, 'missing_phone_column')
  assert.equal((await upload(server, {}, 'phone\n"+12025550101\n')).json().code, 'unclosed_quote')
})

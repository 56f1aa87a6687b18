// Our own API: agents, trunks, phone numbers, suppressions, the workspace.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addCaller, runServer } from './running-server.ts'

const isoInstant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

test('an agent is made with every field that was sent', async t => {
  const server = await runServer(t)
  const sent = {
    name: '  Ada ',
    architecture: 'realtime',
    prompt: 'Call {{name}}.',
    firstMessage: 'Hello {{name}}',
    connection: { kind: 'media-stream', url: 'wss://example.test', parameters: { plan: 'a' } },
    aliases: ['agt_abc123', '456'],
    maxConcurrentCalls: 7,
    unknown: 'ignored',
  }
  const answer = await server.send('POST', '/api/v1/agents', { payload: sent })
  assert.equal(answer.statusCode, 201)
  const { createdAt, ...agent } = answer.json()
  assert.match(createdAt, isoInstant)
  const { unknown: _, ...known } = sent
  assert.deepEqual(agent, {
    ...known,
    name: 'Ada',
    id: 1,
    aliases: ['456', 'agt_abc123'],
    breakerUntil: null,
  })
  assert.deepEqual((await server.send('GET', '/api/v1/agents')).json().data, [answer.json()])
})

test('a trunk is read and changed: a password that is sent back as it was shown stays', async t => {
  const server = await runServer(t)
  const made = await server.send('POST', '/api/v1/trunks', {
    payload: {
      name: 'acme',
      kind: 'sip',
      settings: { address: 'sip.example', username: 'u', password: 'p' },
    },
  })
  const path = `/api/v1/trunks/${made.json().id}`
  const shown = (await server.send('GET', path)).json()
  assert.deepEqual([shown.name, shown.settings.password, shown.gateways], ['acme', '[hidden]', []])
  const settings = { ...shown.settings, address: 'new.example' }
  const changed = await server.send('PATCH', path, { payload: { settings, callsPerSecond: 3 } })
  assert.deepEqual([changed.statusCode, changed.json().callsPerSecond], [200, 3])
  const { settings: stored } = (await server.store.getTrunk(made.json().id))!
  assert.deepEqual(stored, { address: 'new.example', username: 'u', password: 'p' })
  for (const [payload, status] of [
    [{ callsPerSecond: 0 }, 400],
    [{ kind: 'simulated' }, 400],
  ] as const)
    assert.equal((await server.send('PATCH', path, { payload })).statusCode, status)
  const key = await server.otherKey()
  assert.equal((await server.send('PATCH', path, { key, payload: { name: 'mine' } })).statusCode, 404)
  assert.equal((await server.send('GET', path, { key })).json().code, 'trunk_not_found')
})

test('a phone number hangs on the simulated trunk unless another is named', async t => {
  const server = await runServer(t)
  const trunks = (await server.send('GET', '/api/v1/trunks')).json().data
  assert.equal(trunks[0].kind, 'simulated')
  const plain = await server.send('POST', '/api/v1/phone-numbers', { payload: { e164: '+12025550100' } })
  assert.equal(plain.json().trunkId, trunks[0].id)
  assert.equal(plain.json().agentId, null)
  const trunk = await server.send('POST', '/api/v1/trunks', {
    payload: {
      name: 'sip',
      kind: 'sip',
      maxConcurrentCalls: 10,
      callsPerSecond: 2.5,
      settings: { host: 'x' },
    },
  })
  assert.equal(trunk.statusCode, 201)
  assert.equal(trunk.json().callsPerSecond, 2.5)
  const onSip = await server.send('POST', '/api/v1/phone-numbers', {
    payload: { e164: '+12025550101', trunkId: trunk.json().id, aliases: ['phone_abc123'] },
  })
  assert.equal(onSip.json().trunkId, trunk.json().id)
  assert.deepEqual(onSip.json().aliases, ['phone_abc123'])
})

test('settings that the carrier cannot read are refused in its words', async t => {
  const server = await runServer(t, {
    trunkProblem: ({ settings }) =>
      'speed' in settings ? { field: 'settings', message: 'speed must be above 0' } : null,
  })
  const payload = { name: 'odd', settings: { speed: 0 } }
  const answer = await server.send('POST', '/api/v1/trunks', { payload })
  assert.equal(answer.statusCode, 400)
  assert.equal(answer.json().code, 'invalid_trunk_settings')
  assert.deepEqual(answer.json().errors, [{ field: 'settings', message: 'speed must be above 0' }])
  assert.equal((await server.send('POST', '/api/v1/trunks', { payload: { name: 'even' } })).statusCode, 201)
})

test('an agent of a phone number may be named by id or alias', async t => {
  const server = await runServer(t)
  await server.send('POST', '/api/v1/agents', { payload: { name: 'Ada', aliases: ['456'] } })
  for (const [e164, agentId] of [
    ['+12025550100', '456'],
    ['+12025550101', 456],
    ['+12025550102', 1],
    ['+12025550103', '1'],
  ]) {
    const answer = await server.send('POST', '/api/v1/phone-numbers', { payload: { e164, agentId } })
    assert.equal(answer.json().agentId, 1, String(agentId))
  }
})

const refused: [
  sentence: string,
  path: string,
  payload: object,
  status: number,
  code: string,
  field?: string,
][] = [
  ['an agent without a name', 'agents', { name: '  ' }, 400, 'invalid_request', 'name'],
  ['a name above 200 characters', 'agents', { name: 'x'.repeat(201) }, 400, 'invalid_request', 'name'],
  [
    'an unknown architecture',
    'agents',
    { name: 'A', architecture: 'x' },
    400,
    'invalid_request',
    'architecture',
  ],
  ['an alias with a space', 'agents', { name: 'A', aliases: ['a b'] }, 400, 'invalid_request', 'aliases.0'],
  ['an alias that is an id', 'agents', { name: 'A', aliases: ['1'] }, 409, 'alias_taken'],
  [
    'a trunk of no calls',
    'trunks',
    { name: 'A', maxConcurrentCalls: 0 },
    400,
    'invalid_request',
    'maxConcurrentCalls',
  ],
  ['a trunk of no kind we know', 'trunks', { name: 'A', kind: 'x' }, 400, 'invalid_request', 'kind'],
  ['a number that is none', 'phone-numbers', { e164: '12' }, 400, 'invalid_phone', 'e164'],
  ['a number that is there', 'phone-numbers', { e164: '+12025550100' }, 409, 'number_taken'],
  ['an unknown agent', 'phone-numbers', { e164: '+12025550109', agentId: 'nobody' }, 404, 'agent_not_found'],
  ['an unknown trunk', 'phone-numbers', { e164: '+12025550109', trunkId: 999 }, 404, 'unknown_trunk'],
  ['no number to suppress', 'suppressions', {}, 400, 'invalid_request', 'numbers'],
  [
    'a number and numbers',
    'suppressions',
    { number: '+12025550101', numbers: ['+12025550101'] },
    400,
    'invalid_request',
    'numbers',
  ],
  [
    'a suppression of no number',
    'suppressions',
    { numbers: ['+12025550101', 'x'] },
    400,
    'invalid_phone',
    'numbers.1',
  ],
]
for (const [sentence, path, payload, status, code, field] of refused)
  test(`${sentence} is refused with ${code}`, async t => {
    const server = await runServer(t)
    await addCaller(server)
    const answer = await server.send('POST', `/api/v1/${path}`, { payload })
    assert.equal(answer.statusCode, status, answer.body)
    assert.equal(answer.json().code, code)
    if (field !== undefined) assert.equal(answer.json().errors[0].field, field)
  })

test('lists come in pages that a cursor joins without gap or overlap', async t => {
  const server = await runServer(t)
  for (let index = 0; index < 5; index++)
    await server.send('POST', '/api/v1/agents', { payload: { name: `A${index}` } })
  const names: string[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const query: string = cursor === '' ? '' : `&cursor=${cursor}`
    const page = (await server.send('GET', `/api/v1/agents?limit=2${query}`)).json()
    assert.ok(page.data.length <= 2)
    names.push(...page.data.map(({ name }: { name: string }) => name))
    cursor = page.nextCursor
  }
  assert.deepEqual(names, ['A0', 'A1', 'A2', 'A3', 'A4'])
})

test('a limit or a cursor that is none is a 400 that names it', async t => {
  const server = await runServer(t)
  for (const [query, field] of [
    ['limit=0', 'limit'],
    ['limit=501', 'limit'],
    ['limit=x', 'limit'],
    ['limit=', 'limit'],
    ['cursor=x', 'cursor'],
    ['cursor=-1', 'cursor'],
  ]) {
    const answer = await server.send('GET', `/api/v1/agents?${query}`)
    assert.equal(answer.statusCode, 400, String(query))
    assert.equal(answer.json().errors[0].field, field)
  }
})

test('numbers are suppressed in E.164, once each, listed, and taken off again', async t => {
  const server = await runServer(t)
  await server.send('PATCH', '/api/v1/workspace', { payload: { defaultRegion: 'US' } })
  const answer = await server.send('POST', '/api/v1/suppressions', {
    payload: { numbers: ['(202) 555-0121', '+12025550122', '2025550121'], reason: 'asked us' },
  })
  assert.equal(answer.statusCode, 201)
  const numbers = answer.json().data.map(({ number, reason }: Record<string, string>) => [number, reason])
  assert.deepEqual(numbers, [
    ['+12025550121', 'asked us'],
    ['+12025550122', 'asked us'],
  ])
  const first = (await server.send('GET', '/api/v1/suppressions?limit=1')).json()
  assert.equal(first.nextCursor, '+12025550121')
  const cursor = encodeURIComponent(first.nextCursor)
  const second = (await server.send('GET', `/api/v1/suppressions?limit=1&cursor=${cursor}`)).json()
  assert.equal(second.data[0].number, '+12025550122')
  assert.equal(second.nextCursor, null)
  assert.equal((await server.send('DELETE', '/api/v1/suppressions/+12025550121')).statusCode, 204)
  assert.equal((await server.send('DELETE', '/api/v1/suppressions/+12025550121')).statusCode, 404)
  assert.equal((await server.send('DELETE', '/api/v1/suppressions/nobody')).statusCode, 404)
})

test('the workspace keeps what a patch does not name, and null takes a rule away', async t => {
  const server = await runServer(t)
  const window = [{ days: [1, 2, 3, 4, 5], from: '09:00', to: '18:00' }]
  const rules = {
    name: 'Acme',
    defaultRegion: 'IN',
    destinations: [{ country: 'IN', prefixes: ['+9198'] }, { country: 'US' }],
    maxConcurrentCalls: 25,
    creditCents: 1234.5,
    window,
    retention: { recordingDays: 7, transcriptDays: 30, eventDays: null, batchDays: 365 },
  }
  const set = await server.send('PATCH', '/api/v1/workspace', { payload: rules })
  assert.equal(set.statusCode, 200, set.body)
  const { id, stopped, createdAt, updatedAt, ...shown } = set.json()
  assert.deepEqual(shown, rules)
  assert.equal(stopped, false)
  assert.match(createdAt + updatedAt, /Z$/)
  const cleared = await server.send('PATCH', '/api/v1/workspace', {
    payload: { creditCents: null, window: null, destinations: null },
  })
  assert.deepEqual((await server.send('GET', '/api/v1/workspace')).json(), cleared.json())
  assert.equal(cleared.json().creditCents, null)
  assert.equal(cleared.json().window, null)
  assert.equal(cleared.json().name, 'Acme')
  assert.deepEqual((await server.send('PATCH', '/api/v1/workspace', { payload: {} })).json(), cleared.json())
})

test('a workspace rule that cannot hold is a 400 that names it', async t => {
  const server = await runServer(t)
  const bad: [object, string][] = [
    [{ defaultRegion: 'XX' }, 'defaultRegion'],
    [{ maxConcurrentCalls: 0 }, 'maxConcurrentCalls'],
    [{ maxConcurrentCalls: '5' }, 'maxConcurrentCalls'],
    [{ creditCents: -1 }, 'creditCents'],
    [{ destinations: [{ country: 'ZZ' }] }, 'destinations.0.country'],
    [{ destinations: [{ country: 'US', prefixes: ['98'] }] }, 'destinations.0.prefixes.0'],
    [{ window: [{ days: [8], from: '09:00', to: '18:00' }] }, 'window'],
    [{ window: 'always' }, 'window'],
  ]
  for (const [payload, field] of bad) {
    const answer = await server.send('PATCH', '/api/v1/workspace', { payload })
    assert.equal(answer.statusCode, 400, JSON.stringify(payload))
    assert.equal(answer.json().errors[0].field, field)
  }
})

// Our own API: batches are moved, added to, listed and reported.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addCaller, formWith, type RunningServer, runServer, twoPeople } from './running-server.ts'

const upload = (server: RunningServer, fields: Record<string, string>, text = twoPeople) =>
  server.send('POST', '/api/v1/batches', { payload: formWith({ agentId: '456', ...fields }, text) })
const post = (server: RunningServer, payload: object) =>
  server.send('POST', '/api/v1/batches', { payload: { agentId: 456, ...payload } })

test('every row of the file can be read in the ingest report, and the four counts sum to the rows', async t => {
  const server = await runServer(t)
  await addCaller(server)
  await server.send('POST', '/api/v1/suppressions', { payload: { number: '+12025550103' } })
  const text = 'phone,name\n+12025550101,A\nx,B\n+12025550101,C\n+12025550103,D\n,E\n'
  const batch = (await upload(server, {}, text)).json()
  assert.deepEqual(batch.ingest, { rows: 5, accepted: 1, invalid: 2, duplicate: 1, suppressed: 1 })
  const rows = (await server.send('GET', `/api/v1/batches/${batch.id}/rows`)).json().data
  assert.deepEqual(
    rows.map(({ rowNumber, status, code }: Record<string, unknown>) => [rowNumber, status, code]),
    [
      [2, 'accepted', 'accepted'],
      [3, 'invalid', 'invalid_phone'],
      [4, 'duplicate', 'duplicate'],
      [5, 'suppressed', 'suppressed'],
      [6, 'invalid', 'missing_phone'],
    ],
  )
  assert.equal(rows[1].reason, 'invalid phone number')
  assert.equal(rows[1].value, 'x')
  const page = (await server.send('GET', `/api/v1/batches/${batch.id}/rows?status=invalid&limit=1`)).json()
  assert.equal(page.data[0].rowNumber, 3)
  const next = await server.send(
    'GET',
    `/api/v1/batches/${batch.id}/rows?status=invalid&limit=1&cursor=${page.nextCursor}`,
  )
  assert.deepEqual([next.json().data[0].rowNumber, next.json().nextCursor], [6, null])
})

test('a batch is started, paused, resumed and cancelled, and refuses what its status does not allow', async t => {
  const server = await runServer(t)
  await addCaller(server)
  const { id } = (await upload(server, { startAs: 'draft' })).json()
  const move = async (word: string) => (await server.send('POST', `/api/v1/batches/${id}/${word}`)).json()
  assert.equal((await move('pause')).code, 'wrong_status')
  assert.equal((await move('start')).status, 'running')
  const paused = await move('pause')
  assert.deepEqual([paused.status, paused.statusReason], ['paused', 'user'])
  assert.equal((await move('resume')).status, 'running')
  const cancelled = await move('cancel')
  assert.deepEqual([cancelled.status, cancelled.dropped, cancelled.counts.cancelled], ['cancelled', 2, 2])
  const late = await move('start')
  assert.deepEqual([late.code, late.status, late.currentStatus], ['wrong_status', 409, 'cancelled'])
  const { data } = (await server.send('GET', '/api/v1/events')).json()
  assert.deepEqual(
    data.map(({ type }: { type: string }) => type),
    ['batch.created', 'batch.started', 'batch.paused', 'batch.resumed', 'batch.cancelled'],
  )
})

test('an open batch may begin empty, takes people while it runs, and none once closed', async t => {
  const server = await runServer(t)
  await addCaller(server)
  const { id, status, totalRecipients } = (await post(server, { open: true })).json()
  assert.deepEqual([status, totalRecipients], ['running', 0])
  const url = `/api/v1/batches/${id}/recipients`
  const added = await server.send('POST', url, { payload: formWith({}, twoPeople) })
  assert.equal(added.statusCode, 201, added.body)
  assert.deepEqual(added.json(), {
    batchId: id,
    rows: 2,
    accepted: 2,
    invalid: 0,
    duplicate: 0,
    suppressed: 0,
  })
  const bad = await server.send('POST', url, { payload: { recipients: [{ phone: 'x' }] } })
  assert.equal(bad.json().code, 'no_valid_contacts')
  const people = (await server.send('GET', url)).json().data
  assert.deepEqual(
    people.map(({ position }: { position: number }) => position),
    [1, 2],
  )
  await server.send('POST', `/api/v1/batches/${id}/close`)
  const late = await server.send('POST', url, { payload: { recipients: [{ phone: '+12025550109' }] } })
  assert.equal(late.statusCode, 409)
  assert.equal(late.json().code, 'batch_not_open')
})

test('batches are listed newest first, by status, in pages', async t => {
  const server = await runServer(t)
  await addCaller(server)
  for (const name of ['one', 'two', 'three'])
    await upload(server, { name, startAs: name === 'two' ? 'draft' : 'running' })
  const first = (await server.send('GET', '/api/v1/batches?limit=2')).json()
  const names = (page: { data: { name: string }[] }) => page.data.map(({ name }) => name)
  assert.deepEqual(names(first), ['three', 'two'])
  const second = (await server.send('GET', `/api/v1/batches?limit=2&cursor=${first.nextCursor}`)).json()
  assert.deepEqual([names(second), second.nextCursor], [['one'], null])
  assert.deepEqual(names((await server.send('GET', '/api/v1/batches?status=draft,paused')).json()), ['two'])
  for (const status of ['importing', 'nonsense', ''])
    assert.equal((await server.send('GET', `/api/v1/batches?status=${status}`)).statusCode, 400)
})

test('recipients are filtered by where they stand', async t => {
  const server = await runServer(t)
  await addCaller(server)
  const { id } = (await upload(server, {})).json()
  const count = async (standing: string) =>
    (await server.send('GET', `/api/v1/batches/${id}/recipients?standing=${standing}`)).json().data.length
  assert.deepEqual([await count('queued'), await count('busy,answered')], [2, 0])
  assert.equal((await server.send('GET', `/api/v1/batches/${id}/recipients?standing=asleep`)).statusCode, 400)
})

test('the report tells status, rows, standings, calls, talk time and cost', async t => {
  const server = await runServer(t)
  await addCaller(server)
  const { id } = (await upload(server, {}, `${twoPeople}x,Bad\n`)).json()
  const { counts, callers, ...report } = (await server.send('GET', `/api/v1/batches/${id}/report`)).json()
  assert.deepEqual(report, {
    batchId: id,
    status: 'running',
    statusReason: null,
    totalRecipients: 2,
    ingest: { rows: 3, accepted: 2, invalid: 1, duplicate: 0, suppressed: 0 },
    attempts: 0,
    averageTalkSeconds: 0,
    costCents: 0,
    heldBy: null,
    heldUntil: null,
  })
  assert.deepEqual([counts.queued, callers.length], [2, 1])
})

test('an id that is none is a 404', async t => {
  const server = await runServer(t)
  for (const id of ['0', '-1', 'x', '1e3', '01', '9'.repeat(30), '%00', '1.5', "1'--"]) {
    const answer = await server.send('GET', `/api/v1/batches/${encodeURIComponent(id)}`)
    assert.equal(answer.statusCode, 404, id)
    assert.equal(answer.json().code, 'batch_not_found')
  }
})

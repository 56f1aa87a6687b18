// Keys, erasures, the audit log, retention, backups and the hold, as our own API shows them.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { seedWorkspace } from '../../src/batches/seed-workspace.ts'
import { Refusal } from '../../src/domain/refusal.ts'
import { Backups } from '../../src/housekeeping/backups.ts'
import { addCaller, formWith, type RunningServer, runServer, twoPeople } from './running-server.ts'

async function withBatch(t: TestContext): Promise<RunningServer> {
  const server = await runServer(t)
  await addCaller(server)
  const payload = formWith({ agentId: '456', startAs: 'draft' }, twoPeople)
  const created = await server.send('POST', '/api/v1/batches', { payload })
  assert.equal(created.statusCode, 201, created.body)
  return server
}

test('a key is made, shown once, used, and revoked at once', async t => {
  const server = await runServer(t)
  const made = await server.send('POST', '/api/v1/api-keys', { payload: { name: 'console' } })
  assert.equal(made.statusCode, 201)
  const { id, key, prefix } = made.json()
  assert.ok(key.startsWith(prefix))
  assert.equal((await server.send('GET', '/api/v1/workspace', { key })).statusCode, 200)
  const listed = await server.send('GET', '/api/v1/api-keys')
  assert.deepEqual(
    listed.json().data.map((one: { name: string }) => one.name),
    ['test', 'console'],
  )
  assert.ok(!listed.body.includes(key))
  assert.equal((await server.send('DELETE', `/api/v1/api-keys/${id}`)).statusCode, 204)
  const after = await server.send('GET', '/api/v1/workspace', { key })
  assert.deepEqual([after.statusCode, after.json().code], [401, 'invalid_api_key'])
  const last = (await server.send('GET', '/api/v1/api-keys')).json().data[0].id
  const refused = await server.send('DELETE', `/api/v1/api-keys/${last}`)
  assert.deepEqual([refused.statusCode, refused.json().code], [409, 'last_api_key'])
  for (const unknown of ['99', 'x']) {
    const missing = await server.send('DELETE', `/api/v1/api-keys/${unknown}`)
    assert.deepEqual([missing.statusCode, missing.json().code], [404, 'api_key_not_found'])
  }
})

test('a key of the environment that was revoked stays so at the next start', async t => {
  const { deps, store, workspace } = await runServer(t)
  const setKey = 'key-of-the-environment'
  await seedWorkspace(deps, setKey)
  const key = (await store.listApiKeys(workspace.id)).find(({ name }) => name === 'OUTDIAL_API_KEY')
  await store.revokeApiKey(workspace.id, key!.id, 1)
  await seedWorkspace(deps, setKey)
  const keys = await store.listApiKeys(workspace.id)
  assert.equal(keys.filter(({ revokedAt }) => revokedAt === null).length, 1)
})

test('a person is erased by whatever spelling of their number', async t => {
  const server = await withBatch(t)
  await server.send('PATCH', '/api/v1/workspace', { payload: { defaultRegion: 'US' } })
  const erased = await server.send('POST', '/api/v1/erasures', { payload: { number: '(202) 555-0101' } })
  assert.equal(erased.statusCode, 200, erased.body)
  assert.deepEqual([erased.json().recipients, erased.json().cancelled], [1, 1])
  const people = await server.send('GET', '/api/v1/batches/1/recipients')
  assert.ok(!people.body.includes('+12025550101') && !people.body.includes('John'))
  assert.ok(people.body.includes('+12025550102') && people.body.includes('Jane'))
  const again = await server.send('POST', '/api/v1/erasures', { payload: { number: '+12025550101' } })
  assert.equal(again.json().recipients, 0)
  const bad = await server.send('POST', '/api/v1/erasures', { payload: { number: 'Ada' } })
  assert.deepEqual([bad.statusCode, bad.json().code], [400, 'invalid_phone'])
})

test('the audit log says who did what, once, and never a number', async t => {
  const server = await withBatch(t)
  await server.send('POST', '/api/v1/suppressions', { payload: { number: '+12025550101' } })
  await server.send('DELETE', '/api/v1/suppressions/+12025550101')
  await server.send('POST', '/api/v1/batches/1/start')
  const cancelled = { headers: { 'idempotency-key': 'once' }, payload: { name: 'Bo' } }
  await server.send('POST', '/api/v1/agents', cancelled)
  await server.send('POST', '/api/v1/agents', cancelled)
  await server.send('POST', '/api/v1/batches/99/start')
  await server.send('GET', '/api/v1/batches')
  const { data } = (await server.send('GET', '/api/v1/audit')).json()
  const done = data.map(({ action, subject }: { action: string; subject: string }) => [action, subject])
  assert.deepEqual(done.slice(0, 5), [
    ['POST /api/v1/agents', '2'],
    ['POST /api/v1/batches/:id/start', '1'],
    ['DELETE /api/v1/suppressions/:number', '+120******01'],
    ['POST /api/v1/suppressions', null],
    ['POST /api/v1/batches', '1'],
  ])
  const [newest] = data
  const [key] = await server.store.listApiKeys(server.workspace.id)
  assert.deepEqual([newest.apiKeyId, newest.apiKeyPrefix], [key?.id, key?.prefix])
  const page = (await server.send('GET', '/api/v1/audit?limit=2')).json()
  const next = (await server.send('GET', `/api/v1/audit?limit=2&cursor=${page.nextCursor}`)).json()
  assert.deepEqual([...page.data, ...next.data], data.slice(0, 4))
})

test('of the retention only what is named changes', async t => {
  const server = await runServer(t)
  const patch = (retention: object) => server.send('PATCH', '/api/v1/workspace', { payload: { retention } })
  const answer = await patch({ recordingDays: 7, eventDays: null })
  assert.deepEqual(answer.json().retention, {
    recordingDays: 7,
    transcriptDays: 180,
    eventDays: null,
    batchDays: null,
  })
  for (const wrong of [{ recordingDays: 0 }, { eventDays: 1.5 }, { callDays: 3 }])
    assert.equal((await patch(wrong)).statusCode, 400)
})

test('what concerns the whole server takes a key of its first workspace', async t => {
  const server = await runServer(t)
  const key = await server.otherKey()
  for (const [method, path] of [
    ['GET', '/api/v1/hold'],
    ['POST', '/api/v1/hold/accept'],
    ['POST', '/api/v1/backups'],
    ['GET', '/api/v1/backups/recordings'],
  ] as const) {
    const refused = await server.send(method, path, { key })
    assert.deepEqual([refused.statusCode, refused.json().code], [403, 'not_operator'], path)
  }
})

test('a held store is ready, says so, and is accepted', async t => {
  const server = await runServer(t)
  await server.store.hold('backup', Date.UTC(2030, 0, 1))
  const ready = await server.send('GET', '/readyz')
  assert.deepEqual([ready.statusCode, ready.json().status, ready.json().reason], [200, 'held', 'backup'])
  const hold = (await server.send('GET', '/api/v1/hold')).json()
  assert.deepEqual(hold, {
    held: true,
    reason: 'backup',
    since: '2030-01-01T00:00:00.000Z',
    wouldDial: { batches: 0, people: 0, calling: 0 },
    lastEventAt: null,
  })
  const accepted = await server.send('POST', '/api/v1/hold/accept')
  assert.equal(accepted.json().held, false)
  assert.equal((await server.send('GET', '/readyz')).json().status, 'ready')
})

test('a backup is made one at a time, fetched, and put away', async t => {
  const dir = await mkdtemp(join(tmpdir(), 'outdial-backups-'))
  t.after(() => rm(dir, { recursive: true, force: true }))
  const overrides: Parameters<typeof runServer>[1] = {}
  const server = await runServer(t, overrides)
  const { deps } = server
  deps.backups = new Backups({ ...deps, dir: join(dir, 'backups'), recordingsDir: join(dir, 'recordings') })
  const release = Promise.withResolvers<void>()
  const made = Promise.withResolvers<void>()
  const { backUp } = server.store
  server.store.backUp = async path => {
    await release.promise
    await backUp(path)
    made.resolve()
  }
  const started = await server.send('POST', '/api/v1/backups')
  assert.equal(started.statusCode, 202)
  const { id, status } = started.json()
  assert.equal(status, 'copying')
  const second = await server.send('POST', '/api/v1/backups')
  assert.deepEqual([second.statusCode, second.json().code], [409, 'backup_under_way'])
  const early = await server.send('GET', `/api/v1/backups/${id}/file`)
  assert.deepEqual([early.statusCode, early.json().code], [409, 'backup_not_ready'])
  release.resolve()
  await made.promise
  assert.equal((await server.send('GET', `/api/v1/backups/${id}`)).json().status, 'ready')
  const file = await server.send('GET', `/api/v1/backups/${id}/file`)
  assert.equal(file.rawPayload.subarray(0, 15).toString(), 'SQLite format 3')
  assert.equal((await server.send('DELETE', `/api/v1/backups/${id}`)).statusCode, 204)
  assert.equal((await server.send('GET', `/api/v1/backups/${id}`)).statusCode, 404)
  for (const outside of ['..%2Fbackups', 'missing.wav', '%2Fetc%2Fpasswd']) {
    const refused = await server.send('GET', `/api/v1/backups/recordings/${outside}`)
    assert.deepEqual([refused.statusCode, refused.json().code], [404, 'recording_not_found'], outside)
  }
})

test('an engine with tools of its own says so instead of a backup', async t => {
  const server = await runServer(t)
  const { deps } = server
  deps.backups = new Backups({ ...deps, dir: join(tmpdir(), 'outdial-none'), recordingsDir: tmpdir() })
  server.store.backUp = async () => {
    throw new Refusal('conflict', 'backup_elsewhere', 'Use pg_dump.')
  }
  const { id } = (await server.send('POST', '/api/v1/backups')).json()
  const { status, failure } = (await server.send('GET', `/api/v1/backups/${id}`)).json()
  assert.deepEqual([status, failure], ['failed', 'Use pg_dump.'])
})

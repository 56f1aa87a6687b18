// Nothing of one workspace is ever visible to another.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addCaller, formWith, runServer, twoPeople } from './running-server.ts'

test("another workspace's batch does not exist, whatever is asked of it", async t => {
  const server = await runServer(t)
  await addCaller(server)
  const made = await server.send('POST', '/api/v1/batches', {
    payload: formWith({ agentId: '456' }, twoPeople),
  })
  const path = `/api/v1/batches/${made.json().id}`
  const key = await server.otherKey()
  const reads = ['', '/recipients', '/attempts', '/report', '/rows', '/export']
  const moves = ['start', 'pause', 'resume', 'cancel', 'close']
  for (const read of reads) {
    assert.equal((await server.send('GET', path + read)).statusCode, 200, read)
    const answer = await server.send('GET', path + read, { key })
    assert.equal(answer.statusCode, 404, read)
    assert.equal(answer.json().code, 'batch_not_found')
  }
  for (const move of moves)
    assert.equal((await server.send('POST', `${path}/${move}`, { key })).statusCode, 404, move)
  const added = await server.send('POST', `${path}/recipients`, {
    key,
    payload: { recipients: [{ phone: '+12025550109' }] },
  })
  assert.equal(added.statusCode, 404)
  assert.equal((await server.send('GET', path)).json().status, 'running')
})

test('lists of a workspace show only what is its own', async t => {
  const server = await runServer(t)
  await addCaller(server)
  await server.send('POST', '/api/v1/batches', { payload: formWith({ agentId: '456' }, twoPeople) })
  await server.send('POST', '/api/v1/suppressions', { payload: { number: '+12025550190' } })
  const key = await server.otherKey()
  for (const list of ['agents', 'phone-numbers', 'batches', 'suppressions', 'events']) {
    assert.notDeepEqual((await server.send('GET', `/api/v1/${list}`)).json().data, [], list)
    assert.deepEqual(
      (await server.send('GET', `/api/v1/${list}`, { key })).json(),
      { data: [], nextCursor: null },
      list,
    )
  }
  const trunks = await server.send('GET', '/api/v1/trunks', { key })
  assert.equal(trunks.json().data.length, 1, 'its own simulated trunk')
})

test("another workspace's agent, number, trunk and suppression cannot be used or removed", async t => {
  const server = await runServer(t)
  await addCaller(server)
  await server.send('POST', '/api/v1/suppressions', { payload: { number: '+12025550190' } })
  const key = await server.otherKey()
  const recipients = [{ phone: '+12025550101' }]
  const byAgent = await server.send('POST', '/api/v1/batches', { key, payload: { agentId: 1, recipients } })
  assert.equal(byAgent.json().code, 'agent_not_found')
  const byNumber = await server.send('POST', '/api/v1/batches', {
    key,
    payload: { phoneNumberId: '1', recipients },
  })
  assert.equal(byNumber.json().code, 'phone_number_not_found')
  const phoneNumber = { e164: '+12025550110' }
  const onAgent = await server.send('POST', '/api/v1/phone-numbers', {
    key,
    payload: { ...phoneNumber, agentId: 1 },
  })
  assert.equal(onAgent.statusCode, 404)
  const onTrunk = await server.send('POST', '/api/v1/phone-numbers', {
    key,
    payload: { ...phoneNumber, trunkId: 1 },
  })
  assert.equal(onTrunk.statusCode, 404)
  assert.equal((await server.send('DELETE', '/api/v1/suppressions/+12025550190', { key })).statusCode, 404)
})

test('aliases of two workspaces do not meet', async t => {
  const server = await runServer(t)
  await addCaller(server)
  const key = await server.otherKey()
  const made = await server.send('POST', '/api/v1/agents', {
    key,
    payload: { name: 'Ada', aliases: ['456'] },
  })
  assert.equal(made.statusCode, 201)
  const again = await server.send('POST', '/api/v1/agents', {
    key,
    payload: { name: 'Ada', aliases: ['456'] },
  })
  assert.equal(again.statusCode, 409)
  assert.equal(again.json().code, 'alias_taken')
})

test('a stop of one workspace stops no other', async t => {
  const server = await runServer(t)
  const key = await server.otherKey()
  assert.equal((await server.send('POST', '/api/v1/workspace/stop')).json().stopped, true)
  assert.equal((await server.send('GET', '/api/v1/workspace', { key })).json().stopped, false)
  assert.equal((await server.send('POST', '/api/v1/workspace/go')).json().stopped, false)
})

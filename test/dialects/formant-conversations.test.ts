// Formant: conversations of batches and single calls: which there are, in which order, what they hold.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openCallingHouse } from './calling-house.ts'
import { type House, openHouse, openWorkspace } from './house.ts'

const path = '/formant/v1/conversations'

async function batch(house: House, agentId: string, endings: string[]) {
  const rows = endings.map((ending, index) => `+1202${550 + index}01${ending},Person ${index + 1}`)
  const csv = ['customer_phone,customer_name', ...rows].join('\n')
  const form = { agent_id: agentId, name: 'March', file: [csv, 'contacts.csv'] as [string, string] }
  const { body } = await house.call('POST', '/formant/v1/batch-call', { form })
  return body.data.id as number
}

async function call(house: House, phone: string) {
  const json = { agent_id: 123, parameters: [{ name: 'customer_phone', value: phone }] }
  return (await house.call('POST', '/formant/v1/call', { json })).body.data.conversation_id as number
}

const idsOf = (answer: { body: { data: { conversation_id: number }[] } }) =>
  answer.body.data.map(({ conversation_id }) => conversation_id)

test('conversations are listed newest batch or call first, people in the order of their list', async t => {
  const house = await openHouse(t)
  const first = await batch(house, '456', ['90', '91', '92'])
  const single = await call(house, '+12025550190')
  const second = await batch(house, '123', ['90', '90'])
  const at = (id: number, position: number) => id * 10_000_000 + position
  const everybody = [at(second, 1), at(second, 2), single, ...[1, 2, 3].map(position => at(first, position))]
  assert.deepEqual(idsOf(await house.call('GET', path)), everybody)
  for (let limit = 1; limit <= 7; limit++) {
    const seen: number[] = []
    for (let offset = 0; ; offset += limit) {
      const page = await house.call('GET', `${path}?limit=${limit}&offset=${offset}`)
      assert.deepEqual([page.body.total, page.body.has_more], [6, offset + limit < 6])
      seen.push(...idsOf(page))
      if (!page.body.has_more) break
    }
    assert.deepEqual(seen, everybody, `pages of ${limit}`)
  }
  assert.deepEqual((await house.call('GET', `${path}?offset=50`)).body, {
    data: [],
    has_more: false,
    total: 6,
  })
  assert.deepEqual(idsOf(await house.call('GET', `${path}?agent_id=456`)), everybody.slice(3))
  assert.deepEqual(idsOf(await house.call('GET', `${path}?agent_id=123&offset=2`)), [single])
  assert.equal((await house.call('GET', `${path}?agent_id=999`)).body.total, 0)
  for (const query of ['limit=0', 'limit=101', 'offset=-1', 'agent_id=x'])
    assert.equal((await house.call('GET', `${path}?${query}`)).status, 400, query)
})

test('a person of a batch is one conversation over all calls, as the last one left it', async t => {
  const house = await openCallingHouse(t)
  const id = await batch(house, '456', ['83', '92'])
  const read = async (position: number) =>
    (await house.call('GET', `${path}/${id * 10_000_000 + position}`)).body.data
  await house.pass(60_000)
  const waiting = await read(1)
  assert.deepEqual([waiting.status, waiting.duration_seconds], ['pending_retry', 0])
  assert.match(waiting.failure_reason, /^sip 486/)
  await house.finish()
  const talked = await read(1)
  assert.deepEqual(
    [talked.status, talked.failure_reason, talked.duration_seconds, talked.batch_call_id, talked.metadata],
    ['completed', null, 125.5, id, null],
  )
  assert.deepEqual(talked.call_parameters, { customer_phone: '+12025500183', customer_name: 'Person 1' })
  assert.equal((await read(2)).status, 'busy')
})

test('whoever was not called yet is initiated; a dropped person is cancelled', async t => {
  const house = await openHouse(t)
  const id = await batch(house, '456', ['90', '90'])
  const statuses = async () =>
    (await house.call('GET', path)).body.data.map(({ status }: { status: string }) => status)
  assert.deepEqual(await statuses(), ['initiated', 'initiated'])
  await house.store.suppress(house.workspace.id, ['+12025500190'], 'asked', 0)
  await house.store.cancelBatch(house.workspace.id, id, 0)
  assert.deepEqual(await statuses(), ['cancelled', 'cancelled'])
  const { data } = (await house.call('GET', `${path}/${id * 10_000_000 + 1}`)).body
  assert.equal(data.failure_reason, 'the number is on the suppression list')
})

test('what is not there, or is somebody else’s, is not found, and has no recording', async t => {
  const house = await openHouse(t)
  const id = await call(house, '+12025550190')
  const { key } = await openWorkspace(house.deps)
  const notFound = async (url: string, sending = {}) => {
    const { status, body } = await house.call('GET', url, sending)
    assert.deepEqual([status, body.error.type], [404, 'not_found'], url)
    return body.error.message as string
  }
  for (const wrong of [id + 1, 10_000_000, 7, 0, 'x', '99999999999999999999', '1.5', '%00']) {
    assert.match(await notFound(`${path}/${wrong}`), /^Conversation .* not found$/)
    await notFound(`${path}/${wrong}/recording`)
  }
  await notFound(`${path}/${id}`, { key })
  assert.equal(await notFound(`${path}/${id}/recording`), `Conversation ${id} has no recording`)
  assert.equal((await house.call('GET', path, { key })).body.total, 0)
  assert.equal((await house.call('GET', path, { key: null })).status, 401)
  assert.equal((await house.call('POST', `${path}/${id}`)).status, 405)
})

test('a batch that is deleted takes its conversations with it', async t => {
  const house = await openCallingHouse(t)
  const id = await batch(house, '456', ['90'])
  await house.finish()
  await house.store.deleteBatch(house.workspace.id, id, 0)
  assert.deepEqual((await house.call('GET', path)).body, { data: [], has_more: false, total: 0 })
})

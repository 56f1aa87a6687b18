// One engine behind three dialects: what one has made the others can read, and what holds in all of them alike.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { type House, openHouse, type Sending } from './house.ts'

const one = {
  formant: (id: number) => `/formant/v1/batch-calls/${id}`,
  dialnexa: (id: number) => `/dialnexa/v1/batch-calls/batch_${id}`,
  talkifai: (id: number) => `/talkifai/batch/jobs/batch_${id}`,
}

/** A good create in each dialect. */
const creates: Record<keyof typeof one, { url: string; fields: Record<string, string>; column: string }> = {
  formant: {
    url: '/formant/v1/batch-call',
    fields: { agent_id: '456', name: 'A' },
    column: 'customer_phone',
  },
  dialnexa: {
    url: '/dialnexa/v1/batch-calls',
    fields: { agent_id: 'agt_abc123', name: 'A' },
    column: 'phone_number',
  },
  talkifai: {
    url: '/talkifai/batch/create',
    fields: { fromPhoneNumberId: 'phone_abc123', name: 'A' },
    column: 'phone',
  },
}
const dialects = Object.keys(creates) as (keyof typeof one)[]

function send(house: House, dialect: keyof typeof one, rows: string, more: Sending = {}) {
  const { url, fields, column } = creates[dialect]
  return house.call('POST', url, { form: { ...fields, file: [`${column},name\n${rows}`, 'a.csv'] }, ...more })
}

test('a batch that one dialect has made is read in the others, under ids of their own', async t => {
  const house = await openHouse(t)
  for (const [index, dialect] of dialects.entries()) {
    await send(house, dialect, `+1202555010${index},A\n`)
    const id = index + 1
    const formant = await house.call('GET', one.formant(id))
    const dialnexa = await house.call('GET', one.dialnexa(id))
    const talkifai = await house.call('GET', one.talkifai(id))
    assert.deepEqual(
      [
        formant.body.data.agent_id,
        dialnexa.body.agent_id,
        talkifai.body.agentId,
        talkifai.body.fromPhoneNumberId,
      ],
      [
        dialect === 'formant' ? 456 : house.agent.id,
        dialect === 'dialnexa' ? 'agt_abc123' : `agt_${house.agent.id}`,
        `agt_${house.agent.id}`,
        dialect === 'talkifai' ? 'phone_abc123' : `phone_${house.phoneNumber.id}`,
      ],
    )
    assert.deepEqual(
      [formant.body.data.total_recipients, dialnexa.body.total_leads, talkifai.body.totalContacts],
      [1, 1, 1],
    )
  }
})

for (const dialect of dialects) {
  test(`${dialect}: the same create again within a minute answers with the first batch`, async t => {
    const house = await openHouse(t, { repeatWindowMs: 60_000 })
    const first = await send(house, dialect, '+12025550101,A\n')
    const again = await send(house, dialect, '+12025550101,A\n')
    assert.deepEqual([again.status, again.body], [first.status, first.body])
    const { total } = await house.store.listBatches(house.workspace.id, {}, { offset: 0, limit: 5 })
    assert.equal(total, 1)
  })

  test(`${dialect}: a file with an unclosed quote is refused whole, with the row where it opens`, async t => {
    const house = await openHouse(t)
    const { status, body } = await send(house, dialect, '+12025550101,A\n+12025550102,"B\n+12025550103,C\n')
    assert.equal(status, 400)
    assert.match(body.error?.message ?? body.message ?? body.detail, /quote.*row 3|row 3.*quote/i)
    const { total } = await house.store.listBatches(house.workspace.id, {}, { offset: 0, limit: 5 })
    assert.equal(total, 0)
  })

  test(`${dialect}: a refused create gives its Idempotency-Key back`, async t => {
    const house = await openHouse(t)
    const headers = { 'idempotency-key': 'again' }
    assert.equal((await send(house, dialect, 'hello,A\n', { headers })).status, 400)
    assert.ok((await send(house, dialect, '+12025550101,A\n', { headers })).status < 300)
  })
}

test('spreadsheets are read where the vendor takes them, and named where it does not', async t => {
  const house = await openHouse(t)
  for (const format of ['xlsx', 'xls']) {
    const content = await readFile(new URL(`../fixtures/contacts.${format}`, import.meta.url))
    const upload = (dialect: keyof typeof one) => {
      const { url, fields } = creates[dialect]
      const file: [Uint8Array<ArrayBuffer>, string] = [new Uint8Array(content), `contacts.${format}`]
      return house.call('POST', url, { form: { ...fields, file } })
    }
    const strict = await upload('dialnexa')
    assert.deepEqual(strict.body.errors, [
      { reason: 'invalid phone number', count: 1, rows: [7] },
      { reason: 'phone number is missing', count: 1, rows: [9] },
    ])
    for (const dialect of ['formant', 'talkifai'] as const) {
      const { status, body } = await upload(dialect)
      assert.equal(status, 400)
      assert.match(body.error?.message ?? body.detail, new RegExp(`${format} workbook.*CSV`, 'i'))
    }
  }
})

test('a page far behind the last call is empty', async t => {
  const house = await openHouse(t)
  const { status, body } = await house.call('GET', '/dialnexa/v1/call-logs?page=1000000000&limit=100')
  assert.deepEqual([status, body.data, body.meta.total], [200, [], 0])
  const job = await send(house, 'talkifai', '+12025550101,A\n')
  const query = 'contactsPage=1000000000&contactsPageSize=500'
  const far = await house.call('GET', `/talkifai/batch/jobs/${job.body.batchJobId}?${query}`)
  assert.deepEqual([far.status, far.body.contacts, far.body.contactsHasMore], [200, [], false])
})

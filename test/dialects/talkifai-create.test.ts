// TalkifAI's create: every field, default, range, status and error that the vendor documents.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addPhoneNumber, type House, openHouse, type Sending } from './house.ts'

const create = '/talkifai/batch/create'
const people = 'phone,name,renewalDate\n+12025550101,John Smith,Feb 1\n+12025550102,Jane Doe,Feb 5\n'
const contacts = [
  { phone: '+12025550101', name: 'John Smith', renewalDate: 'Feb 1' },
  { phone: '+12025550102', name: 'Jane Doe', visits: 3, tags: ['a'] },
]

const sendForm = (house: House, fields: Record<string, string> = {}, csv = people) =>
  house.call('POST', create, {
    form: { fromPhoneNumberId: 'phone_abc123', name: 'January', ...fields, file: [csv, 'contacts.csv'] },
  })
const sendJson = (house: House, fields: Record<string, unknown> = {}) =>
  house.call('POST', create, {
    json: { fromPhoneNumberId: 'phone_abc123', name: 'January', contacts, ...fields },
  })
const batchOf = (house: House, { batchJobId }: { batchJobId: string }) =>
  house.store.getBatch(house.workspace.id, Number(batchJobId.slice('batch_'.length)))

test('a form and a JSON body answer alike, all eight fields', async t => {
  const house = await openHouse(t)
  for (const [id, send] of [sendForm, sendJson].entries()) {
    const { status, body } = await send(house)
    assert.equal(status, 200)
    assert.deepEqual(body, {
      success: true,
      batchJobId: `batch_${id + 1}`,
      totalContacts: 2,
      estimatedDuration: '2 minutes',
      estimatedCost: '$0.14',
      status: 'pending',
      scheduledStartTime: null,
      message: 'Batch job created with 2 contacts',
    })
    const batch = await batchOf(house, body)
    assert.deepEqual(
      [batch?.maxConcurrentCalls, batch?.retry.maxAttempts, batch?.description, batch?.timezone],
      [5, 3, null, 'UTC'],
    )
    const { lost: _lost, ...delays } = batch!.retry.delaysMs
    assert.deepEqual(delays, { busy: [300_000, 1_800_000], 'no-answer': [300_000, 1_800_000] })
  }
})

test('a naive start is read in its zone, one with Z or an offset is an instant', async t => {
  const house = await openHouse(t)
  const starts = [
    ['2101-02-28T09:00:00', 'America/New_York', '2101-02-28T14:00:00Z'],
    ['2101-02-28T09:00:00Z', 'America/New_York', '2101-02-28T09:00:00Z'],
    ['2101-02-28T09:00:00+05:30', undefined, '2101-02-28T03:30:00Z'],
    ['2101-02-28T09:00:00', undefined, '2101-02-28T09:00:00Z'],
  ] as const
  for (const [scheduledStartTime, timezone, expected] of starts) {
    const { body } = await sendJson(house, { scheduledStartTime, timezone })
    assert.deepEqual([body.status, body.scheduledStartTime], ['scheduled', expected])
  }
})

test('the estimate is two minutes a round of calls, and a price a call by architecture', async t => {
  const house = await openHouse(t)
  await addPhoneNumber(house.deps, house.workspace.id, {
    e164: '+12025550198',
    agentId: house.otherAgent.id,
    aliases: ['phone_pipeline'],
  })
  const hundred = Array.from({ length: 100 }, (_, index) => ({ phone: `+1202555${1000 + index}` }))
  const pipeline = await sendJson(house, { contacts: hundred, fromPhoneNumberId: 'phone_pipeline' })
  assert.deepEqual([pipeline.body.estimatedDuration, pipeline.body.estimatedCost], ['40 minutes', '$3.50'])
  const realtime = await sendJson(house, { contacts: hundred, concurrentCallLimit: 50 })
  assert.deepEqual([realtime.body.estimatedDuration, realtime.body.estimatedCost], ['4 minutes', '$7.00'])
})

test('a phone number is found by alias or by its printed id', async t => {
  const house = await openHouse(t)
  const printed = `phone_${house.phoneNumber.id}`
  const { body } = await sendJson(house, { fromPhoneNumberId: printed })
  const job = await house.call('GET', `/talkifai/batch/jobs/${body.batchJobId}`)
  assert.equal(job.body.fromPhoneNumberId, printed)
})

test('contact values of JSON stay as they are; name is optional', async t => {
  const house = await openHouse(t)
  const { body } = await sendJson(house, { contacts: [contacts[1], { phone: '+12025550103' }] })
  const job = await house.call('GET', `/talkifai/batch/jobs/${body.batchJobId}`)
  assert.deepEqual(
    job.body.contacts.map((contact: { contactData: unknown }) => contact.contactData),
    [{ name: 'Jane Doe', visits: 3, tags: ['a'] }, {}],
  )
})

test('duplicates are removed, and in a file numbers that are not E.164 are left out', async t => {
  const house = await openHouse(t)
  const csv = 'PHONE,name\n+12025550101,A\n+12025550101,B\n12025550102,C\n+1 202 555 0103,D\n+12025550104,E\n'
  const { body } = await sendForm(house, {}, csv)
  assert.deepEqual([body.totalContacts, body.message], [2, 'Batch job created with 2 contacts'])
  const one = await sendJson(house, { contacts: [contacts[0], contacts[0]] })
  assert.deepEqual([one.body.totalContacts, one.body.message], [1, 'Batch job created with 1 contact'])
})

test('the ends of every range are accepted', async t => {
  const house = await openHouse(t)
  const accepted: Sending['form'][] = [
    { concurrentCallLimit: '1', maxAttempts: '1', name: 'x'.repeat(200) },
    { concurrentCallLimit: '50', maxAttempts: '10', description: 'x'.repeat(1_000) },
    { scheduledStartTime: '', description: '', timezone: '' },
  ]
  for (const fields of accepted)
    assert.equal((await sendForm(house, fields as Record<string, string>)).status, 200)
  const nothing = { description: null, scheduledStartTime: null, timezone: null }
  assert.equal((await sendJson(house, nothing)).status, 200)
})

// TalkifAI: jobs that are really called, their contacts, and what may be done to them; every documented field.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CallingHouse, openCallingHouse } from './calling-house.ts'

const jobs = '/talkifai/batch/jobs'

async function create(
  house: CallingHouse,
  area: number,
  endings: string[],
  fields: Record<string, unknown> = {},
) {
  const contacts = endings.map((ending, index) => ({
    phone: `+1${area}${550 + index}01${ending}`,
    name: `Person ${index + 1}`,
  }))
  const { status, body } = await house.call('POST', '/talkifai/batch/create', {
    json: { fromPhoneNumberId: 'phone_abc123', name: 'January Renewal Campaign', contacts, ...fields },
  })
  assert.equal(status, 200)
  return body
}

const read = async (house: CallingHouse, id: string, query = '') =>
  (await house.call('GET', `${jobs}/${id}${query}`)).body
const withoutContacts = ({
  contacts: _contacts,
  contactsTotal: _total,
  contactsPage: _page,
  contactsPageSize: _size,
  contactsHasMore: _more,
  ...job
}: Record<string, unknown>) => job

const januaryFields = {
  id: 'batch_1',
  name: 'January Renewal Campaign',
  description: 'Follow up',
  organizationId: 'org_1',
  agentId: 'agt_1',
  fromPhoneNumberId: 'phone_abc123',
  totalContacts: 7,
  scheduledStartTime: null,
  actualStartTime: '2026-01-05T10:00:00Z',
  createdAt: '2026-01-05T10:00:00Z',
  concurrentCallLimit: 7,
  retryPolicy: { maxAttempts: 2, retryableStatuses: ['no_answer', 'busy', 'timeout'] },
}
const februaryFields = {
  id: 'batch_2',
  name: 'February',
  description: null,
  organizationId: 'org_1',
  agentId: 'agt_2',
  fromPhoneNumberId: 'phone_2',
  totalContacts: 2,
  scheduledStartTime: '2026-01-05T14:00:00Z',
  createdAt: '2026-01-05T10:00:00Z',
  concurrentCallLimit: 5,
  retryPolicy: { maxAttempts: 3, retryableStatuses: ['no_answer', 'busy', 'timeout'] },
}

test('two jobs that differ show every field with its value, from create to the last call', async t => {
  const house = await openCallingHouse(t)
  const january = { description: 'Follow up', concurrentCallLimit: 7, maxAttempts: 2 }
  await create(house, 202, ['90', '92', '94', '91', '96', '88', '97'], january)
  await create(house, 212, ['90', '93'], {
    name: 'February',
    fromPhoneNumberId: 'phone_2',
    scheduledStartTime: '2026-01-05T09:00:00',
    timezone: 'America/New_York',
  })
  await house.pass(60_000)
  assert.deepEqual(withoutContacts(await read(house, 'batch_1')), {
    ...januaryFields,
    status: 'running',
    contactsProcessed: 3,
    successfulCalls: 0,
    failedCalls: 3,
    statusBreakdown: { dialing: 2, queued: 2, invalid_number: 1, blocked: 1, carrier_error: 1 },
    completedAt: null,
    estimatedCompletionTime: '2026-01-05T10:03:00Z',
  })
  assert.deepEqual(withoutContacts(await read(house, 'batch_2')), {
    ...februaryFields,
    status: 'scheduled',
    contactsProcessed: 0,
    successfulCalls: 0,
    failedCalls: 0,
    statusBreakdown: { pending: 2 },
    actualStartTime: null,
    completedAt: null,
    estimatedCompletionTime: '2026-01-05T14:02:00Z',
  })

  await house.finish()
  const januaryDone = {
    ...januaryFields,
    status: 'completed',
    contactsProcessed: 7,
    successfulCalls: 2,
    failedCalls: 5,
    statusBreakdown: { completed: 2, busy: 1, timeout: 1, invalid_number: 1, blocked: 1, carrier_error: 1 },
    completedAt: '2026-01-05T10:05:40Z',
    estimatedCompletionTime: null,
  }
  const februaryDone = {
    ...februaryFields,
    status: 'completed',
    contactsProcessed: 2,
    successfulCalls: 1,
    failedCalls: 1,
    statusBreakdown: { completed: 1, no_answer: 1 },
    actualStartTime: '2026-01-05T14:00:00Z',
    completedAt: '2026-01-05T14:36:00Z',
    estimatedCompletionTime: null,
  }
  assert.deepEqual(withoutContacts(await read(house, 'batch_1')), januaryDone)
  assert.deepEqual(withoutContacts(await read(house, 'batch_2')), februaryDone)
  const list = await house.call('GET', `${jobs}?organizationId=org_1&status=completed&page=1&pageSize=10`)
  assert.deepEqual(list.body, { batchJobs: [februaryDone, januaryDone], total: 2, page: 1, pageSize: 10 })
})

test('contacts show every field, while a retry is to come and at the end', async t => {
  const house = await openCallingHouse(t)
  await create(house, 202, ['90', '92'], { maxAttempts: 2 })
  await house.pass(60_000)
  const talking = {
    id: 'contact_10000001',
    phoneNumber: '+12025500190',
    contactData: { name: 'Person 1' },
    status: 'dialing',
    errorCode: null,
    attemptCount: 1,
    maxAttempts: 2,
    lastAttemptAt: '2026-01-05T10:00:00Z',
    nextRetryAt: null,
    completedAt: null,
    roomName: null,
    failureReason: null,
    callDuration: null,
  }
  const busy = {
    ...talking,
    id: 'contact_10000002',
    phoneNumber: '+12025510192',
    contactData: { name: 'Person 2' },
    status: 'queued',
    errorCode: '486',
    nextRetryAt: '2026-01-05T10:05:00Z',
    failureReason: 'sip 486 Busy Here q850 17',
  }
  const paging = { contactsTotal: 2, contactsPage: 1, contactsPageSize: 50, contactsHasMore: false }
  const pageOf = ({
    contacts,
    contactsTotal,
    contactsPage,
    contactsPageSize,
    contactsHasMore,
  }: Record<string, unknown>) => ({
    contacts,
    contactsTotal,
    contactsPage,
    contactsPageSize,
    contactsHasMore,
  })
  assert.deepEqual(pageOf(await read(house, 'batch_1')), { contacts: [talking, busy], ...paging })
  await house.finish()
  assert.deepEqual(pageOf(await read(house, 'batch_1')), {
    contacts: [
      { ...talking, status: 'completed', completedAt: '2026-01-05T10:02:15Z', callDuration: 125.5 },
      {
        ...busy,
        status: 'busy',
        attemptCount: 2,
        lastAttemptAt: '2026-01-05T10:05:00Z',
        nextRetryAt: null,
        completedAt: '2026-01-05T10:05:00Z',
      },
    ],
    ...paging,
  })
})

test('contacts are paged and filtered by status', async t => {
  const house = await openCallingHouse(t)
  await create(house, 202, ['90', '96', '90', '91', '88', '90'])
  await house.finish()
  const page = async (query: string) => {
    const { contacts, contactsTotal, contactsHasMore } = await read(house, 'batch_1', query)
    return [
      contacts.map((contact: { id: string }) => contact.id.slice(-1)).join(''),
      contactsTotal,
      contactsHasMore,
    ]
  }
  assert.deepEqual(await page('?contactsPageSize=4'), ['1234', 6, true])
  assert.deepEqual(await page('?contactsPageSize=4&contactsPage=2'), ['56', 6, false])
  assert.deepEqual(await page('?contactStatus=completed&contactsPageSize=3'), ['134', 4, true])
  assert.deepEqual(await page('?contactStatus=completed&contactsPageSize=3&contactsPage=2'), ['6', 4, false])
  assert.deepEqual(await page('?contactStatus=invalid_number'), ['2', 1, false])
  assert.deepEqual(await page('?contactStatus=cancelled'), ['', 0, false])
  for (const query of [
    'contactStatus=waiting',
    'contactsPage=0',
    'contactsPageSize=501',
    'contactsPageSize=0',
  ]) {
    const { status, body } = await house.call('GET', `${jobs}/batch_1?${query}`)
    assert.deepEqual([status, body.code], [400, 'invalid_request'], query)
    assert.match(body.detail, new RegExp(query.split('=', 1)[0]!))
  }
})

test('lists are filtered by status and organization', async t => {
  const house = await openCallingHouse(t)
  await create(house, 202, ['90'])
  await create(house, 212, ['90'], { name: 'Later', scheduledStartTime: '2026-02-01T00:00:00Z' })
  const list = async (query: string) => (await house.call('GET', `${jobs}?${query}`)).body
  const names = async (query: string) =>
    (await list(query)).batchJobs.map((job: { name: string }) => job.name)
  assert.deepEqual(await names('status=running'), ['January Renewal Campaign'])
  assert.deepEqual(await names('status=scheduled'), ['Later'])
  assert.deepEqual(await names('pageSize=1&page=2'), ['January Renewal Campaign'])
  for (const status of ['pending', 'paused', 'completed', 'failed', 'cancelled'])
    assert.deepEqual(await names(`status=${status}`), [])
  for (const query of ['status=importing', 'status=draft', 'page=0', 'pageSize=101', 'pageSize=0'])
    assert.equal((await list(query)).code, 'invalid_request', query)
  for (const id of ['org_2', 'org_x', '1']) {
    const { status, body } = await house.call('GET', `${jobs}?organizationId=${id}`)
    assert.deepEqual([status, body.code], [404, 'organization_not_found'])
  }
})

// TalkifAI: cancel, start, reschedule, pause, resume, delete and export of a job.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CallingHouse, openCallingHouse } from './calling-house.ts'

const job = '/talkifai/batch/jobs/batch_1'
const later = { scheduledStartTime: '2026-01-05T12:00:00Z' }

async function create(house: CallingHouse, endings: string[], fields: Record<string, unknown> = {}) {
  const contacts = endings.map((ending, index) => ({ phone: `+1202${550 + index}01${ending}`, note: '=1+1' }))
  const { status } = await house.call('POST', '/talkifai/batch/create', {
    json: { fromPhoneNumberId: 'phone_abc123', name: 'January', contacts, ...fields },
  })
  assert.equal(status, 200)
}

const statusOf = async (house: CallingHouse) => (await house.call('GET', job)).body.status

test('a job is cancelled: who waits is dropped, calls under way end', async t => {
  const house = await openCallingHouse(t)
  await create(house, ['90', '92', '96'])
  await house.pass(60_000)
  const { status, body } = await house.call('POST', `${job}/cancel`)
  assert.deepEqual(
    [status, body],
    [
      200,
      {
        success: true,
        message: 'Batch job cancelled, 1 contact dropped',
        batchJobId: 'batch_1',
        redisJobCancelled: false,
        contactsCancelled: 1,
      },
    ],
  )
  await house.finish()
  const { body: read } = await house.call('GET', job)
  assert.deepEqual(read.statusBreakdown, { completed: 1, cancelled: 1, invalid_number: 1 })
  const again = await house.call('POST', `${job}/cancel`)
  assert.deepEqual(
    [again.status, again.body],
    [400, { detail: "Cannot cancel job in 'cancelled' status", code: 'wrong_status' }],
  )
})

test('a job that waits for its time is cancelled with its start', async t => {
  const house = await openCallingHouse(t)
  await create(house, ['90', '90'], later)
  const { body } = await house.call('POST', `${job}/cancel`)
  assert.deepEqual([body.redisJobCancelled, body.contactsCancelled], [true, 2])
  await house.finish()
  assert.equal(await statusOf(house), 'cancelled')
})

test('a job that waits for its time can be started now', async t => {
  const house = await openCallingHouse(t)
  await create(house, ['90', '96'], later)
  await house.pass(1_000)
  const { status, body } = await house.call('POST', `${job}/start`)
  assert.deepEqual(
    [status, body],
    [
      200,
      {
        success: true,
        message: 'Batch job started',
        batchJobId: 'batch_1',
        status: 'running',
        contactsEnqueued: 2,
        redisJobCancelled: true,
        startedAt: '2026-01-05T10:00:01Z',
      },
    ],
  )
  await house.finish()
  const { body: read } = await house.call('GET', job)
  assert.deepEqual(
    [read.status, read.actualStartTime, read.completedAt],
    ['completed', '2026-01-05T10:00:01Z', '2026-01-05T10:02:16Z'],
  )
  const again = await house.call('POST', `${job}/start`)
  assert.deepEqual(again.body, { detail: "Cannot start job in 'completed' status", code: 'wrong_status' })
})

test('a job is rescheduled by query or by body', async t => {
  const house = await openCallingHouse(t)
  await create(house, ['90'], later)
  const byQuery = await house.call(
    'PATCH',
    `${job}/reschedule?scheduledStartTime=2026-01-05T09:00:00&timezone=America/New_York`,
  )
  assert.deepEqual(
    [byQuery.status, byQuery.body],
    [
      200,
      {
        success: true,
        message: 'Batch job rescheduled to 2026-01-05T14:00:00Z',
        batchJobId: 'batch_1',
        scheduledStartTime: '2026-01-05T14:00:00Z',
        status: 'scheduled',
        oldJobCancelled: true,
        newScheduledJobId: 'start_1_1767621600',
      },
    ],
  )
  const byBody = await house.call('PATCH', `${job}/reschedule`, {
    json: { scheduledStartTime: '2026-01-05T15:00:00Z' },
  })
  assert.equal(byBody.body.scheduledStartTime, '2026-01-05T15:00:00Z')
  const wrong: [string, number, string, string | RegExp][] = [
    ['', 400, 'invalid_request', /scheduledStartTime/],
    ['?scheduledStartTime=soon', 400, 'invalid_scheduled_time', /scheduledStartTime/],
    [
      '?scheduledStartTime=2026-01-05T09:59:00',
      400,
      'past_scheduled_time',
      'Scheduled time must be in the future',
    ],
    [
      '?scheduledStartTime=2027-01-05T09:00:00&timezone=Invalid/Zone',
      400,
      'invalid_timezone',
      "Invalid timezone 'Invalid/Zone'",
    ],
  ]
  for (const [query, status, code, detail] of wrong) {
    const { status: got, body } = await house.call('PATCH', `${job}/reschedule${query}`)
    assert.deepEqual([got, body.code], [status, code])
    if (typeof detail === 'string') assert.equal(body.detail, detail)
    else assert.match(body.detail, detail)
  }
  await house.finish()
  const { body } = await house.call('GET', job)
  assert.deepEqual([body.status, body.actualStartTime], ['completed', '2026-01-05T15:00:00Z'])
  const late = await house.call('PATCH', `${job}/reschedule?scheduledStartTime=2027-01-05T09:00:00`)
  assert.equal(late.body.detail, "Cannot reschedule job in 'completed' status")
})

test('a job is paused and resumed', async t => {
  const house = await openCallingHouse(t)
  await create(house, ['83'])
  await house.pass(1_000)
  const paused = await house.call('POST', '/talkifai/batch/batch_1/pause')
  assert.deepEqual(paused.body, {
    success: true,
    message: 'Batch job paused',
    batchJobId: 'batch_1',
    status: 'paused',
  })
  await house.pass(3_600_000)
  assert.equal(await statusOf(house), 'paused')
  const resumed = await house.call('POST', '/talkifai/batch/batch_1/resume')
  assert.deepEqual(resumed.body, {
    success: true,
    message: 'Batch job resumed',
    batchJobId: 'batch_1',
    status: 'running',
  })
  await house.finish()
  assert.equal(await statusOf(house), 'completed')
  const late = await house.call('POST', '/talkifai/batch/batch_1/pause')
  assert.deepEqual([late.status, late.body.detail], [400, "Cannot pause job in 'completed' status"])
})

test('only a job that is over can be deleted, and then it is gone', async t => {
  const house = await openCallingHouse(t)
  await create(house, ['90'])
  const early = await house.call('DELETE', '/talkifai/batch/batch_1')
  assert.deepEqual([early.status, early.body.detail], [400, "Cannot delete job in 'running' status"])
  await house.finish()
  const { status, body } = await house.call('DELETE', '/talkifai/batch/batch_1')
  assert.deepEqual(
    [status, body],
    [200, { success: true, message: 'Batch job deleted', batchJobId: 'batch_1' }],
  )
  assert.equal((await house.call('GET', job)).status, 404)
  const again = await house.call('DELETE', '/talkifai/batch/batch_1')
  assert.deepEqual(
    [again.status, again.body],
    [404, { detail: 'Batch job batch_1 not found', code: 'batch_not_found' }],
  )
})

test('every action on a job that is not there is 404', async t => {
  const house = await openCallingHouse(t)
  const actions = [
    ['POST', 'jobs/batch_7/cancel'],
    ['POST', 'jobs/batch_xyz789/start'],
    ['PATCH', 'jobs/batch_7/reschedule?scheduledStartTime=2027-01-01T00:00:00'],
    ['POST', 'batch_7/pause'],
    ['POST', '7/resume'],
    ['DELETE', 'batch_7'],
    ['POST', 'jobs/batch_7/export'],
  ] as const
  for (const [method, path] of actions) {
    const { status, body } = await house.call(method, `/talkifai/batch/${path}`)
    assert.deepEqual([status, body.code], [404, 'batch_not_found'], path)
  }
})

test('an export is CSV: all, the successful or the failed, safe in a spreadsheet', async t => {
  const house = await openCallingHouse(t)
  await create(house, ['90', '96', '91'])
  await house.finish()
  const lines = async (json?: unknown) => {
    const { status, body, headers } = await house.call(
      'POST',
      `${job}/export`,
      json === undefined ? {} : { json },
    )
    assert.equal(status, 200)
    assert.equal(headers['content-type'], 'text/csv; charset=utf-8')
    assert.equal(headers['content-disposition'], 'attachment; filename="batch_1.csv"')
    return String(body).trimEnd().split('\r\n').slice(1)
  }
  const all = await lines({ format: 'csv', filter: 'all' })
  assert.equal(all.length, 3)
  assert.match(all[0]!, /\+12025500190,/)
  assert.match(all[0]!, /'=1\+1$/)
  assert.deepEqual(await lines(), all)
  assert.deepEqual(await lines({ filter: 'successful' }), [all[0], all[2]])
  assert.deepEqual(await lines({ filter: 'failed' }), [all[1]])
  for (const json of [{ format: 'xlsx' }, { filter: 'some' }, { filter: 1 }]) {
    const { status, body } = await house.call('POST', `${job}/export`, { json })
    assert.deepEqual([status, body.code], [400, 'invalid_request'])
  }
})

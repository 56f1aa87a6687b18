// When we may ring: calling windows in the recipient's zone, and starts that are set for later.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '../../src/runtime/virtual-clock.ts'
import type { Store } from '../../src/store/store.ts'
import { interpose } from './interposed-store.ts'
import { openSwitchboard, people, startAt } from './switchboard.ts'

const minute = 60_000
const hour = 60 * minute
const weekdays = [1, 2, 3, 4, 5]
const everyDay = [...weekdays, 6, 7]
const dayTime = [{ days: everyDay, from: '09:00', to: '17:00' }]

const dials = (board: { carrier: { calls: { dialledAt: number }[] } }) =>
  board.carrier.calls.map(({ dialledAt }) => new Date(dialledAt).toISOString())

test('thousands of people in a closed window cost nothing until it opens, to the millisecond', async t => {
  let claims = 0
  const counting = (store: Store) =>
    interpose(store, (method, proceed) => {
      if (method === 'claim') claims++
      return proceed()
    })
  const board = await openSwitchboard(t, { wrapStore: counting, maxConcurrentCalls: 10 })
  const line = await board.addLine()
  // 10:00 UTC is two in the morning in Los Angeles.
  const list = { people: people(5_000), line, zone: 'America/Los_Angeles', window: dayTime }
  await board.addBatch('closed', list)
  board.dial({ sweepEveryMs: null })
  await board.pass(7 * hour - 1)
  assert.equal(board.carrier.calls.length, 0)
  assert.ok(claims <= 2, `${claims} claims while nobody could be called`)
  await board.pass(1)
  assert.deepEqual(dials(board), Array(10).fill('2026-01-05T17:00:00.000Z'))
})

test('an opening is not missed when a sweep is all that happens before it', async t => {
  const board = await openSwitchboard(t)
  const line = await board.addLine()
  const window = [{ days: everyDay, from: '10:05', to: '11:00' }]
  await board.addBatch('soon', { people: people(3), line, window })
  board.dial()
  await board.finish()
  assert.deepEqual(new Set(dials(board)), new Set(['2026-01-05T10:05:00.000Z']))
})

const dstDays: [what: string, from: string, nowUtc: string, opensUtc: string][] = [
  ['the day on which clocks go forward', '09:00', '2026-03-08T12:55', '2026-03-08T13:00:00.000Z'],
  ['a window that begins in the missing hour', '02:30', '2026-03-08T06:40', '2026-03-08T07:00:00.000Z'],
  ['the day on which clocks go back', '09:00', '2026-11-01T13:55', '2026-11-01T14:00:00.000Z'],
  ['the hour that comes twice', '01:30', '2026-11-01T05:25', '2026-11-01T05:30:00.000Z'],
]
for (const [what, from, now, opens] of dstDays)
  test(`a window in New York opens on time: ${what}`, async t => {
    const clock = new VirtualClock(Date.parse(`${now}:00Z`))
    const board = await openSwitchboard(t, { clock })
    const line = await board.addLine()
    const window = [{ days: everyDay, from, to: '17:00' }]
    await board.addBatch('east', { people: people(4), line, zone: 'America/New_York', window })
    board.dial()
    await board.finish()
    assert.deepEqual(new Set(dials(board)), new Set([opens]))
  })

test('each person is rung in the hours of their own zone, within one batch', async t => {
  const board = await openSwitchboard(t, { clock: new VirtualClock(Date.UTC(2026, 0, 5, 13, 50)) })
  const line = await board.addLine()
  const zones = ['America/New_York', 'America/Chicago', 'America/Chicago|America/Denver', 'Nowhere/Land']
  const zoneOf = (index: number) => zones[index % zones.length]!
  await board.addBatch('zones', { people: people(12), line, window: dayTime, zoneOf })
  board.dial({ sweepEveryMs: null })
  await board.pass(3 * hour)
  const firstDial = (zone: string) => {
    const call = board.carrier.calls.find(seen => seen.zone === zone)
    return call === undefined ? null : new Date(call.dialledAt).toISOString()
  }
  assert.deepEqual(zones.map(firstDial), [
    '2026-01-05T14:00:00.000Z',
    '2026-01-05T15:00:00.000Z',
    '2026-01-05T16:00:00.000Z',
    null,
  ])
})

test('a window that closes during a list goes on where it stopped on the next open day', async t => {
  const friday = new VirtualClock(Date.UTC(2026, 0, 9, 16, 58))
  const board = await openSwitchboard(t, { clock: friday, maxConcurrentCalls: 2 })
  const line = await board.addLine()
  const window = [{ days: weekdays, from: '09:00', to: '17:00' }]
  await board.addBatch('list', { people: people(40), line, window })
  board.dial({ sweepEveryMs: null })
  await board.finish()
  const late = board.carrier.calls.filter(({ dialledAt }) => dialledAt > friday.now() - 3 * hour)
  assert.equal(new Date(late[0]!.dialledAt).toISOString(), '2026-01-12T09:00:00.000Z')
  assert.equal(board.carrier.calls.length, 40)
})

test('a retry that falls due out of hours waits for the opening', async t => {
  const board = await openSwitchboard(t, { clock: new VirtualClock(Date.UTC(2026, 0, 5, 16, 50)) })
  const line = await board.addLine()
  const retry = { maxAttempts: 2, delaysMs: { busy: [30 * minute] } }
  await board.addBatch('busy', { people: people(3, 83), line, window: dayTime, retry })
  board.dial({ sweepEveryMs: null })
  await board.finish()
  assert.deepEqual(dials(board).slice(3), Array(3).fill('2026-01-06T09:00:00.000Z'))
})

test('a call whose slot comes after closing time is not placed', async t => {
  const board = await openSwitchboard(t, { clock: new VirtualClock(Date.UTC(2026, 0, 5, 16, 59, 58, 900)) })
  const line = await board.addLine({ callsPerSecond: 10 })
  await board.addBatch('late', { people: people(30), line, window: dayTime })
  board.dial({ sweepEveryMs: null })
  await board.finish()
  const before = dials(board).filter(at => at < '2026-01-05T17')
  assert.deepEqual([before.length, before.at(-1)], [11, '2026-01-05T16:59:59.900Z'])
  assert.equal(dials(board)[11], '2026-01-06T09:00:00.000Z')
})

test('a SIP trunk without a window rings from 8:00 to 21:00 of the person called', async t => {
  const board = await openSwitchboard(t, { clock: new VirtualClock(Date.UTC(2026, 0, 5, 12, 58)) })
  const line = await board.addLine({ kind: 'sip' })
  await board.addBatch('sip', { people: people(3), line, zone: 'America/New_York' })
  board.dial()
  await board.finish()
  assert.deepEqual(new Set(dials(board)), new Set(['2026-01-05T13:00:00.000Z']))
})

test('a scheduled batch starts at its instant, not before', async t => {
  const board = await openSwitchboard(t)
  const line = await board.addLine()
  const scheduledAt = startAt + 11 * minute + 1_234
  await board.addBatch('later', { people: people(3), line, scheduledAt })
  board.dial()
  assert.equal((await board.batch('later')).status, 'scheduled')
  await board.finish()
  assert.deepEqual(
    board.carrier.calls.map(({ dialledAt }) => dialledAt),
    Array(3).fill(scheduledAt),
  )
  assert.equal((await board.batch('later')).startedAt, scheduledAt)
})

test('a start that is set for another time is kept at the new one; one by hand is at once', async t => {
  const board = await openSwitchboard(t)
  const line = await board.addLine()
  const { workspaceId, store } = board
  const moved = await board.addBatch('moved', { people: people(2), line, scheduledAt: startAt + minute })
  const others = people(2, 90, 10)
  const byHand = await board.addBatch('by hand', { people: others, line, scheduledAt: startAt + hour })
  board.dial()
  await board.pass(30_000)
  await store.rescheduleBatch(workspaceId, moved, startAt + 5 * minute, 'UTC', board.clock.now())
  await store.startBatch(workspaceId, byHand, board.clock.now())
  await board.finish()
  const [first] = board.carrier.of({ batch: 'moved' })
  assert.equal(first!.dialledAt, startAt + 5 * minute)
  assert.equal(board.carrier.of({ batch: 'by hand' })[0]!.dialledAt, startAt + 30_000)
})

// A node that dies at any instant, and the next one: never twice, never lost.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { SimulatedCarrier } from '../../src/carrier/simulated/simulated-carrier.ts'
import type { DeathBed } from './mortal-node.ts'
import { assertCounts, minSpacing } from './promises.ts'
import { ScriptedCarrier } from './scripted-carrier.ts'
import { type Closer, openSwitchboard, people, type SwitchboardOptions, startAt } from './switchboard.ts'

const second = 1_000
const retry = { maxAttempts: 3, delaysMs: { lost: [60 * second] } }

/** A batch of which one node called until it died, so long after its start (or on its death bed). */
async function diedMidway(t: Closer, deathBed: DeathBed | number, options: SwitchboardOptions = {}) {
  const board = await openSwitchboard(t, { maxConcurrentCalls: 5, ...options })
  const line = await board.addLine()
  await board.addBatch('list', { people: people(20), line, retry })
  const { node } = board.dialMortal(typeof deathBed === 'number' ? null : deathBed)
  if (typeof deathBed === 'number') await board.pass(deathBed)
  else await board.until(() => !node.alive)
  node.kill()
  return board
}

const deaths: [
  when: string,
  deathBed: DeathBed | number,
  standings: Record<string, number>,
  dials: number,
][] = [
  ['with claims on disk', { method: 'claim', when: 'after', nth: 1 }, { answered: 20 }, 20],
  ['before calls were placed', { method: 'placeCalls', when: 'before', nth: 1 }, { answered: 20 }, 20],
  ['placed on disk, never dialled', { method: 'placeCalls', when: 'after', nth: 1 }, { answered: 20 }, 20],
  ['while calls were set up', 5, { answered: 20 }, 25],
  ['while telephones rang', 500, { answered: 20 }, 25],
  ['before the answers were on disk', { method: 'recordProgress', when: 'before', nth: 6 }, lost(5), 20],
  ['while people talked', 5 * second, lost(5), 20],
  ['before the first end was on disk', { method: 'endAttempts', when: 'before', nth: 1 }, lost(5), 20],
  ['right after the first end was on disk', { method: 'endAttempts', when: 'after', nth: 1 }, lost(4), 20],
]
function lost(count: number): Record<string, number> {
  return { answered: 20 - count, lost: count }
}
for (const [when, deathBed, standings, dials] of deaths)
  test(`a node that dies ${when}: nobody is lost, nobody who had answered is rung again`, async t => {
    const board = await diedMidway(t, deathBed)
    await board.pass(100)
    board.dial()
    await board.finish()
    assert.deepEqual(await board.standings('list'), standings)
    assert.equal(board.carrier.calls.length, dials)
  })

test('people whose call was lost while it rang are rung again after the delay; the lost call counts as an attempt', async t => {
  const board = await diedMidway(t, 500)
  board.dial()
  await board.finish()
  const lostCalls = board.carrier.calls.slice(0, 5)
  for (const { to, endedAt } of lostCalls) {
    const [, again] = board.carrier.of({ to })
    assert.equal(endedAt, startAt + 500)
    assert.deepEqual([again!.dialledAt, again!.ordinal], [startAt + 60_500, 2])
  }
  assert.equal((await board.batch('list')).progress.attempts, 25)
})

test('what was never placed goes back unspent', async t => {
  const board = await diedMidway(t, { method: 'placeCalls', when: 'after', nth: 1 })
  assert.equal((await board.batch('list')).progress.attempts, 5)
  board.dial()
  await board.finish()
  assert.equal((await board.batch('list')).progress.attempts, 20)
  assert.deepEqual(new Set(board.carrier.calls.map(({ ordinal }) => ordinal)), new Set([1]))
})

test('the next node keeps to the limits although the carrier still holds calls of the last', async t => {
  for (const diedAt of [5, 500, 5_000]) {
    const board = await diedMidway(t, diedAt)
    board.dial()
    await board.finish()
    assert.equal(board.carrier.maxOpen.get('all'), 5)
  }
})

test('the spacing of calls holds across a death', async t => {
  const board = await openSwitchboard(t)
  const line = await board.addLine({ callsPerSecond: 2 })
  await board.addBatch('list', { people: people(40), line, retry })
  for (let life = 0; life < 8; life++) {
    const { node } = board.dialMortal()
    await board.pass(1_130)
    node.kill()
  }
  board.dial()
  await board.finish()
  assert.ok(minSpacing(board.carrier.calls) >= 500)
})

test('nothing is dialled before the carrier, out of reach at first, has said what it knows', async t => {
  let reachableAt = 0
  let carrier!: ScriptedCarrier
  const board = await diedMidway(t, 1_500, {
    carrier: clock => {
      carrier = new ScriptedCarrier(clock, line => line.talk(8_000))
      carrier.onRescue = () => {
        if (clock.now() < reachableAt) throw new Error('connection refused')
        return 'answered'
      }
      return carrier
    },
  })
  board.limits.delete('all')
  reachableAt = board.clock.now() + 20 * second
  const dispatcher = board.dial()
  let rescuedAt = 0
  void dispatcher.rescued.then(() => {
    rescuedAt = board.clock.now()
  })
  await board.pass(19 * second)
  assert.deepEqual([board.carrier.calls.length, rescuedAt], [5, 0])
  await board.finish()
  assert.equal(rescuedAt, reachableAt)
  assert.ok(carrier.rescues > 5)
  assert.deepEqual(await board.standings('list'), { answered: 15, lost: 5 })
})

test('a carrier that stays out of reach is given up after a minute, and its calls count as unanswered', async t => {
  const board = await diedMidway(t, 500, {
    carrier: clock => {
      const carrier = new ScriptedCarrier(clock, line => {
        if (clock.now() > startAt) line.talk(1_000)
        else line.after(20_000, () => line.end(487))
      })
      carrier.onRescue = () => {
        throw new Error('connection refused')
      }
      return carrier
    },
  })
  board.limits.delete('all')
  const dispatcher = board.dial()
  await board.pass(59 * second)
  assert.equal(board.carrier.calls.length, 5)
  await board.finish()
  await dispatcher.rescued
  assert.deepEqual(await board.standings('list'), { answered: 20 })
  assert.equal(board.carrier.calls[5]!.dialledAt, startAt + 500 + 60 * second)
})

test('a node that dies while it settles the calls of the last one leaves them to the next', async t => {
  const board = await diedMidway(t, 5 * second)
  for (const when of ['before', 'after'] as const) {
    const { node } = board.dialMortal({ method: 'endAttempts', when, nth: 1 })
    await board.pass(second)
    assert.equal(node.alive, false)
  }
  board.dial()
  await board.finish()
  assert.deepEqual(await board.standings('list'), { answered: 15, lost: 5 })
})

for (const [move, left] of [
  ['paused', 'waiting'],
  ['cancelled', 'lost'],
] as const)
  test(`calls of a batch that was ${move} before the node died are settled and not dialled again`, async t => {
    const board = await diedMidway(t, 500)
    const { id } = board.batches.get('list')!
    const now = board.clock.now()
    if (move === 'paused') await board.store.pauseBatch(board.workspaceId, id, 'user', now)
    else await board.store.cancelBatch(board.workspaceId, id, now)
    board.dial()
    await board.pass(300 * second)
    assert.equal(board.carrier.calls.length, 5)
    assert.equal((await board.standings('list'))[left], 5)
    assert.equal(await board.store.countOpenAttempts(), 0)
  })

test('a batch is finished however often its node dies, and the carrier saw each call once', async t => {
  const board = await openSwitchboard(t, { maxConcurrentCalls: 20 })
  const line = await board.addLine({ settings: { answerRate: 0.5 } })
  const patient = { maxAttempts: 9, delaysMs: { lost: [second], busy: [second], 'no-answer': [second] } }
  await board.addBatch('list', { people: people(300, 11), line, retry: patient })
  for (let life = 0; life < 25; life++) {
    const { node } = board.dialMortal()
    await board.pass(1_700 + 487 * life)
    node.kill()
    await assertCounts(board, 'list')
  }
  board.dial()
  await board.finish()
  const { status, progress } = await board.batch('list')
  assert.equal(status, 'completed')
  // An end that was never written down has its call at the carrier all the same.
  assert.equal(progress.attempts, board.carrier.calls.length)
})

test('a store file that is opened anew after a death has all that was promised', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'outdial-rescue-'))
  t.after(() => rm(folder, { recursive: true }))
  const path = join(folder, 'outdial.db')
  const board = await diedMidway(t, 13 * second, { path })
  await board.reopen(path)
  board.dial()
  await board.finish()
  assert.deepEqual(await board.standings('list'), { answered: 15, lost: 5 })
})

test('a carrier in our own process that forgot its calls with us proves nothing: they are lost, not unspent', async t => {
  const board = await diedMidway(
    t,
    { method: 'placeCalls', when: 'after', nth: 1 },
    { carrier: clock => new SimulatedCarrier({ clock, seed: 7 }) },
  )
  board.dial()
  await board.finish()
  assert.deepEqual(await board.standings('list'), { answered: 20 })
  assert.equal((await board.batch('list')).progress.attempts, 25)
})

// Who is rung again, when, and how often.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Disposition } from '../../src/domain/outcome.ts'
import { openSwitchboard, people, startAt } from './switchboard.ts'

const minute = 60_000

test('a busy recipient is rung again after the busy delays, at most maxAttempts times', async t => {
  const board = await openSwitchboard(t)
  const line = await board.addLine()
  const retry = { maxAttempts: 4, delaysMs: { busy: [minute, 5 * minute], 'no-answer': [1_000] } }
  await board.addBatch('busy', { people: people(1, 92), line, retry })
  board.dial()
  await board.finish()
  const at = board.carrier.calls.map(call => call.dialledAt - startAt)
  // A busy call lasts 10 ms; the last delay repeats.
  assert.deepEqual(at, [0, minute + 10, 6 * minute + 20, 11 * minute + 30])
  assert.deepEqual(
    board.carrier.calls.map(call => call.ordinal),
    [1, 2, 3, 4],
  )
  assert.deepEqual(await board.standings('busy'), { busy: 1 })
  assert.equal((await board.batch('busy')).progress.attempts, 4)
})

const delayOf: [ending: number, what: string, disposition: Disposition, standing: string, delayMs: number][] =
  [
    [92, 'busy (486)', 'busy', 'busy', 10 * minute],
    [93, 'nobody answered (480)', 'no-answer', 'no-answer', 20 * minute],
    [94, 'it timed out (408)', 'no-answer', 'timeout', 25 * minute],
    [97, 'the carrier failed (503)', 'carrier-failure', 'carrier-failure', 30 * minute],
    [99, 'the agent failed', 'agent-failure', 'agent-failure', 40 * minute],
    [95, 'it was declined (603)', 'declined', 'declined', 50 * minute],
    [87, 'the caller ID is flagged (608)', 'blocked', 'blocked', 60 * minute],
  ]
for (const [ending, what, disposition, standing, delayMs] of delayOf)
  test(`where ${what} the second call comes exactly the delay of ${disposition} after the end of the first`, async t => {
    const board = await openSwitchboard(t)
    const line = await board.addLine()
    const retry = { maxAttempts: 2, delaysMs: { [disposition]: [delayMs] } }
    await board.addBatch('one', { people: people(1, ending), line, retry })
    board.dial()
    await board.finish()
    const [first, second, ...more] = board.carrier.calls
    assert.equal(second!.dialledAt - first!.endedAt!, delayMs)
    assert.deepEqual(more, [])
    assert.deepEqual(await board.standings('one'), { [standing]: 1 })
  })

test('who answered, person or machine, does not exist or wants no calls is never rung again', async t => {
  const board = await openSwitchboard(t)
  const line = await board.addLine()
  const delaysMs = { answered: [1], voicemail: [1], unreachable: [1], blocked: [1] }
  const numbers = [90, 91, 96, 88].flatMap((ending, index) => people(5, ending, index * 5))
  await board.addBatch('final', { people: numbers, line, retry: { maxAttempts: 5, delaysMs } })
  board.dial()
  await board.finish()
  assert.equal(board.carrier.calls.length, numbers.length)
  assert.deepEqual(await board.standings('final'), { answered: 5, voicemail: 5, unreachable: 5, blocked: 5 })
  const suppressed = await board.store.listSuppressions(board.workspaceId, { limit: 10 })
  assert.deepEqual(
    suppressed.map(({ number }) => number),
    people(5, 88, 15),
  )
})

test('a declined call is tried at most once more, whatever the policy says', async t => {
  const board = await openSwitchboard(t)
  const line = await board.addLine()
  const retry = { maxAttempts: 9, delaysMs: { declined: [minute] } }
  await board.addBatch('declined', { people: people(3, 95), line, retry })
  board.dial()
  await board.finish()
  for (const to of people(3, 95)) assert.equal(board.carrier.of({ to }).length, 2)
})

test('an outcome for which the policy has no delay is final', async t => {
  const board = await openSwitchboard(t)
  const line = await board.addLine()
  const retry = { maxAttempts: 5, delaysMs: { busy: [minute] } }
  await board.addBatch('mixed', { people: [...people(2, 92), ...people(2, 97, 2)], line, retry })
  board.dial()
  await board.finish()
  assert.equal(board.carrier.of({ to: people(1, 97, 2)[0]! }).length, 1)
  assert.equal(board.carrier.of({ to: people(1, 92)[0]! }).length, 5)
})

test('who is busy at first and answers the second call is finished as answered', async t => {
  const board = await openSwitchboard(t)
  const line = await board.addLine()
  const retry = { maxAttempts: 3, delaysMs: { busy: [minute] } }
  await board.addBatch('second', { people: people(7, 83), line, retry })
  board.dial()
  await board.finish()
  assert.deepEqual(await board.standings('second'), { answered: 7 })
  assert.equal((await board.batch('second')).progress.attempts, 14)
})

test('retries that fall due do not wait for the end of a long list', async t => {
  const board = await openSwitchboard(t, { maxConcurrentCalls: 5 })
  const line = await board.addLine()
  const retry = { maxAttempts: 2, delaysMs: { busy: [minute] } }
  await board.addBatch('long', { people: [...people(1, 92), ...people(300, 90, 1)], line, retry })
  board.dial()
  await board.until(() => board.carrier.of({ to: people(1, 92)[0]! }).length === 2)
  const waited = board.clock.now() - startAt - minute
  assert.ok(waited <= 10_100, `the retry waited ${waited} ms for a place`)
  await board.finish()
})

// A small list never waits behind a large one.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callMs, openSwitchboard, people, startAt } from './switchboard.ts'

const concurrency = 20

test('ten people beside five thousand are finished within a few calls of what they take alone', async t => {
  const alone = await openSwitchboard(t, { maxConcurrentCalls: concurrency })
  await alone.addBatch('small', { people: people(10), line: await alone.addLine() })
  alone.dial()
  await alone.finish()
  const takesAlone = alone.clock.now() - startAt

  const board = await openSwitchboard(t, { maxConcurrentCalls: concurrency })
  const line = await board.addLine()
  await board.addBatch('large', { people: people(5_000, 90, 100), line })
  board.dial()
  // The large one holds every place when the small one comes.
  await board.pass(65_000)
  assert.equal(board.carrier.open('batch:large'), concurrency)
  const cameAt = board.clock.now()
  const small = await board.addBatch('small', { people: people(10), line })
  await board.until(() => board.carrier.of({ batch: 'small' }).filter(({ endedAt }) => endedAt).length === 10)
  const took = board.clock.now() - cameAt
  assert.ok(took <= takesAlone + 2 * callMs, `${took} ms beside ${takesAlone} ms alone`)
  assert.equal((await board.store.getBatch(board.workspaceId, small))?.status, 'completed')
})

test('three lists share the places evenly, and what one does not need goes to the others', async t => {
  const board = await openSwitchboard(t, { maxConcurrentCalls: 30 })
  const line = await board.addLine()
  await board.addBatch('a', { people: people(400), line })
  await board.addBatch('b', { people: people(400, 90, 1_000), line, maxConcurrentCalls: 4 })
  await board.addBatch('c', { people: people(400, 90, 2_000), line })
  board.dial()
  await board.pass(5 * callMs)
  const open = ['a', 'b', 'c'].map(name => board.carrier.open(`batch:${name}`))
  assert.deepEqual(open, [13, 4, 13])
  await board.finish()
})

test('forty small lists all begin at once when there is a place for each', async t => {
  const board = await openSwitchboard(t, { maxConcurrentCalls: 40 })
  const line = await board.addLine()
  for (let index = 0; index < 40; index++)
    await board.addBatch(`list ${index}`, { people: people(10, 90, index * 10), line })
  board.dial()
  await board.pass(0)
  for (let index = 0; index < 40; index++) assert.equal(board.carrier.open(`batch:list ${index}`), 1)
  await board.finish()
})

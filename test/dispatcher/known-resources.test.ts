// Trunks and agents as a dial sees them: read once, and anew after a change.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openSwitchboard, people, startAt } from './switchboard.ts'

test('a change of two trunks reaches the carrier with the next call on each, in whatever order they are dialled', async t => {
  const board = await openSwitchboard(t)
  const lines = [await board.addLine(), await board.addLine()]
  for (const [index, line] of lines.entries()) {
    await board.addBatch(`before ${index}`, { people: people(1, 90, index), line })
    const scheduledAt = startAt + 60_000 * (index + 1)
    await board.addBatch(`after ${index}`, { people: people(1, 90, 10 + index), line, scheduledAt })
  }
  board.dial()
  await board.pass(30_000)
  for (const { trunkId } of lines) await board.store.setTrunkSlowed(trunkId, 7, board.clock.now())
  await board.finish()
  const rates = board.carrier.calls.map(({ trunk }) => trunk.slowedCallsPerSecond)
  assert.deepEqual(rates, [null, null, 7, 7])
})

// Where a recipient stands, and what that means for the batch.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { finishedBatchStatuses, lawfulActions } from '../../src/domain/batch.ts'
import { dispositions } from '../../src/domain/outcome.ts'
import { finalStanding, liveStandings, standings, statusOf } from '../../src/domain/recipient.ts'

test('every disposition is a standing of its own, and a 408 stands apart from other calls without answer', () => {
  for (const disposition of dispositions)
    assert.equal(finalStanding({ disposition, sipStatus: 480 }), disposition)
  assert.equal(finalStanding({ disposition: 'no-answer', sipStatus: 408 }), 'timeout')
  assert.equal(finalStanding({ disposition: 'carrier-failure', sipStatus: 408 }), 'carrier-failure')
})

test('a standing is live, finished, cancelled or suppressed', () => {
  const statuses = new Set(standings.map(statusOf))
  assert.deepEqual([...statuses], ['queued', 'calling', 'waiting', 'finished', 'cancelled', 'suppressed'])
  for (const standing of liveStandings) assert.equal(statusOf(standing), standing)
})

test('nothing may be done to a finished batch, and only a paused one is resumed', () => {
  for (const status of finishedBatchStatuses) assert.deepEqual(lawfulActions[status], [])
  const resumable = Object.entries(lawfulActions).filter(([, actions]) => actions.includes('resume'))
  assert.deepEqual(
    resumable.map(([status]) => status),
    ['paused'],
  )
})

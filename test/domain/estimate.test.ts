// Time and money: the estimate before a batch runs, the cost of a call after it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callCostMillicents, estimateBatch, formatDollars, formatMinutes } from '../../src/domain/estimate.ts'

test('a hundred contacts cost $3.50 with a pipeline agent and $7.00 with a realtime one', () => {
  assert.equal(formatDollars(estimateBatch(100, 5, 'pipeline').costMillicents), '$3.50')
  assert.equal(formatDollars(estimateBatch(100, 5, 'realtime').costMillicents), '$7.00')
})

test('the duration is two minutes for every round of concurrent calls, the last one also when it is not full', () => {
  assert.equal(formatMinutes(estimateBatch(2, 5, 'pipeline').minutes), '2 minutes')
  assert.equal(estimateBatch(100, 5, 'pipeline').minutes, 40)
  assert.equal(estimateBatch(101, 5, 'pipeline').minutes, 42)
  assert.equal(estimateBatch(0, 5, 'pipeline').minutes, 0)
})

test('rates are configurable', () => {
  const rates = { pipeline: 1_000, realtime: 250_000 }
  assert.equal(estimateBatch(3, 1, 'realtime', rates).costMillicents, 750_000)
  assert.equal(callCostMillicents('pipeline', 120_000, rates), 1_000)
})

test('a call costs by the second that began, and nothing when nobody took it', () => {
  assert.equal(callCostMillicents('pipeline', 120_000), 3_500)
  assert.equal(callCostMillicents('pipeline', 1), 30)
  assert.equal(callCostMillicents('pipeline', 1_001), 59)
  assert.equal(callCostMillicents('realtime', 240_000), 14_000)
  assert.equal(callCostMillicents('realtime', 0), 0)
  assert.equal(callCostMillicents('text', 5_000), 0)
})

test('money is printed in dollars with two places, rounded half up', () => {
  assert.deepEqual([0, 499, 500, 3_500, 99_500, 123_456_000].map(formatDollars), [
    '$0.00',
    '$0.00',
    '$0.01',
    '$0.04',
    '$1.00',
    '$1234.56',
  ])
  assert.equal(formatMinutes(1), '1 minute')
})

// From which number the next call is made, and why a batch has none.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  chooseCaller,
  firstHold,
  firstRestMs,
  holdOf,
  restAfterFlag,
} from '../../src/domain/caller-choice.ts'

const caller = (phoneNumberId: number, usedAt: number, places = 1) => ({ phoneNumberId, usedAt, places })

test('the number that has waited longest calls next, if it may', () => {
  const callers = [caller(1, 7), caller(2, 5), caller(3, 0, 0), caller(4, 6)]
  assert.equal(chooseCaller(callers, null)?.phoneNumberId, 2)
  assert.equal(chooseCaller([caller(1, 7, 0)], null), null)
  assert.equal(chooseCaller([], null), null)
})

test('a person is called again from another number, if there is one', () => {
  assert.equal(chooseCaller([caller(1, 0), caller(2, 9)], 1)?.phoneNumberId, 2)
  assert.equal(chooseCaller([caller(2, 9), caller(1, 0)], 1)?.phoneNumberId, 2)
  assert.equal(chooseCaller([caller(1, 0), caller(2, 9, 0)], 1)?.phoneNumberId, 1)
})

test('a rest is doubled where the number is flagged again soon after, up to a day, and begins anew later', () => {
  const first = restAfterFlag(null, 0)
  assert.deepEqual(first, { until: firstRestMs, ms: firstRestMs })
  assert.deepEqual(restAfterFlag(first, firstRestMs - 1), first, 'it rests already')
  const second = restAfterFlag(first, 2 * firstRestMs)
  assert.deepEqual(second, { until: 4 * firstRestMs, ms: 2 * firstRestMs })
  assert.equal(restAfterFlag(first, 2 * firstRestMs + 1).ms, firstRestMs)
  let rest = second
  for (let flag = 0; flag < 20; flag++) rest = restAfterFlag(rest, rest.until)
  assert.equal(rest.ms, 24 * 3_600_000)
})

test('a number is held by whichever lasts longer, its rest or its cap', () => {
  const [now, soon, later] = [100, 200, 300]
  assert.equal(holdOf({ restingUntil: null }, null, now), null)
  assert.equal(holdOf({ restingUntil: now }, null, now), null)
  assert.deepEqual(holdOf({ restingUntil: soon }, null, now), { reason: 'resting', until: soon })
  assert.deepEqual(holdOf({ restingUntil: null }, soon, now), { reason: 'daily-cap', until: soon })
  assert.deepEqual(holdOf({ restingUntil: later }, soon, now), { reason: 'resting', until: later })
  assert.deepEqual(holdOf({ restingUntil: soon }, later, now), { reason: 'daily-cap', until: later })
})

test('a batch is held while all its numbers are, until the first of them is free', () => {
  const resting = { hold: { reason: 'resting', until: 200 } } as const
  const capped = { hold: { reason: 'daily-cap', until: 150 } } as const
  assert.deepEqual(firstHold([resting, capped]), capped.hold)
  assert.equal(firstHold([resting, { hold: null }]), null)
})

// The circuit breaker: what opens it, for how long, and how it closes again.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  agentBreakerRule,
  type BreakerEvent,
  type BreakerState,
  breaker,
  callsAllowed,
  closedBreaker,
  restoredBreaker,
  trunkBreakerRule,
} from '../../src/domain/breaker.ts'

const failed = (destination: string): BreakerEvent => ({ kind: 'failed', destination })
const worked: BreakerEvent = { kind: 'worked' }
const placed: BreakerEvent = { kind: 'placed' }

function after(
  events: BreakerEvent[],
  now = 0,
  state = closedBreaker,
  rule = trunkBreakerRule,
): BreakerState {
  return events.reduce((before, event) => breaker(before, event, now, rule), state)
}

test('a trunk opens after three failures in a row to three different destinations', () => {
  const open = after([failed('a'), failed('b'), failed('c')])
  assert.equal(open.until, trunkBreakerRule.openMs)
  assert.equal(callsAllowed(open, 0), 0)
})

test('failures to one destination alone, however many, say nothing about the trunk', () => {
  const state = after(Array.from({ length: 50 }, () => failed('a')))
  assert.equal(state.until, null)
  assert.equal(callsAllowed(state, 0), Number.POSITIVE_INFINITY)
})

test('one call that works forgets the failures before it', () => {
  assert.equal(after([failed('a'), failed('b'), worked, failed('c'), failed('d')]).until, null)
})

test('an agent opens after five failures in a row, whoever was called', () => {
  const four = after(
    Array.from({ length: 4 }, () => failed('a')),
    0,
    closedBreaker,
    agentBreakerRule,
  )
  assert.equal(four.until, null)
  assert.equal(breaker(four, failed('a'), 100, agentBreakerRule).until, 100 + agentBreakerRule.openMs)
})

test('late results of calls from before the opening change nothing', () => {
  const open = after([failed('a'), failed('b'), failed('c')])
  assert.equal(after([worked, failed('d'), placed], 1, open), open)
})

test('when its time has passed one call is let through, and a second only after that one said nothing', () => {
  const open = after([failed('a'), failed('b'), failed('c')])
  const now = open.until!
  assert.equal(callsAllowed(open, now), 1)
  const trying = breaker(open, placed, now, trunkBreakerRule)
  assert.equal(callsAllowed(trying, now), 0)
  assert.equal(callsAllowed(breaker(trying, { kind: 'inconclusive' }, now, trunkBreakerRule), now), 1)
})

test('a trial call that works closes it for good', () => {
  const open = after([failed('a'), failed('b'), failed('c')])
  assert.deepEqual(after([placed, worked], open.until!, open), closedBreaker)
})

test('each trial call that fails opens it twice as long, up to the bound', () => {
  let state = after([failed('a'), failed('b'), failed('c')])
  const waits: number[] = []
  for (let round = 0; round < 8; round++) {
    const now = state.until!
    state = after([placed, failed('a')], now, state)
    waits.push(state.until! - now)
  }
  assert.deepEqual(waits.slice(0, 3), [60_000, 120_000, 240_000])
  assert.equal(waits.at(-1), trunkBreakerRule.maxOpenMs)
})

test('after a restart an open breaker stays open and a closed one closed', () => {
  assert.equal(callsAllowed(restoredBreaker(500), 499), 0)
  assert.equal(callsAllowed(restoredBreaker(500), 500), 1)
  assert.equal(restoredBreaker(null), closedBreaker)
})

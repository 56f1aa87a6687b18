// Which 480s are immediate, and when a trunk counts as full.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { burstRule, immediateMs, isFull, isImmediate480, standing } from '../../src/domain/refusal-burst.ts'

test('a 480 is immediate when it comes at once, without ringing, and without a word that somebody was looked for', () => {
  assert.equal(isImmediate480({ sipStatus: 480, q850: null }, 10), true)
  assert.equal(isImmediate480({ sipStatus: 480, q850: 41 }, immediateMs), true)
  assert.equal(isImmediate480({ sipStatus: 480, q850: null }, immediateMs + 1), false)
  assert.equal(isImmediate480({ sipStatus: 480, q850: null }, null), false)
  assert.equal(isImmediate480({ sipStatus: 486, q850: null }, 10), false)
  for (const q850 of [18, 19, 20]) assert.equal(isImmediate480({ sipStatus: 480, q850 }, 10), false)
})

/** Calls dialled one after the other, `#` an immediate 480; how the last one stands. */
function dialled(calls: string, everyMs: number, fullAgoMs: number | null = null) {
  const last = (calls.length - 1) * everyMs
  return standing(
    [...calls].map((call, index) => ({ dialledAt: index * everyMs, isImmediate480: call === '#' })),
    fullAgoMs === null ? null : last - fullAgoMs,
  )
}

test('a trunk is full when most of its last calls meet immediate 480s, and only while they are recent', () => {
  assert.equal(isFull(dialled('....#####', 100)), false)
  assert.equal(isFull(dialled('....######', 100)), true)
  assert.equal(isFull(dialled('#.#.#.#.#.', 100)), false, 'every second one')
  assert.equal(isFull(dialled('######', 600)), false, 'two in a second are no burst')
})

test('a trunk that was full lately is full again after fewer, a while later it is as any other', () => {
  const { latelyMs } = burstRule
  assert.equal(isFull(dialled('.......###', 100, latelyMs - 1)), true)
  assert.equal(isFull(dialled('........##', 100, latelyMs - 1)), false)
  assert.equal(isFull(dialled('.......###', 100, latelyMs)), false)
})

// What the carrier still knows of old calls, and when it stops swearing.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CallMemory } from '../../src/carrier/simulated/call-memory.ts'

test('the latest calls are remembered, with what last became of them', () => {
  const memory = new CallMemory(false, 100)
  for (let n = 0; n < 1_000; n++) memory.note(`call-${n}`, n % 2 === 0 ? 'answered' : 'unanswered')
  for (let n = 900; n < 1_000; n++)
    assert.equal(memory.rescue(`call-${n}`), n % 2 === 0 ? 'answered' : 'unanswered')
  assert.equal(memory.of('call-0'), undefined)
  memory.note('call-999', 'answered')
  assert.equal(memory.of('call-999'), 'answered')
})

test('a memory that is whole says never-placed, and unknown from the moment it has forgotten anything', () => {
  const memory = new CallMemory(true, 3)
  assert.equal(memory.rescue('never'), 'never-placed')
  for (let n = 0; n < 4; n++) memory.note(`call-${n}`, 'answered')
  assert.equal(memory.rescue('never'), 'never-placed')
  for (let n = 4; n < 9; n++) memory.note(`call-${n}`, 'answered')
  assert.equal(memory.rescue('never'), 'unknown')
  assert.equal(memory.of('never'), 'withdrawn')
})

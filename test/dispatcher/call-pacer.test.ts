// The pacer by itself, on a wall clock that does not keep still.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CallPacer } from '../../src/dispatcher/call-pacer.ts'
import type { Clock } from '../../src/runtime/clock.ts'
import { VirtualClock } from '../../src/runtime/virtual-clock.ts'
import type { Claim } from '../../src/store/dispatch-records.ts'

test('a call that was placed just before its slot leaves soon, though the wall clock was set back by hours', async () => {
  const time = new VirtualClock(10 * 3_600_000)
  let setBackMs = 0
  const clock: Clock = {
    now: () => time.now() - setBackMs,
    elapsed: () => time.elapsed(),
    at: (at, task) => time.at(at + setBackMs, task),
  }
  const pacer = new CallPacer(clock, () => {})
  const slotAt = clock.now() + 50
  setBackMs = 2 * 3_600_000
  let leftAt = Number.POSITIVE_INFINITY
  pacer.whenSpaced({ trunkId: 1, trunkSpacingMs: 100, batchSpacingMs: 0, slotAt } as Claim, {
    dial: () => {
      leftAt = time.now()
    },
    mayDial: () => true,
    confirm: async () => true,
  })
  await time.run({ until: time.now() + 1_000 })
  assert.ok(leftAt <= slotAt + 100)
})

// The pacer and the port range, in virtual time.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLateness } from '../../src/carrier/rtp/lateness.ts'
import { createPacer } from '../../src/carrier/rtp/pacer.ts'
import { createPortRange } from '../../src/carrier/rtp/port-range.ts'
import type { Clock } from '../../src/runtime/clock.ts'
import { VirtualClock } from '../../src/runtime/virtual-clock.ts'

test('every line ticks fifty times a second, the lines spread evenly over the 20 ms', async () => {
  const clock = new VirtualClock(0)
  const pacer = createPacer({ clock })
  const ticks = Array.from({ length: 80 }, () => [] as number[])
  for (const own of ticks) pacer.add(() => own.push(clock.elapsed()))
  await clock.run({ until: 10_000 })
  const starts = new Map<number, number>()
  for (const own of ticks) {
    assert.ok(Math.abs(own.length - 500) <= 1)
    for (let at = 1; at < own.length; at++) assert.ok(Math.abs(own[at]! - own[at - 1]! - 20) <= 1)
    starts.set(own[0]!, (starts.get(own[0]!) ?? 0) + 1)
  }
  assert.deepEqual([...starts.values()], Array(8).fill(10))
  assert.ok(pacer.latenessMs() <= 1)
  pacer.close()
})

test('timers that are late never make the line slow: what was missed is made up for, and the next tick is on time', async () => {
  const virtual = new VirtualClock(0)
  // Every timer comes 7 ms late, as on a machine that does too much.
  const clock: Clock = {
    now: () => virtual.now(),
    elapsed: () => virtual.elapsed(),
    at: (at, task) => virtual.at(at + 7, task),
  }
  const pacer = createPacer({ clock })
  let ticks = 0
  const remove = pacer.add(() => ticks++)
  await virtual.run({ until: 10_000 })
  assert.ok(Math.abs(ticks - 500) <= 1)
  assert.ok(pacer.latenessMs() >= 5)
  remove()
  assert.equal(pacer.size(), 0)
  await virtual.run()
  assert.ok(Math.abs(ticks - 500) <= 1)
})

test('after a long halt a line goes on in its place and leaves out what nobody wants to hear any more', async () => {
  const virtual = new VirtualClock(0)
  let haltMs = 0
  const clock: Clock = {
    now: () => virtual.now(),
    elapsed: () => virtual.elapsed(),
    at: (at, task) => virtual.at(at + haltMs, task),
  }
  const pacer = createPacer({ clock })
  let ticks = 0
  pacer.add(() => ticks++)
  await virtual.run({ until: 1000 })
  haltMs = 60_000
  await virtual.run({ until: 1010 })
  haltMs = 0
  await virtual.run({ until: 62_010 })
  assert.ok(ticks > 90 && ticks < 120)
  pacer.close()
})

test('lateness forgets after ten seconds', () => {
  const lateness = createLateness()
  for (let count = 0; count < 99; count++) lateness.add(1)
  lateness.add(60)
  lateness.add(60)
  assert.ok(lateness.p99(1000) > 50)
  for (const at of [7000, 13_000]) {
    lateness.add(1)
    lateness.p99(at)
  }
  assert.ok(lateness.p99(19_000) <= 1.25)
  assert.equal(lateness.p99(60_000), 0)
})

test('a port rests after its call, and the one that rested longest is taken first', () => {
  const range = createPortRange({ first: 20_000, last: 20_006 })
  assert.deepEqual(
    [range.take(0), range.take(0), range.take(0), range.take(0), range.take(0)],
    [20_000, 20_002, 20_004, 20_006, null],
  )
  range.release(20_004, 1000)
  range.release(20_000, 1500)
  assert.equal(range.free(2000), 0)
  assert.equal(range.take(6000), 20_004)
  assert.equal(range.take(6000), null)
  assert.equal(range.take(6500), 20_000)
})

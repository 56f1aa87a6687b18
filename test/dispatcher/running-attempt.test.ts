// One attempt by itself: what the dispatcher's other tests reach only by many coincidences.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Carrier } from '../../src/carrier/carrier.ts'
import { RecentDials } from '../../src/dispatcher/recent-dials.ts'
import { type Ending, RunningAttempt } from '../../src/dispatcher/running-attempt.ts'
import type { Agent, Trunk } from '../../src/domain/workspace.ts'
import { VirtualClock } from '../../src/runtime/virtual-clock.ts'
import type { Claim } from '../../src/store/dispatch-records.ts'

test('a call that went back while it waited for its turn is not dialled when that comes', () => {
  let dials = 0
  const endings: Ending[] = []
  const carrier: Carrier = {
    dial: () => {
      dials++
      return { hangUp() {} }
    },
    rescue: async () => [],
    close: async () => {},
  }
  const attempt = new RunningAttempt({
    claim: { attemptId: 1, ringTimeoutMs: 30_000, maxCallMs: 60_000 } as Claim,
    callId: 'node-1',
    trunk: {} as Trunk,
    agent: {} as Agent,
    carrier,
    clock: new VirtualClock(0),
    recentDials: new RecentDials(),
    isHeld: () => true,
    isPermitted: () => true,
    onProgress: () => {},
    onEnded: ending => endings.push(ending),
  })
  attempt.hangUp()
  attempt.dial()
  assert.equal(dials, 0)
  assert.deepEqual(
    endings.map(({ dialled }) => dialled),
    [false],
  )
})

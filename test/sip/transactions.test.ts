// The four state machines of RFC 3261 §17 and RFC 6026, and the wheel that wakes them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type ClientInvite,
  type ClientInviteEvent,
  startClientInvite,
  stepClientInvite,
} from '../../src/carrier/sip/client-invite.ts'
import { startClientRequest, stepClientRequest } from '../../src/carrier/sip/client-request.ts'
import { startServerInvite, stepServerInvite } from '../../src/carrier/sip/server-invite.ts'
import { startServerRequest, stepServerRequest } from '../../src/carrier/sip/server-request.ts'
import { TimerWheel } from '../../src/carrier/sip/timer-wheel.ts'
import { type Step, standardTiming, type Waiting, wakeAt } from '../../src/carrier/sip/transaction-timing.ts'
import { VirtualClock } from '../../src/runtime/virtual-clock.ts'

type Entry = [at: number, effect: string]

/** Lets a machine run on its own timers until it wants none any more, or `until`. */
function runTimers<State extends Waiting, Effect extends string>(
  start: State,
  step: (at: State, now: number) => Step<State, Effect>,
  until = Number.POSITIVE_INFINITY,
): { state: State; log: Entry[] } {
  let state = start
  const log: Entry[] = []
  for (let now = wakeAt(state); now !== null && now <= until; now = wakeAt(state)) {
    const { next, effects } = step(state, now)
    for (const effect of effects) log.push([now, effect])
    state = next
  }
  return { state, log }
}

const inviteTimer = (at: ClientInvite, now: number) => stepClientInvite(at, 'timer', now, standardTiming)

test('an INVITE on UDP goes again after 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s and times out after 32', () => {
  const { state, log } = runTimers(startClientInvite(false, 0, standardTiming), inviteTimer)
  assert.deepEqual(log, [
    ...[500, 1_500, 3_500, 7_500, 15_500, 31_500].map((at): Entry => [at, 'resend']),
    [32_000, 'time-out'],
  ])
  assert.equal(state.state, 'terminated')
})

test('an INVITE on a stream is never repeated and times out after 32 s', () => {
  const { log } = runTimers(startClientInvite(true, 0, standardTiming), inviteTimer)
  assert.deepEqual(log, [[32_000, 'time-out']])
})

test('a provisional stops both timers of an INVITE for good', () => {
  const { next, effects } = stepClientInvite(
    startClientInvite(false, 0, standardTiming),
    'provisional',
    100,
    standardTiming,
  )
  assert.deepEqual([next.state, wakeAt(next), effects], ['proceeding', null, ['pass']])
})

test('a refused INVITE acknowledges each repetition for 32 s and passes the refusal on once', () => {
  const start = startClientInvite(false, 0, standardTiming)
  const first = stepClientInvite(start, 'failure', 1_000, standardTiming)
  assert.deepEqual([first.next.state, first.effects], ['completed', ['acknowledge', 'pass']])
  const again = stepClientInvite(first.next, 'failure', 2_000, standardTiming)
  assert.deepEqual(again.effects, ['acknowledge'])
  const { state } = runTimers(again.next, inviteTimer)
  assert.deepEqual([state.state, wakeAt(first.next)], ['terminated', 33_000])
})

test('an accepted INVITE passes each repeated 2xx on for 32 s (RFC 6026)', () => {
  const start = startClientInvite(false, 0, standardTiming)
  const first = stepClientInvite(start, 'success', 1_000, standardTiming)
  const again = stepClientInvite(first.next, 'success', 20_000, standardTiming)
  assert.deepEqual([first.effects, again.effects, again.next.state], [['pass'], ['pass'], 'accepted'])
  assert.equal(wakeAt(again.next), 33_000)
})

test('whatever comes in whatever order, an INVITE tells of at most one end and is quiet after it', () => {
  const events: ClientInviteEvent[] = ['provisional', 'success', 'failure', 'timer', 'transport-error']
  const step = fc.tuple(fc.constantFrom(...events), fc.integer({ min: 0, max: 20_000 }))
  const seed = Date.now()
  fc.assert(
    fc.property(fc.boolean(), fc.array(step, { maxLength: 40 }), (reliable, steps) => {
      let at = startClientInvite(reliable, 0, standardTiming)
      let now = 0
      let ends = 0
      for (const [event, passMs] of steps) {
        now += passMs
        const wasOver = at.state === 'terminated'
        const { next, effects } = stepClientInvite(at, event, now, standardTiming)
        if (wasOver) assert.deepEqual(effects, [])
        const failed = effects.includes('time-out') || effects.includes('fail')
        const refused = effects.includes('acknowledge') && effects.includes('pass')
        if (failed || refused) ends++
        if (at.state !== 'calling') assert.ok(!effects.includes('resend'))
        at = next
      }
      assert.ok(ends <= 1)
    }),
    { seed },
  )
})

test('another request on UDP is repeated at intervals that double up to 4 s, for 32 s', () => {
  const { log } = runTimers(startClientRequest(false, 0, standardTiming), (at, now) =>
    stepClientRequest(at, 'timer', now, standardTiming),
  )
  assert.deepEqual(
    log.map(([at]) => at),
    [500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500, 32_000],
  )
  assert.equal(log.at(-1)?.[1], 'time-out')
})

test('after a provisional another request is repeated every 4 s', () => {
  const { next } = stepClientRequest(
    startClientRequest(false, 0, standardTiming),
    'provisional',
    100,
    standardTiming,
  )
  const { log } = runTimers(next, (at, now) => stepClientRequest(at, 'timer', now, standardTiming), 10_000)
  assert.deepEqual(
    log.map(([at]) => at),
    [500, 4_500, 8_500],
  )
})

test('an answered request absorbs repetitions for 5 s on UDP and not at all on a stream', () => {
  const answered = (reliable: boolean) =>
    stepClientRequest(startClientRequest(reliable, 0, standardTiming), 'final', 100, standardTiming)
  assert.deepEqual(
    [answered(false).next.state, wakeAt(answered(false).next), answered(true).next.state],
    ['completed', 5_100, 'terminated'],
  )
  assert.deepEqual(stepClientRequest(answered(false).next, 'final', 200, standardTiming).effects, [])
})

const serverTimer = (at: ReturnType<typeof startServerInvite>, now: number) =>
  stepServerInvite(at, 'timer', now, standardTiming)

test('our 2xx to a re-INVITE is repeated until its ACK, on streams too', () => {
  for (const reliable of [false, true]) {
    const { next } = stepServerInvite(startServerInvite(reliable), 'answer-success', 0, standardTiming)
    const { log, state } = runTimers(next, serverTimer, 5_000)
    assert.deepEqual(
      log.map(([at]) => at),
      [500, 1_500, 3_500],
    )
    const acked = stepServerInvite(state, 'ack', 5_000, standardTiming)
    assert.deepEqual(runTimers(acked.next, serverTimer).log, [])
  }
})

test('an answer to a re-INVITE that is never acknowledged says so after 32 s', () => {
  for (const answer of ['answer-success', 'answer-failure'] as const) {
    const { next } = stepServerInvite(startServerInvite(false), answer, 0, standardTiming)
    const { log, state } = runTimers(next, serverTimer)
    assert.deepEqual([log.at(-1), state.state], [[32_000, 'unacknowledged'], 'terminated'])
  }
})

test('a refused re-INVITE is refused again when it comes again, until its ACK', () => {
  const { next } = stepServerInvite(startServerInvite(false), 'answer-failure', 0, standardTiming)
  assert.deepEqual(stepServerInvite(next, 'request', 10, standardTiming).effects, ['resend'])
  const acked = stepServerInvite(next, 'ack', 20, standardTiming)
  assert.deepEqual(
    [acked.next.state, stepServerInvite(acked.next, 'request', 30, standardTiming).effects],
    ['confirmed', []],
  )
})

test('another request of theirs gets its answer again for 32 s on UDP', () => {
  const trying = startServerRequest(false)
  assert.deepEqual(stepServerRequest(trying, 'request', 0, standardTiming).effects, [])
  const { next } = stepServerRequest(trying, 'answer', 10, standardTiming)
  assert.deepEqual(stepServerRequest(next, 'request', 20, standardTiming).effects, ['resend'])
  assert.equal(stepServerRequest(next, 'timer', 32_010, standardTiming).next.state, 'terminated')
})

test('the wheel runs each timer once, never early, at most a tick late, and forgets what is cancelled', async () => {
  const seed = Date.now()
  const wanted = fc.array(fc.tuple(fc.integer({ min: 0, max: 60_000 }), fc.boolean()), { maxLength: 60 })
  await fc.assert(
    fc.asyncProperty(wanted, async timers => {
      const clock = new VirtualClock(123_456)
      const wheel = new TimerWheel(clock)
      const ran: number[] = []
      const cancelled: (() => void)[] = []
      for (const [index, [inMs, cancel]] of timers.entries()) {
        const at = clock.now() + inMs
        const timer = wheel.at(at, () => {
          const lateMs = clock.now() - at
          assert.ok(lateMs >= 0 && lateMs <= 20, `${lateMs} ms late`)
          ran.push(index)
        })
        if (cancel) cancelled.push(() => timer.cancel())
      }
      for (const cancel of cancelled) cancel()
      await clock.run()
      const due = timers.flatMap(([, cancel], index) => (cancel ? [] : [index]))
      assert.deepEqual(
        [...ran].sort((a, b) => a - b),
        due,
      )
      assert.equal(wheel.size, 0)
    }),
    { seed, numRuns: 50 },
  )
})

test('a timer that is set by a timer runs too, and one that is cancelled by another does not', async () => {
  const clock = new VirtualClock(0)
  const wheel = new TimerWheel(clock)
  const ran: string[] = []
  wheel.at(95, () => {
    ran.push('first')
    victim.cancel()
    wheel.at(clock.now(), () => void ran.push('second'))
  })
  const victim = wheel.at(100, () => void ran.push('victim'))
  await clock.run()
  assert.deepEqual(ran, ['first', 'second'])
})

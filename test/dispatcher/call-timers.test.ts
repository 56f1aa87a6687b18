// What the dispatcher does when a carrier says too little, too much, or nothing at all.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Attempt } from '../../src/domain/recipient.ts'
import { type Line, ScriptedCarrier } from './scripted-carrier.ts'
import {
  type BatchOptions,
  type Closer,
  openSwitchboard,
  people,
  type Switchboard,
  startAt,
} from './switchboard.ts'

interface OneCall {
  board: Switchboard
  carrier: ScriptedCarrier
  line: Line
  attempt: Attempt
  /** From the dial to its recorded end, ms. */
  tookMs: number
}

/** One person, one call, which the carrier treats as `script` says. */
async function oneCall(
  t: Closer,
  script: (line: Line) => void,
  options: Partial<BatchOptions> = {},
): Promise<OneCall> {
  let carrier!: ScriptedCarrier
  const board = await openSwitchboard(t, {
    carrier: clock => {
      carrier = new ScriptedCarrier(clock, script)
      return carrier
    },
  })
  await board.addBatch('one', { people: people(1), line: await board.addLine(), ...options })
  board.dial()
  await board.finish()
  const attempts = await board.store.listAttempts(board.workspaceId, {}, { limit: 10 })
  const attempt = attempts[0]!
  const tookMs = attempt.endedAt! - attempt.dialedAt!
  return { board, carrier, line: carrier.lines[0]!, attempt, tookMs }
}

const outcomeOf = ({ attempt }: OneCall) => [attempt.outcome?.disposition, attempt.outcome?.cause]

test('who rings past the ring time-out is cancelled once and counts as no-answer', async t => {
  const ringing = (line: Line) => {
    line.after(10, () => line.ring())
    line.onHangUp = () => line.after(200, () => line.end(487, 'Request Terminated'))
  }
  const call = await oneCall(t, ringing, { ringTimeoutMs: 20_000 })
  assert.deepEqual(outcomeOf(call), ['no-answer', 'ring timeout'])
  assert.deepEqual([call.line.hangUps, call.tookMs], [1, 20_200])
})

test('a ring time-out longer than the silence counts from the dial, not from the ringing', async t => {
  const ringing = (line: Line) => {
    line.after(30_000, () => line.ring())
    line.after(31_000, () => line.ring())
    line.onHangUp = () => line.end(487)
  }
  const call = await oneCall(t, ringing, { ringTimeoutMs: 45_000 })
  assert.deepEqual([call.tookMs, ...outcomeOf(call)], [45_000, 'no-answer', 'ring timeout'])
})

test('a carrier that says nothing at all for 32 s has failed, and the call is tried again after the delay', async t => {
  const silent = (line: Line) => {
    line.onHangUp = () => line.end(null)
  }
  const retry = { maxAttempts: 2, delaysMs: { 'carrier-failure': [60_000] } }
  const call = await oneCall(t, silent, { retry })
  assert.deepEqual([call.tookMs, ...outcomeOf(call)], [32_000, 'carrier-failure', 'silence timeout'])
  assert.deepEqual(
    call.board.carrier.calls.map(({ dialledAt }) => dialledAt - startAt),
    [0, 92_000],
  )
})

test('a carrier that confirms nothing is not waited for longer than five seconds', async t => {
  const call = await oneCall(t, line => line.after(10, () => line.ring()), { ringTimeoutMs: 15_000 })
  assert.deepEqual([call.tookMs, ...outcomeOf(call)], [20_000, 'no-answer', 'ring timeout'])
})

test('a call that never ends is hung up at its maximum age and stays answered', async t => {
  const endless = (line: Line) => {
    line.after(1_000, () => line.answer())
    line.onHangUp = () => line.after(50, () => line.end(200))
  }
  const call = await oneCall(t, endless, { maxCallMs: 600_000 })
  assert.deepEqual([call.line.hangUps, call.tookMs], [1, 601_050])
  assert.deepEqual(outcomeOf(call), ['answered', 'max age'])
})

test('a call that never ends, with a carrier that never confirms, ends all the same', async t => {
  const call = await oneCall(t, line => line.after(1_000, () => line.answer()), { maxCallMs: 60_000 })
  assert.deepEqual([call.tookMs, ...outcomeOf(call)], [66_000, 'answered', 'max age'])
})

test('an answer that crosses our hang-up is hung up again and counts as answered', async t => {
  const crossing = (line: Line) => {
    line.after(10, () => line.ring())
    line.onHangUp = () => {
      if (line.hangUps === 1) line.after(100, () => line.answer())
      else line.after(10, () => line.end(200))
    }
  }
  const retry = { maxAttempts: 3, delaysMs: { 'no-answer': [1_000] } }
  const call = await oneCall(t, crossing, { ringTimeoutMs: 20_000, retry })
  assert.deepEqual([call.line.hangUps, call.tookMs], [2, 20_110])
  assert.deepEqual(await call.board.standings('one'), { answered: 1 })
  assert.equal(call.board.carrier.calls.length, 1)
})

test('what a carrier says twice, late or in the wrong order is recorded once', async t => {
  const garrulous = (line: Line) => {
    line.after(10, () => {
      line.answer()
      line.ring()
      line.answer()
    })
    line.after(5_000, () => {
      line.end(200)
      line.end(486)
      line.ring()
      line.answer()
    })
    line.after(9_000, () => line.end(503))
  }
  const retry = { maxAttempts: 3, delaysMs: { busy: [1_000], 'carrier-failure': [1_000] } }
  const call = await oneCall(t, garrulous, { retry })
  await call.board.pass(60_000)
  assert.deepEqual([call.tookMs, ...outcomeOf(call)], [5_000, 'answered', 'sip 200'])
  assert.equal(call.board.carrier.calls.length, 1)
})

test('a call that ends in the instant of its answer has a talk time of nothing', async t => {
  const call = await oneCall(t, line =>
    line.after(1_000, () => {
      line.answer()
      line.end(200)
    }),
  )
  assert.deepEqual(outcomeOf(call), ['answered', 'sip 200'])
  assert.equal((await call.board.batch('one')).progress.talkMs, 0)
})

test('an answer that only the final evidence tells of counts', async t => {
  const call = await oneCall(t, line =>
    line.after(8_000, () => line.end(200, 'OK', { answeredAt: startAt + 3_000 })),
  )
  assert.deepEqual(outcomeOf(call), ['answered', 'sip 200 OK'])
  assert.equal((await call.board.batch('one')).progress.talkMs, 5_000)
})

test('a place is free again when a call ends that its carrier forgot', async t => {
  const board = await openSwitchboard(t, {
    carrier: clock => new ScriptedCarrier(clock, () => {}),
    maxConcurrentCalls: 1,
  })
  const line = await board.addLine()
  await board.addBatch('list', { people: people(3), line })
  board.dial()
  // This carrier never says that a call is over, so what it "sees" is only what it was not told.
  board.limits.delete('all')
  await board.finish()
  assert.deepEqual(
    board.carrier.calls.map(({ dialledAt }) => dialledAt - startAt),
    [0, 37_000, 74_000],
  )
})

// What every carrier keeps to, whoever it is: the dispatcher relies on each of these sentences.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Call, Carrier } from '../../src/carrier/carrier.ts'
import type { Conversation } from '../../src/domain/conversation.ts'
import type { Evidence } from '../../src/domain/outcome.ts'
import type { Agent, Trunk } from '../../src/domain/workspace.ts'

/** A carrier under test: `trunk` leads to it, `until` lets its time pass until the promise has settled. */
export interface CarrierUnderTest {
  carrier: Carrier
  trunk: Trunk
  until<T>(promise: Promise<T>): Promise<T>
  /** Settings that this carrier must refuse, and what it says; absent: those of the simulated one. */
  wrong?: { settings: Record<string, unknown>; phrase: RegExp }
  close(): Promise<void>
}

/** Quick, so that the suite also runs on a real clock. */
export const quickSettings = {
  ringMs: [2, 4],
  ringOutMs: [4, 6],
  talkMs: [2, 4],
  answerRate: 1,
  speedFactor: 5,
}

export function simulatedTrunk(settings: Record<string, unknown>, id = 1): Trunk {
  return {
    id,
    workspaceId: 1,
    name: 'simulated',
    kind: 'simulated',
    maxConcurrentCalls: null,
    callsPerSecond: null,
    settings,
    breakerUntil: null,
    breakerReason: null,
    slowedCallsPerSecond: null,
    createdAt: 0,
  }
}

export const testAgent: Agent = {
  id: 1,
  workspaceId: 1,
  name: 'echo',
  architecture: 'realtime',
  prompt: null,
  firstMessage: null,
  connection: { kind: 'echo' },
  maxConcurrentCalls: null,
  breakerUntil: null,
  aliases: [],
  createdAt: 0,
}

export interface RecordedCall {
  call: Call
  /** `ringing`, `answered`, `ended`, in the order heard; `inside dial` would stand for a broken contract. */
  heard: string[]
  ringing: Promise<number>
  answered: Promise<number>
  ended: Promise<Ended>
}

let lastCall = 0
export const newCallId = () => `call-${++lastCall}@test`

/** Dials and notes what is heard. */
interface Ended {
  evidence: Evidence
  at: number
  conversation: Conversation | undefined
}

export function dialAndRecord(
  { carrier, trunk }: Pick<CarrierUnderTest, 'carrier' | 'trunk'>,
  to: string,
  { callId = newCallId(), ordinal = 1 } = {},
): RecordedCall {
  const heard: string[] = []
  const ringing = Promise.withResolvers<number>()
  const answered = Promise.withResolvers<number>()
  const ended = Promise.withResolvers<Ended>()
  let dialing = true
  const hear = (what: string) => heard.push(dialing ? 'inside dial' : what)
  const request = {
    callId,
    trunk,
    from: '+12025550199',
    to,
    ordinal,
    agentId: 1,
    agent: testAgent,
    variablesJson: '{}',
  }
  const call = carrier.dial(request, {
    ringing: at => {
      hear('ringing')
      ringing.resolve(at)
    },
    answered: at => {
      hear('answered')
      answered.resolve(at)
    },
    ended: (evidence, at, conversation) => {
      hear('ended')
      ended.resolve({ evidence, at, conversation })
    },
  })
  dialing = false
  return { call, heard, ringing: ringing.promise, answered: answered.promise, ended: ended.promise }
}

/** Registers the suite for one carrier; `open` is called once for each test. */
export function testCarrier(name: string, open: () => Promise<CarrierUnderTest>): void {
  const carrierTest = (sentence: string, body: (under: CarrierUnderTest) => Promise<void>) =>
    test(`${name}: ${sentence}`, async () => {
      const under = await open()
      try {
        await body(under)
      } finally {
        await under.close()
      }
    })

  carrierTest(
    'an answered call rings, is answered and ends, each once and never inside dial',
    async under => {
      const { heard, ended } = dialAndRecord(under, '+12025550190')
      const { evidence, at } = await under.until(ended)
      assert.deepEqual(heard, ['ringing', 'answered', 'ended'])
      assert.equal(evidence.sipStatus, 200)
      assert.equal(evidence.endedBy, null)
      assert.ok(evidence.answeredAt !== null && evidence.answeredAt <= at)
    },
  )

  carrierTest('a busy number ends with 486 and nobody answered', async under => {
    const { heard, ended } = dialAndRecord(under, '+12025550192')
    const { evidence } = await under.until(ended)
    assert.deepEqual(
      [evidence.sipStatus, evidence.answeredAt, heard.includes('answered')],
      [486, null, false],
    )
  })

  carrierTest(
    'a ringing call that is hung up ends once with 487, however often it is hung up',
    async under => {
      const { call, heard, ringing, ended } = dialAndRecord(under, '+12025550182')
      await under.until(ringing)
      call.hangUp()
      call.hangUp()
      assert.deepEqual(heard, ['ringing'])
      const { evidence } = await under.until(ended)
      call.hangUp()
      assert.deepEqual([evidence.sipStatus, evidence.answeredAt], [487, null])
      await under.until(dialAndRecord(under, '+12025550192').ended)
      assert.deepEqual(heard, ['ringing', 'ended'])
    },
  )

  carrierTest('a call that is hung up before anything was heard ends without an answer', async under => {
    const { call, heard, ended } = dialAndRecord(under, '+12025550182')
    call.hangUp()
    const { evidence } = await under.until(ended)
    assert.deepEqual([evidence.answeredAt, heard.at(-1)], [null, 'ended'])
  })

  carrierTest('an answered call that is hung up ends as answered', async under => {
    const { call, answered, ended } = dialAndRecord(under, '+12025550190')
    const answeredAt = await under.until(answered)
    call.hangUp()
    const { evidence } = await under.until(ended)
    assert.deepEqual([evidence.sipStatus, evidence.answeredAt], [200, answeredAt])
  })

  carrierTest('a call of which nothing is ever heard ends by a hang-up, without a status', async under => {
    const { call, heard, ended } = dialAndRecord(under, '+12025550184')
    await under.until(dialAndRecord(under, '+12025550190').ended)
    assert.deepEqual(heard, [])
    call.hangUp()
    assert.equal((await under.until(ended)).evidence.sipStatus, null)
  })

  carrierTest('a Call-ID that was dialled before is refused, and the first call goes on', async under => {
    const callId = newCallId()
    const first = dialAndRecord(under, '+12025550190', { callId })
    const second = dialAndRecord(under, '+12025550190', { callId })
    const { evidence } = await under.until(second.ended)
    assert.deepEqual([evidence.sipStatus, evidence.answeredAt], [482, null])
    assert.equal((await under.until(first.ended)).evidence.sipStatus, 200)
    assert.deepEqual(second.heard, ['ended'])
  })

  carrierTest(
    'a rescue tells answered calls from unanswered ones and hangs up those it still holds',
    async under => {
      const [overId, ringingId, unseenId] = [newCallId(), newCallId(), newCallId()]
      await under.until(dialAndRecord(under, '+12025550190', { callId: overId }).ended)
      const ringing = dialAndRecord(under, '+12025550182', { callId: ringingId })
      await under.until(ringing.ringing)
      const answers = await under.until(under.carrier.rescue(under.trunk, [overId, ringingId, unseenId]))
      assert.deepEqual(answers.slice(0, 2), ['answered', 'unanswered'])
      assert.ok(answers[2] === 'never-placed' || answers[2] === 'unknown')
      assert.equal((await under.until(ringing.ended)).evidence.sipStatus, 487)
    },
  )

  carrierTest(
    'a Call-ID that a rescue asked for before it was dialled is refused from then on',
    async under => {
      const callId = newCallId()
      const before = await under.until(under.carrier.rescue(under.trunk, [callId]))
      const { heard, ended } = dialAndRecord(under, '+12025550190', { callId })
      assert.equal((await under.until(ended)).evidence.sipStatus, 482)
      assert.deepEqual(heard, ['ended'])
      assert.deepEqual(await under.until(under.carrier.rescue(under.trunk, [callId])), before)
    },
  )

  carrierTest(
    'a trunk whose settings are wrong ends the call with a reason and throws nothing',
    async under => {
      const wrong = under.wrong ?? { settings: { talkMs: 'long' }, phrase: /talkMs must be/ }
      const trunk = { ...under.trunk, settings: { ...under.trunk.settings, ...wrong.settings } }
      const { ended } = dialAndRecord({ ...under, trunk }, '+12025550190')
      const { evidence } = await under.until(ended)
      assert.equal(evidence.sipStatus, 488)
      assert.match(evidence.phrase ?? '', wrong.phrase)
    },
  )
}

// The carrier port over SIP: what every carrier keeps to, and what media, agents and crashes add.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LineEvent } from '../../src/carrier/rtp/media.ts'
import { classify } from '../../src/domain/outcome.ts'
import { dialAndRecord, newCallId, testAgent, testCarrier } from '../carrier/carrier-conformance.ts'
import { type Carrying, openCarrying } from './carrying.ts'

testCarrier('sip', async () => {
  const under = await openCarrying()
  return {
    carrier: under.carrier,
    trunk: under.trunk,
    until: promise => promise,
    wrong: { settings: { codecs: ['G729'] }, phrase: /Trunk settings: codecs/ },
    close: under.close,
  }
})

function carryingTest(
  sentence: string,
  body: (under: Carrying) => Promise<void>,
  settings: Record<string, unknown> = {},
): void {
  test(sentence, async () => {
    const under = await openCarrying(settings)
    try {
      await body(under)
    } finally {
      await under.close()
    }
  })
}

carryingTest(
  'a call has one line, whose way is known from the answer, and leaves none behind',
  async under => {
    const { answered, ended, call } = dialAndRecord(under, '+12025550191')
    await answered
    const [line] = under.media.lines
    assert.deepEqual(
      [line?.answered, line?.remotes[0]?.port, line?.remotes[0]?.codec, line?.request.to],
      [true, 40_000, 'PCMU', '+12025550191'],
    )
    call.hangUp()
    assert.equal((await ended).evidence.sipStatus, 200)
    assert.deepEqual([line?.closed, under.media.figures().openLines], [true, 0])
    assert.equal(under.agent.figures().calls, 0)
  },
)

carryingTest('a call that finds no media is put back unspent: it was not placed', async under => {
  under.media.refusal = new Error('No RTP port is free.')
  const { evidence } = await dialAndRecord(under, '+12025550190').ended
  assert.equal(classify(evidence).consequence, 'put-back')
  assert.deepEqual(under.far.seen, [])
})

carryingTest('a call that is hung up before its line is open is never placed', async under => {
  const { call, ended } = dialAndRecord(under, '+12025550190')
  call.hangUp()
  await ended
  assert.deepEqual(under.far.seen, [])
})

carryingTest('an agent that cannot call fails the call before it is placed', async under => {
  const { promise, resolve } = Promise.withResolvers<string>()
  const request = {
    callId: newCallId(),
    trunk: under.trunk,
    from: '+12025550199',
    to: '+12025550190',
    ordinal: 1,
    agentId: 1,
    agent: { ...testAgent, connection: null },
    variablesJson: '{}',
  }
  under.carrier.dial(request, {
    ringing() {},
    answered() {},
    ended: evidence => resolve(classify(evidence).disposition),
  })
  assert.equal(await promise, 'agent-failure')
  assert.deepEqual(under.far.seen, [])
})

const endings: [LineEvent, disposition: string, cause: RegExp][] = [
  [{ kind: 'agent-hung-up' }, 'answered', /sip 200/],
  [{ kind: 'agent-failed', reason: 'the socket closed' }, 'agent-failure', /agent failed: the socket closed/],
  [{ kind: 'rtp-timeout' }, 'answered', /no audio came from the network/],
  [{ kind: 'voicemail-done' }, 'voicemail', /answering machine/],
]
for (const [event, disposition, cause] of endings)
  carryingTest(`when the line says ${event.kind}, the call is hung up as ${disposition}`, async under => {
    const { answered, ended } = dialAndRecord(under, '+12025550191')
    await answered
    under.media.lines[0]?.tell(event)
    const outcome = classify((await ended).evidence)
    assert.deepEqual([outcome.disposition, cause.test(outcome.cause)], [disposition, true], outcome.cause)
    assert.ok(under.far.seen.includes('BYE far'))
  })

carryingTest('a person who asks not to be called again is suppressed', async under => {
  const { answered, ended, call } = dialAndRecord(under, '+12025550191')
  await answered
  under.media.lines[0]?.tell({ kind: 'do-not-call-again' })
  call.hangUp()
  const outcome = classify((await ended).evidence)
  assert.deepEqual([outcome.disposition, outcome.consequence], ['answered', 'suppress-number'])
})

carryingTest('an agent that fails while it rings cancels the call', async under => {
  const { ringing, ended } = dialAndRecord(under, '+12025550182')
  await ringing
  under.media.lines[0]?.tell({ kind: 'agent-failed', reason: 'refused' })
  const { evidence } = await ended
  assert.deepEqual([evidence.agentFailed, evidence.answeredAt], [true, null])
  assert.ok(under.far.seen.some(request => request.startsWith('CANCEL')))
})

carryingTest(
  'numbers are written as the carrier wants them, under its domain, with the identity that it asks for',
  async under => {
    const callId = newCallId()
    const { ended } = dialAndRecord(under, '+12025550192', { callId })
    await ended
    const invite = await under.far.saw('INVITE', callId)
    assert.equal(invite.uri, 'sip:92025550192@carrier.example')
    assert.match(invite.headers.get('from') ?? '', /^"Clinic" <sip:12025550199@carrier\.example>;tag=/)
    assert.equal(invite.headers.get('p-asserted-identity'), '<sip:12025550199@carrier.example>')
    assert.equal(invite.headers.get('x-account'), '7')
  },
  {
    domain: 'carrier.example',
    number: { plus: false, strip: '1', prefix: '9' },
    displayName: 'Clinic',
    assertIdentity: true,
    headers: { 'X-Account': '7' },
  },
)

carryingTest(
  'the messages of a call are kept where the trunk says so, without what proves a password',
  async under => {
    const callId = newCallId()
    const call = dialAndRecord(under, '+12025550192', { callId })
    await call.ended
    const trace = call.call.takeTrace?.()
    assert.deepEqual(
      trace?.messages.map(({ direction, text }) => `${direction} ${text.split(' ', 2).join(' ')}`),
      [
        'sent INVITE sip:+12025550192@127.0.0.1',
        'received SIP/2.0 486',
        'sent ACK sip:+12025550192@127.0.0.1',
      ],
    )
    assert.equal(call.call.takeTrace?.(), null, 'it is given out once, and then forgotten')
    assert.equal(under.trace.isOn, false)
  },
  { trace: true },
)

for (const [ending, event, answer, method] of [
  ['82', 'ringing', 'unanswered', 'CANCEL'],
  ['91', 'answered', 'answered', 'BYE'],
] as const)
  test(`after a crash a call that was ${event} is hung up at the carrier by its files`, async () => {
    const before = await openCarrying()
    const callId = newCallId()
    const call = dialAndRecord(before, `+120255501${ending}`, { callId })
    await call[event]
    if (event === 'answered') await before.far.saw('ACK', callId)
    await before.crash()
    const after = await openCarrying({}, before)
    try {
      const unseen = newCallId()
      assert.deepEqual(await after.carrier.rescue(after.trunk, [callId, unseen]), [answer, 'never-placed'])
      await after.far.saw(method, callId)
      assert.deepEqual(await after.carrier.rescue(after.trunk, [callId]), [answer])
      assert.equal(before.far.seen.filter(request => request.startsWith('INVITE')).length, 1)
    } finally {
      await after.close()
    }
  })

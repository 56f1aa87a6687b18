// What a test call has shown, from its SIP messages and the figures of its line: stages, verdict, and what to do.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TraceMessage } from '../../src/domain/call-trace.ts'
import type { Conversation } from '../../src/domain/conversation.ts'
import type { GatewayProbe } from '../../src/domain/gateway.ts'
import { judgeCall, judgeGateways, type LineTest, type TestCall } from '../../src/domain/line-test.ts'
import { classify, noEvidence } from '../../src/domain/outcome.ts'

const remote = '203.0.113.5:5060'
const start = 1_000_000

type Line = [from: 'us' | 'them', firstLine: string, headers?: string, body?: string]

function invite(number: number, credentials = '', address = '192.168.1.20'): Line {
  const sdp = `v=0\r\nc=IN IP4 ${address}\r\nm=audio 16384 RTP/AVP 0\r\n`
  return [
    'us',
    'INVITE sip:+12025550163@carrier.example SIP/2.0',
    `CSeq: ${number} INVITE${credentials}`,
    sdp,
  ]
}
const reply = (status: string, cseq = '1 INVITE'): Line => ['them', `SIP/2.0 ${status}`, `CSeq: ${cseq}`]
const withKey = '\r\nProxy-Authorization: Digest username="u"'

function traceOf(lines: readonly Line[], from = remote) {
  const messages = lines.map(
    ([side, firstLine, headers = '', body = ''], index): TraceMessage => ({
      at: start + index * 10,
      direction: side === 'us' ? 'sent' : 'received',
      transport: 'udp',
      remote: from,
      text: `${firstLine}\r\n${headers}\r\n\r\n${body}`,
    }),
  )
  return { messages, leftOut: 0 }
}

function callOf(lines: readonly Line[], evidence: Partial<typeof noEvidence>, kept?: object): TestCall {
  const answeredAt = evidence.answeredAt ?? null
  const line = { packetsSent: 400, packetsReceived: 390, packetsLost: 2, jitterMs: 4, firstAudioAfterMs: 20 }
  const conversation: Conversation = {
    transcript: [],
    results: {},
    recordingFile: null,
    recordingBytes: null,
    line: { ...line, ...kept },
  }
  return {
    attempt: {
      number: '+12025550163',
      callerId: '+12025550100',
      outcome: classify({ ...noEvidence, ...evidence }),
      answeredAt,
      endedAt: start + 9_000,
    },
    conversation: answeredAt === null ? null : conversation,
    trace: traceOf(lines),
  }
}

const answered = { sipStatus: 200, answeredAt: start + 40 }
const talk: Line[] = [
  invite(1),
  reply('180 Ringing'),
  reply('200 OK'),
  ['us', 'ACK sip:x SIP/2.0'],
  ['us', 'BYE sip:x SIP/2.0', 'CSeq: 2 BYE'],
  reply('200 OK', '2 BYE'),
]
const stage = ({ stages }: LineTest, name: string) => stages.find(one => one.stage === name)

test('a call that was answered, heard and hung up is well, and a pressed key proves that we are heard', () => {
  const call = callOf(talk, answered)
  call.conversation!.transcript.push({ role: 'human', message: '[pressed 5]', at: start })
  const test = judgeCall([], call)
  assert.deepEqual([test.verdict, test.advice], ['ok', []])
  assert.deepEqual(
    test.stages.map(one => [one.stage, one.verdict, one.afterMs]),
    [
      ['gateway', 'ok', 0],
      ['connection', 'ok', 10],
      ['authentication', 'ok', null],
      ['ringing', 'ok', 10],
      ['answer', 'ok', 20],
      ['audio', 'ok', null],
      ['keys', 'ok', null],
      ['hang-up', 'ok', 40],
    ],
  )
  assert.match(stage(test, 'keys')!.says, /^pressed 5/)
})

test('silence behind a private address is told as what it most often is', () => {
  const test = judgeCall([], callOf(talk, answered, { packetsReceived: 0 }))
  assert.deepEqual([test.verdict, stage(test, 'audio')?.verdict], ['failed', 'failed'])
  assert.match(
    test.advice[0]!,
    /send sound to 192\.168\.1\.20, an address that it cannot reach: set .*publicAddress/,
  )
  assert.equal(stage(test, 'hang-up')?.verdict, 'ok', 'the stages after the silence are told all the same')
  const [first, ...rest] = talk
  const behind = callOf([invite(1, '', '198.51.100.7'), ...rest], answered, { packetsReceived: 0 })
  assert.ok(first)
  assert.match(judgeCall([], behind).advice[0]!, /^Sound did not come in at 198\.51\.100\.7/)
})

test('a bad line, a hang-up that nobody confirms and one that is answered strangely are warnings', () => {
  const bad = judgeCall([], callOf(talk, answered, { packetsLost: 40 }))
  assert.deepEqual([bad.verdict, stage(bad, 'audio')?.verdict], ['warning', 'warning'])
  for (const [lines, says] of [
    [talk.slice(0, 4), 'neither side said BYE'],
    [talk.slice(0, 5), 'by us; nobody confirmed it'],
    [
      [...talk.slice(0, 5), reply('408 Request Timeout', '2 BYE')],
      'by us; the answer was 408 Request Timeout',
    ],
  ] as const) {
    const test = judgeCall([], callOf(lines, answered))
    assert.deepEqual([test.verdict, stage(test, 'hang-up')?.says], ['warning', says])
  }
})

test('each refusal has its stage and its advice', () => {
  const challenged = [invite(1), reply('407 Proxy Authentication Required'), invite(2, withKey)]
  for (const [lines, evidence, failed, advice] of [
    [challenged.slice(0, 2), { sipStatus: 407 }, 'authentication', /^The carrier wants a `username`/],
    [
      [...challenged, reply('407 Again', '2 INVITE')],
      { sipStatus: 407 },
      'authentication',
      /^Check `username`/,
    ],
    [
      [...challenged, reply('403 Forbidden', '2 INVITE')],
      { sipStatus: 403 },
      'answer',
      /caller ID \+12025550100/,
    ],
    [
      [invite(1), reply('403 Max channels')],
      { sipStatus: 403, phrase: 'Max channels' },
      'answer',
      /too much/,
    ],
    [
      [invite(1), reply('404 Nobody')],
      { sipStatus: 404 },
      'answer',
      /route sip:\+12025550163@carrier\.example/,
    ],
    [[invite(1), reply('608 Rejected')], { sipStatus: 608 }, 'answer', /marked as unwanted/],
    [[invite(1), reply('500 Oops')], { sipStatus: 500 }, 'answer', /^The carrier failed by its own words/],
    [
      [invite(1)],
      { phrase: 'the gateway refused the connection: SELF_SIGNED_CERT_IN_CHAIN' },
      'connection',
      /_CA/,
    ],
    [[invite(1), invite(1)], { endedBy: 'ring-timeout' }, 'connection', /^Nobody answers/],
    [[], { phrase: 'not placed: No RTP port is free.', notPlaced: true }, 'gateway', /could not place it/],
  ] as const) {
    const test = judgeCall([], callOf(lines, evidence))
    assert.equal(test.verdict, 'failed')
    assert.deepEqual([test.stages.at(-1)?.stage, test.stages.at(-1)?.verdict], [failed, 'failed'])
    assert.match(test.advice.join('\n'), advice)
  }
})

test('a carrier that says "trying" and nothing more is told from one that says nothing', () => {
  const test = judgeCall([], callOf([invite(1), reply('100 Trying')], { endedBy: 'silence-timeout' }))
  assert.match(test.advice.join(), /^The carrier took the call and said no more/)
})

test('a person who is not there is no fault of the trunk', () => {
  const lines = [invite(1), reply('180 Ringing')]
  for (const [evidence, words] of [
    [{ sipStatus: 486 }, /the number was busy/],
    [{ endedBy: 'ring-timeout' }, /the number did not answer/],
    [{ sipStatus: 603 }, /the number declined the call/],
  ] as const) {
    const test = judgeCall([], callOf(lines, evidence))
    assert.deepEqual([test.verdict, test.advice], ['warning', []])
    assert.match(test.summary, words)
  }
})

test('a gateway that refused before another took the call is named', () => {
  const call = callOf(talk, answered)
  const refused = traceOf([invite(1), reply('503 Service Unavailable')], '203.0.113.4:5060').messages
  const trace = { messages: [...refused, ...call.trace!.messages], leftOut: 0 }
  const test = judgeCall([], { ...call, trace })
  assert.equal(stage(test, 'gateway')?.says, `${remote} over udp; before it 203.0.113.4:5060 refused`)
  assert.equal(test.verdict, 'ok')
})

test('without a call: one gateway that answers is enough, silence proves nothing, a refusal does', () => {
  const probe = (status: number | null, failure: string | null): GatewayProbe => ({
    ...{ gateway: 'udp:sip.example', addresses: [remote], lookupMs: 2, lookupFailure: null },
    answers: [{ remote, status, roundTripMs: 31, failure }],
  })
  const unknown: GatewayProbe = {
    ...{ gateway: 'udp:no.example', addresses: [], lookupMs: 2, lookupFailure: 'ENOTFOUND', answers: [] },
  }
  const there = probe(405, null)
  const refuses = probe(null, 'ECONNREFUSED')
  for (const [probes, verdict, summary] of [
    [[there], 'ok', /^A gateway of the trunk is there/],
    [[there, unknown], 'warning', /^A gateway of the trunk is there/],
    [[probe(null, 'no answer within 5 s')], 'warning', /^No gateway answers OPTIONS/],
    [[refuses], 'failed', /^No gateway of the trunk can be reached/],
    [[probe(503, null)], 'failed', /^No gateway of the trunk can be reached/],
    [[unknown], 'failed', /^No gateway of the trunk can be reached/],
  ] as const) {
    const test = judgeGateways(probes, null)
    assert.equal(test.verdict, verdict)
    assert.match(test.summary, summary)
  }
  assert.match(judgeGateways([refuses], null).advice.join(), /^Nothing listens there/)
  const resting = judgeGateways([there], 'until later, since its calls failed: sip 403')
  assert.deepEqual([resting.verdict, resting.stages[0]?.stage], ['warning', 'breaker'])
})

// From what a carrier says to what we do about it: the whole table, and the texts that turn a refusal into "slow down".
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { classify, dispositions, type Evidence, unplaced } from '../../src/domain/outcome.ts'
import { burstRule } from '../../src/domain/refusal-burst.ts'

const nothing: Evidence = {
  sipStatus: null,
  phrase: null,
  q850: null,
  endedBy: null,
  answeredAt: null,
  voicemail: false,
  agentFailed: false,
}

/** `disposition fault retryable consequence` of the evidence. */
function judged(evidence: Partial<Evidence>): string {
  const { disposition, fault, retryable, consequence } = classify({ ...nothing, ...evidence })
  return `${disposition} ${fault} ${retryable ? 'again' : 'never'} ${consequence}`
}

const bySipStatus: [statuses: number[], outcome: string][] = [
  [[486, 600], 'busy recipient again none'],
  [[408, 480, 487], 'no-answer recipient again none'],
  [[404, 410, 484, 485, 604], 'unreachable recipient never none'],
  [[603], 'declined recipient again none'],
  [[607], 'blocked recipient never suppress-number'],
  [[608], 'blocked carrier again rest-caller-id'],
  [[401, 403, 407, 415, 488, 606], 'carrier-failure us again open-trunk-breaker'],
  [[429], 'carrier-failure carrier again put-back'],
  [[400, 482, 500, 502, 503, 504, 580, 699], 'carrier-failure carrier again none'],
]

for (const [statuses, outcome] of bySipStatus)
  test(`SIP ${statuses.join(', ')} is ${outcome}`, () => {
    for (const sipStatus of statuses) assert.equal(judged({ sipStatus }), outcome, String(sipStatus))
  })

const byQ850: [causes: number[], outcome: string][] = [
  [[17], 'busy recipient again none'],
  [[18, 19, 20], 'no-answer recipient again none'],
  [[21], 'declined recipient again none'],
  [[1, 22, 28], 'unreachable recipient never none'],
  [[34, 42, 44], 'carrier-failure carrier again put-back'],
  [[38, 41, 127], 'carrier-failure carrier again none'],
]

for (const [causes, outcome] of byQ850)
  test(`Q.850 ${causes.join(', ')} beside a status that says little is ${outcome}`, () => {
    for (const q850 of causes) {
      assert.equal(judged({ q850 }), outcome, String(q850))
      assert.equal(judged({ sipStatus: 500, q850 }), outcome, String(q850))
    }
  })

test('a status that says enough is believed whatever the Q.850 cause', () => {
  assert.equal(judged({ sipStatus: 486, q850: 34 }), 'busy recipient again none')
})

test('403, 480 and 503 ask us to slow down when their text speaks of channels or calls per second', () => {
  const texts = [
    'CPS limit exceeded',
    'No channels available',
    'Rate limited',
    'Dialing too many',
    'Forbidden D1',
    'over capacity',
  ]
  for (const phrase of texts)
    for (const sipStatus of [403, 480, 503])
      assert.equal(
        judged({ sipStatus, phrase }),
        'carrier-failure carrier again put-back',
        `${sipStatus} ${phrase}`,
      )
  for (const phrase of [
    'Forbidden',
    'Temporarily Unavailable',
    'Service Unavailable',
    'Corporate barring',
    null,
  ])
    assert.doesNotMatch(judged({ sipStatus: 403, phrase }), /put-back/)
  assert.equal(judged({ sipStatus: 486, phrase: 'No channels available' }), 'busy recipient again none')
})

test('an immediate 480 is no answer by itself, and throttling where the trunk’s other answers say so', () => {
  const burst = (immediate480s: number, more = {}) => ({
    sipStatus: 480,
    phrase: 'Temporarily Unavailable',
    burst: { immediate480s, wasFull: false, putBacks: 0, ...more },
  })
  const { immediate480s: many, again480s: few } = burstRule
  for (const alone of [
    burst(1),
    burst(many - 1),
    burst(few - 1, { wasFull: true }),
    burst(many, { putBacks: 3 }),
  ])
    assert.equal(judged(alone), 'no-answer recipient again none', JSON.stringify(alone))
  for (const full of [burst(many), burst(few, { wasFull: true }), burst(many, { putBacks: 2 })])
    assert.equal(judged(full), 'carrier-failure carrier again put-back', JSON.stringify(full))
  const { cause } = classify({ ...nothing, ...burst(many) })
  assert.equal(cause, 'sip 480 Temporarily Unavailable in a burst')
})

test('an answered call is answered, by a machine where one took it, whoever hung up', () => {
  const answered = { sipStatus: 200, answeredAt: 5 }
  assert.equal(judged(answered), 'answered recipient never none')
  assert.equal(judged({ ...answered, voicemail: true }), 'voicemail recipient never none')
  assert.equal(judged({ ...answered, endedBy: 'max-age' }), 'answered recipient never none')
  assert.equal(judged({ ...answered, endedBy: 'cancelled-by-us' }), 'answered recipient never none')
})

test('an agent that fails is at fault even where the person had answered', () => {
  assert.equal(judged({ sipStatus: 200, answeredAt: 5, agentFailed: true }), 'agent-failure agent again none')
})

test('what we ended ourselves: ring time-out, silence, age, cancellation', () => {
  assert.equal(judged({ sipStatus: 487, endedBy: 'ring-timeout' }), 'no-answer recipient again none')
  assert.equal(judged({ endedBy: 'silence-timeout' }), 'carrier-failure carrier again none')
  assert.equal(judged({ endedBy: 'max-age' }), 'carrier-failure carrier again none')
  assert.equal(judged({ sipStatus: 487, endedBy: 'cancelled-by-us' }), 'cancelled us never none')
})

test('a call whose node died is lost, and tried again only where nobody had answered', () => {
  assert.equal(judged({ endedBy: 'node-died' }), 'lost us again none')
  assert.equal(judged({ endedBy: 'node-died', answeredAt: 5 }), 'lost us never none')
})

test('the cause tells the evidence in a few words', () => {
  const cause = (evidence: Partial<Evidence>) => classify({ ...nothing, ...evidence }).cause
  assert.equal(cause({ sipStatus: 486, phrase: 'Busy Here', q850: 17 }), 'sip 486 Busy Here q850 17')
  assert.equal(cause({ q850: 34 }), 'q850 34')
  assert.equal(cause({ sipStatus: 487, endedBy: 'ring-timeout' }), 'ring timeout')
  assert.equal(cause({ sipStatus: 200, answeredAt: 5, voicemail: true }), 'answering machine')
  assert.equal(cause({ sipStatus: 200, agentFailed: true, phrase: 'refused' }), 'agent failed: refused')
  assert.equal(cause({}), 'no answer from the carrier')
})

test('a person who asks not to be called again is suppressed, even where the agent failed afterwards', () => {
  for (const agentFailed of [false, true]) {
    const { consequence, retryable } = classify({
      ...nothing,
      answeredAt: 1,
      agentFailed,
      doNotCallAgain: true,
    })
    assert.deepEqual([consequence, retryable], ['suppress-number', false])
  }
})

test('a call that never left this machine is put back, and is no word about the carrier', () => {
  const { consequence, fault, cause } = classify(unplaced('no RTP port is free'))
  assert.deepEqual([consequence, fault, cause], ['put-back', 'us', 'not placed: no RTP port is free'])
})

test('every evidence has an outcome, and a person who answered is rung again only if the agent failed', () => {
  const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null })
  const someEvidence: fc.Arbitrary<Evidence> = fc.record({
    sipStatus: maybe(fc.integer({ min: 200, max: 699 })),
    phrase: maybe(fc.string()),
    q850: maybe(fc.nat(127)),
    endedBy: maybe(
      fc.constantFrom('ring-timeout' as const, 'silence-timeout', 'max-age', 'cancelled-by-us', 'node-died'),
    ),
    answeredAt: maybe(fc.nat()),
    voicemail: fc.boolean(),
    agentFailed: fc.boolean(),
  })
  fc.assert(
    fc.property(someEvidence, evidence => {
      const { disposition, cause, retryable } = classify(evidence)
      assert.ok(dispositions.includes(disposition) && cause !== '')
      if (evidence.answeredAt !== null && !evidence.agentFailed) assert.equal(retryable, false)
    }),
  )
})

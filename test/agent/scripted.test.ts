// The scripted agent: what it says and asks, step by step, and what it leaves behind.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AgentSettings } from '../../src/agent/agent.ts'
import { createConnectAgent } from '../../src/agent/connect-agent.ts'
import type { Speech } from '../../src/agent/scripted/speech.ts'
import { frameBytes, pcmToUlaw } from '../../src/media/g711.ts'
import { realClock } from '../../src/runtime/clock.ts'
import { VirtualClock } from '../../src/runtime/virtual-clock.ts'
import { tone } from '../media/sound.ts'
import { agentConformance } from './agent-conformance.ts'
import { FakeCallLeg, isAudible, silence } from './fake-call-leg.ts'
import { toneOf, toneSpeech } from './scripted-speech.ts'

const connect = createConnectAgent({ clock: realClock, speech: toneSpeech })
const timeout = 30_000

const survey = {
  kind: 'scripted' as const,
  steps: [
    { say: 'Hello {{name}}.' },
    {
      name: 'menu',
      menu: {
        say: 'Press 1 to confirm, 2 to leave a number, 9 not to be called again.',
        result: 'answer',
        keys: { 1: { value: 'confirmed', goTo: 'thanks' }, 2: { goTo: 'number' }, 9: { goTo: 'never' } },
        timeoutMs: 2_000,
        attempts: 2,
        otherwise: 'bye',
      },
    },
    {
      name: 'number',
      digits: { say: 'Your number, please.', result: 'number', min: 3, max: 6, timeoutMs: 1_000 },
    },
    { say: 'You said {{number}}.' },
    { goTo: 'bye' },
    { name: 'never', doNotCallAgain: true },
    { goTo: 'bye' },
    { name: 'thanks', set: { greeted: 'yes, {{name}}', score: 5 } },
    { name: 'bye', say: 'Goodbye.' },
  ],
}

agentConformance('scripted', async () => ({ connect, settings: survey, close: async () => {} }))

test('texts are spoken one after the other with their variables, then the call is hung up', {
  timeout,
}, async () => {
  const steps = [{ say: 'Hello {{ Name }}.' }, { pauseMs: 200 }, { say: 'Goodbye.' }]
  const leg = await answered({ kind: 'scripted', steps }, { name: 'Maria' })
  await leg.passUntil(() => leg.hungUp !== null)
  assert.equal(leg.hungUp, 'when-played')
  assert.deepEqual(
    leg.transcript.map(({ message }) => message),
    ['Hello Maria.', 'Goodbye.'],
  )
  assert.equal(contains(leg.audio(), toneOf('Hello Maria.')), true)
  assert.equal(contains(leg.audio(), toneOf('Goodbye.')), true)
  assert.deepEqual(leg.failures, [])
})

test('the first word is ready before the answer and is heard in the first frame after it', {
  timeout,
}, async () => {
  const leg = await answered({ kind: 'scripted', steps: [{ say: 'Hello.' }] })
  await leg.until(() => leg.queuedMs() > 0)
  leg.pass(20)
  assert.equal(isAudible(leg.heard[0]!), true)
})

test('a key chooses a branch, interrupts the question and is kept under the name of the result', {
  timeout,
}, async () => {
  const leg = await answered(survey, { name: 'Maria' })
  await leg.passUntil(() => leg.transcript.length === 2)
  leg.pass(300)
  leg.session?.keyPressed('1')
  await leg.passUntil(() => leg.hungUp !== null)
  assert.deepEqual(leg.results, { answer: 'confirmed', greeted: 'yes, Maria', score: 5 })
  assert.equal(leg.deeds.includes('clear'), true)
  assert.deepEqual(leg.transcript.map(({ role, message }) => `${role}: ${message}`).slice(2), [
    'human: [pressed 1]',
    'agent: Goodbye.',
  ])
})

test('an answer of several digits ends by #, and can be said again by the script', { timeout }, async () => {
  const leg = await answered(survey)
  for (const key of '24711#') leg.session?.keyPressed(key)
  await leg.passUntil(() => leg.hungUp !== null)
  assert.deepEqual(leg.results, { answer: '2', number: '4711' })
  assert.equal(contains(leg.audio(), toneOf('You said 4711.')), true)
})

test('digits end by themselves when the longest answer is reached or nothing follows', {
  timeout,
}, async () => {
  for (const [keys, number] of [
    ['2123456', '123456'],
    ['2123', '123'],
  ] as const) {
    const leg = await answered(survey)
    for (const key of keys) leg.session?.keyPressed(key)
    await leg.passUntil(() => leg.hungUp !== null)
    assert.equal(leg.results.number, number)
  }
})

test('too short an answer counts as none', { timeout }, async () => {
  const leg = await answered(survey)
  for (const key of '21#2#') leg.session?.keyPressed(key)
  await leg.passUntil(() => leg.hungUp !== null)
  assert.equal('number' in leg.results, false)
})

test('a question is asked as often as it says, then the script goes on without an answer', {
  timeout,
}, async () => {
  const leg = await answered(survey)
  await leg.passUntil(() => leg.hungUp !== null)
  const question = toneOf(survey.steps[1]!.menu!.say)
  assert.equal(count(leg.audio(), question), 2)
  assert.deepEqual(leg.results, {})
})

test('a wrong key is an attempt, the next one may be right', { timeout }, async () => {
  const leg = await answered(survey)
  for (const key of '59') leg.session?.keyPressed(key)
  await leg.passUntil(() => leg.hungUp !== null)
  assert.equal(leg.optedOut, true)
  assert.equal(leg.results.answer, '9')
})

test('keys are pressed for the other side to hear', { timeout }, async () => {
  const leg = await answered({
    kind: 'scripted',
    steps: [{ say: 'A' }, { pressKeys: '12#' }, { pauseMs: 100 }],
  })
  await leg.passUntil(() => leg.hungUp !== null)
  assert.equal(leg.keys, '12#')
})

const word = pcmToUlaw(tone(500, frameBytes))

test('who listens goes on when the person has spoken and is silent again', { timeout }, async () => {
  const leg = await answered({ kind: 'scripted', steps: [{ listen: { silenceMs: 400 } }, { say: 'Hello.' }] })
  const pause = () => new Promise(resolve => setImmediate(resolve))
  for (const [said, forMs] of [
    [silence, 500],
    [word, 600],
    [silence, 200],
    [word, 300],
    [silence, 380],
  ] as const) {
    leg.pass(forMs, said)
    await pause()
    assert.deepEqual(leg.transcript, [], 'a breath between two words is no end')
  }
  leg.pass(40)
  await leg.until(() => leg.transcript.length === 1)
  await leg.passUntil(() => leg.hungUp !== null)
})

test('who listens in vain goes on after a while, where the script leads then; a click is no word', {
  timeout,
}, async () => {
  const steps = [
    { listen: { maxMs: 3_000, silenceMs: 500, otherwise: 'nobody' } },
    { say: 'Hello.' },
    { name: 'nobody', say: 'Is anybody there?' },
  ]
  const leg = await answered({ kind: 'scripted', steps })
  for (let clicks = 0; clicks < 4; clicks++) {
    leg.pass(40, word)
    leg.pass(560)
  }
  await leg.passUntil(() => leg.hungUp !== null)
  assert.deepEqual(
    leg.transcript.map(({ message }) => message),
    ['Is anybody there?'],
  )
})

test('a script that goes round in circles without a sound fails the call', { timeout }, async () => {
  const steps = [{ say: 'Hello.' }, { name: 'a', set: { x: 1 } }, { goTo: 'a' }]
  const leg = await answered({ kind: 'scripted', steps })
  await leg.passUntil(() => leg.failures.length > 0)
  assert.match(leg.failures[0]!, /round in circles/)
  assert.equal(leg.hungUp, null)
})

test('a text that is empty once its variables are put in is passed over', { timeout }, async () => {
  const leg = await answered({ kind: 'scripted', steps: [{ say: '{{unknown}}' }, { say: 'Goodbye.' }] })
  await leg.passUntil(() => leg.hungUp !== null)
  assert.deepEqual(leg.failures, [])
})

test('speech that breaks while the telephone rings is an agent that cannot be reached, later it fails the call', {
  timeout,
}, async () => {
  const broken: Speech = {
    speak: utterance =>
      utterance.text === 'Hello.'
        ? toneSpeech.speak(utterance)
        : Promise.reject(new Error('The voice broke.')),
    close: async () => {},
  }
  const connectBroken = createConnectAgent({ clock: realClock, speech: broken })
  await assert.rejects(
    connectBroken(new FakeCallLeg(), { kind: 'scripted', steps: [{ say: 'No.' }] }),
    /voice broke/,
  )
  const leg = new FakeCallLeg()
  leg.session = await connectBroken(leg, { kind: 'scripted', steps: [{ say: 'Hello.' }, { say: 'No.' }] })
  leg.session.answered()
  await leg.passUntil(() => leg.failures.length > 0)
  assert.deepEqual(leg.failures, ['The voice broke.'])
})

test('speech that does not come in time fails the call, before the answer and after it', {
  timeout,
}, async () => {
  const clock = new VirtualClock(0)
  const stuck: Speech = {
    speak: utterance => (utterance.text === 'Hello.' ? toneSpeech.speak(utterance) : new Promise(() => {})),
    close: async () => {},
  }
  const connectStuck = createConnectAgent({ clock, speech: stuck })
  const refused = assert.rejects(
    connectStuck(new FakeCallLeg(), { kind: 'scripted', steps: [{ say: 'No.' }] }),
    /not ready/,
  )
  await clock.run({ until: 20_000 })
  await refused
  const leg = new FakeCallLeg()
  leg.session = await connectStuck(leg, { kind: 'scripted', steps: [{ say: 'Hello.' }, { say: 'No.' }] })
  leg.session.answered()
  await leg.passUntil(() => leg.playedMs() === toneOf('Hello.').length / 8)
  leg.pass(20)
  await clock.run({ until: 60_000 })
  assert.match(leg.failures[0]!, /not ready within 20000 ms/)
})

async function answered(
  settings: { kind: 'scripted'; [setting: string]: unknown },
  variables: Record<string, unknown> = {},
): Promise<FakeCallLeg> {
  const leg = new FakeCallLeg({ variables })
  leg.session = await connect(leg, settings as AgentSettings)
  leg.session.answered()
  return leg
}

function contains(audio: Uint8Array, part: Uint8Array): boolean {
  return Buffer.from(audio).includes(Buffer.from(part))
}

function count(audio: Uint8Array, part: Uint8Array): number {
  const whole = Buffer.from(audio)
  let found = 0
  for (let at = whole.indexOf(part); at >= 0; at = whole.indexOf(part, at + part.length)) found++
  return found
}

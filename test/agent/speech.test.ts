// Speech by Flite: real words in a thread of their own, the same bytes each time, and audio files beside it.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createConnectAgent } from '../../src/agent/connect-agent.ts'
import { readAudioFile } from '../../src/agent/scripted/audio-file.ts'
import { openSpeech, sentencesOf } from '../../src/agent/scripted/speech.ts'
import { voices } from '../../src/agent/scripted/voice.ts'
import { pcmToUlaw, ulawToPcm } from '../../src/media/g711.ts'
import { wavHeader } from '../../src/media/wav.ts'
import { realClock } from '../../src/runtime/clock.ts'
import { correlation } from '../media/sound.ts'
import { FakeCallLeg, isAudible } from './fake-call-leg.ts'

const timeout = 120_000
const text = 'Hello Maria, your appointment is on Friday.'

test('every voice speaks: some seconds of audio, neither silent nor clipped', { timeout }, async t => {
  const speech = open(t)
  for (const voice of voices) {
    const audio = await speech.speak({ text, voice, speed: 1 })
    const seconds = audio.length / 8_000
    assert.equal(seconds > 1.5 && seconds < 5, true, `${voice} took ${seconds} s`)
    const loudness = rootMeanSquare(ulawToPcm(audio))
    assert.equal(loudness > 500 && loudness < 12_000, true, `${voice} is at ${loudness}`)
  }
})

test('the same text gives the same bytes, another speed a shorter text', { timeout }, async t => {
  const [one, other] = await Promise.all(
    [open(t), open(t)].map(each => each.speak({ text, voice: 'kal', speed: 1 })),
  )
  assert.deepEqual(one, other)
  const fast = await open(t).speak({ text, voice: 'kal', speed: 1.5 })
  assert.equal(fast.length < 0.8 * one!.length, true)
})

test('a sentence that was spoken once is not made again', { timeout }, async t => {
  const speech = open(t)
  const rest = 'This is the clinic. Please be on time.'
  const [first, second] = [
    await speech.speak({ text: `Hello Ann. ${rest}`, voice: 'kal', speed: 1 }),
    await speech.speak({ text: `Hello Bartholomew. ${rest}`, voice: 'kal', speed: 1 }),
  ]
  const common = await speech.speak({ text: rest, voice: 'kal', speed: 1 })
  assert.deepEqual(first.subarray(first.length - common.length), common)
  assert.deepEqual(second.subarray(second.length - common.length), common)
  assert.equal(
    await speech.speak({ text: 'This is the clinic.', voice: 'kal', speed: 1 }),
    await speech.speak({ text: 'This is the clinic.', voice: 'kal', speed: 1 }),
  )
})

test('texts that look like options, or hold odd characters, are read and never obeyed', {
  timeout,
}, async t => {
  const speech = open(t)
  for (const odd of [
    '--help me please',
    '-voice rms',
    'a\0b',
    'naïve 日本 42',
    '<speak>hi</speak>',
    'x'.repeat(500),
  ]) {
    assert.equal((await speech.speak({ text: odd, voice: 'kal', speed: 1 })).length > 0, true)
  }
})

test('a text that would be spoken for minutes is refused before it holds up the others', {
  timeout,
}, async t => {
  const speech = open(t)
  const odd = Array.from({ length: 400 }, (_, n) => `%$#@&${n}`)
  const endless = speech.speak({ text: odd.join(''), voice: 'kal', speed: 1 })
  const refused = assert.rejects(endless, /over 180 s/)
  // Another call's sentence does not wait for the end of it.
  let isRefused = false
  refused.then(() => {
    isRefused = true
  })
  await speech.speak({ text: 'Hello.', voice: 'kal', speed: 1 })
  assert.equal(isRefused, false)
  await refused
  await assert.rejects(speech.speak({ text: 'a'.repeat(10_001), voice: 'kal', speed: 1 }), /10000 characters/)
})

test('what waits for a thread that is closed is refused, and nothing hangs', { timeout }, async t => {
  const speech = open(t)
  const waiting = speech.speak({ text, voice: 'slt', speed: 1 })
  const refused = assert.rejects(waiting, /speech thread ended/)
  await speech.close()
  await refused
})

test('sentences are cut where they end, and not behind titles', () => {
  assert.deepEqual(sentencesOf('Hello Dr. House. It is 10 a.m. now. Bye! Really? Yes, No. 5.'), [
    'Hello Dr. House.',
    'It is 10 a.m. now.',
    'Bye!',
    'Really?',
    'Yes, No. 5.',
  ])
})

test('overlong sentences are cut between words, words without an end anywhere', () => {
  const words = sentencesOf('hello there '.repeat(100).trim())
  assert.equal(words.join(' '), 'hello there '.repeat(100).trim())
  assert.equal(
    words.every(({ length }) => length <= 200),
    true,
  )
  assert.deepEqual(
    sentencesOf('a'.repeat(450)).map(({ length }) => length),
    [200, 200, 50],
  )
})

test('a script speaks with a real voice, from the first frame after the answer', { timeout }, async t => {
  const leg = new FakeCallLeg({ variables: { name: 'Maria' } })
  const speech = open(t)
  const connect = createConnectAgent({ clock: realClock, speech })
  leg.session = await connect(leg, { kind: 'scripted', steps: [{ say: 'Hello {{name}}. Goodbye.' }] })
  leg.session.answered()
  await leg.until(() => leg.queuedMs() > 0)
  const queuedMs = leg.queuedMs()
  await leg.passUntil(() => leg.hungUp !== null)
  const expected = await speech.speak({ text: 'Hello Maria. Goodbye.', voice: 'slt', speed: 1 })
  assert.equal(queuedMs, expected.length / 8)
  assert.equal(Buffer.from(leg.audio()).indexOf(expected), 0)
})

test('audio files of any rate and number of channels are played as the line carries them', async t => {
  const folder = temporaryFolder(t)
  const stereo = new Int16Array(2 * 44_100).map((_, n) =>
    Math.round(8_000 * Math.sin((Math.PI * 880 * (n >> 1)) / 44_100)),
  )
  const header = wavHeader({ encoding: 'pcm16', channels: 2, sampleRateHz: 44_100 }, stereo.byteLength)
  writeFileSync(join(folder, 'tone.wav'), Buffer.concat([header, Buffer.from(stereo.buffer)]))
  const audio = await readAudioFile(folder, 'tone.wav')
  assert.equal(Math.abs(audio.length - 8_000) <= 2, true)
  const expected = Int16Array.from({ length: 8_000 }, (_, n) => 8_000 * Math.sin((Math.PI * 880 * n) / 8_000))
  assert.equal(correlation(ulawToPcm(audio), ulawToPcm(pcmToUlaw(expected))) > 0.99, true)
})

test('a script plays an audio file between its texts', async t => {
  const folder = temporaryFolder(t)
  const ulaw = new Uint8Array(800).fill(0x30)
  const header = wavHeader({ encoding: 'ulaw', channels: 1, sampleRateHz: 8_000 }, ulaw.length)
  writeFileSync(join(folder, 'notice.wav'), Buffer.concat([header, ulaw]))
  const leg = new FakeCallLeg()
  const connect = createConnectAgent({ clock: realClock, speech: open(t) })
  leg.session = await connect(leg, { kind: 'scripted', audioDir: folder, steps: [{ play: 'notice.wav' }] })
  leg.session.answered()
  await leg.passUntil(() => leg.hungUp !== null)
  assert.equal(isAudible(leg.audio()), true)
  assert.equal(Buffer.from(leg.audio()).includes(ulaw), true)
})

test('an audio file that is missing, or none, is named in one sentence', async t => {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'text.wav'), 'no audio at all')
  await assert.rejects(readAudioFile(folder, 'missing.wav'), /missing\.wav cannot be opened\./)
  await assert.rejects(
    readAudioFile(folder, 'text.wav'),
    /text\.wav cannot be played\. This is not a WAV file\./,
  )
  await assert.rejects(readAudioFile(undefined, 'text.wav'), /no audio folder/)
})

function open(t: TestContext) {
  const speech = openSpeech()
  t.after(speech.close)
  return speech
}

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'outdial-audio-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

function rootMeanSquare(samples: Int16Array): number {
  return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length)
}

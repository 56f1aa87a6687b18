// The playback queue and the bridge: frames in order, marks when played, keys in their place.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Bridge, type Outgoing } from '../../src/media/bridge.ts'
import { createKeyEar, createKeyPad } from '../../src/media/dtmf.ts'
import { alawToPcm, pcmToAlaw, pcmToUlaw, ulawToPcm } from '../../src/media/g711.ts'
import { createPlaybackQueue, maxQueuedBytes } from '../../src/media/playback-queue.ts'
import { bestShift, correlation, sweep, tone } from './sound.ts'

const frame = new Uint8Array(160)
const silent = (bytes: Uint8Array) => bytes.every(byte => byte === 0xff)

test('audio of any lengths comes out in order, and each mark exactly when what was before it has been played', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('play' as const), length: fc.nat(500) }),
    fc.record({ kind: fc.constant('mark' as const) }),
    fc.record({ kind: fc.constant('tick' as const) }),
    fc.record({ kind: fc.constant('clear' as const) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), steps => {
      const queue = createPlaybackQueue()
      let queuedUntil = 0
      let dropped = 0
      const told: number[] = []
      const marks: number[] = []
      const tick = () => queue.next(frame)
      for (const action of steps) {
        if (action.kind === 'play') {
          queue.play(new Uint8Array(action.length).fill(1))
          queuedUntil += action.length
        } else if (action.kind === 'mark') {
          const due = queuedUntil
          marks.push(due)
          queue.mark(() => {
            assert.ok(queue.playedMs() * 8 + dropped >= due)
            told.push(due)
          })
        } else if (action.kind === 'clear') {
          dropped += queue.queuedBytes()
          queue.clear()
          assert.deepEqual(told, marks)
        } else tick()
      }
      while (queue.queuedBytes() > 0 || told.length < marks.length) tick()
      assert.deepEqual(told, marks)
      assert.equal(queue.playedMs() * 8 + dropped, queuedUntil)
    }),
  )
})

test('a partial frame is padded with silence at a mark and when nothing follows', () => {
  const queue = createPlaybackQueue()
  queue.play(new Uint8Array(100).fill(1))
  queue.mark(() => {})
  queue.play(new Uint8Array(200).fill(2))
  queue.next(frame)
  assert.ok(frame.subarray(0, 100).every(byte => byte === 1) && silent(frame.subarray(100)))
  queue.next(frame)
  queue.next(frame)
  assert.ok(frame.subarray(0, 40).every(byte => byte === 2) && silent(frame.subarray(40)))
  assert.equal(queue.playedMs(), 37.5)
  assert.equal(queue.next(frame), false)
})

test('an agent that is ten minutes ahead is not let further', () => {
  const queue = createPlaybackQueue()
  assert.equal(queue.play(new Uint8Array(maxQueuedBytes)), true)
  assert.equal(queue.play(new Uint8Array(1)), false)
})

const keyFrames = (bridge: Bridge, ticks: number): Outgoing[] =>
  Array.from({ length: ticks }, () => {
    const { outgoing } = bridge.tick(() => true)
    return { ...outgoing, payload: outgoing.payload.slice() }
  })

test('keys are sent after what is queued, one event each with its end three times, and audio goes on behind them', () => {
  const bridge = new Bridge({ heard: () => {} })
  bridge.queue.play(new Uint8Array(320).fill(1))
  bridge.pressKeys('5#')
  bridge.queue.play(new Uint8Array(160).fill(2))
  const sent = keyFrames(bridge, 30)
  const kinds = sent.map(out => (out.kind === 'key' ? 'k' : out.isSpeech ? 's' : '-')).join('')
  assert.match(kinds, /^ss-k{7}-+k{7}-+s-+$/)
  const ends = sent.filter(out => out.kind === 'key' && (out.payload[1]! & 0x80) !== 0)
  assert.equal(ends.length, 6)
  assert.equal(sent.filter(out => out.kind === 'key' && out.marker).length, 2)
})

test('where no events were agreed a key is two tones in the audio, with a pause behind it', () => {
  const bridge = new Bridge({ heard: () => {} })
  bridge.sendKeysAs('tones')
  bridge.pressKeys('6')
  const sent = keyFrames(bridge, 10).map(out => {
    assert.equal(out.kind, 'audio')
    return ulawToPcm(out.payload)
  })
  const sound = Int16Array.from(sent.flatMap(frame => [...frame]))
  const [low, high] = [tone(770, 800), tone(1477, 800)]
  const start = sound.findIndex(sample => Math.abs(sample) > 500)
  assert.ok(bestShift(low, sound.subarray(0, start + 900), start + 20).likeness > 0.65)
  assert.ok(bestShift(high, sound.subarray(0, start + 900), start + 20).likeness > 0.65)
  assert.equal(sound.findLastIndex(sample => Math.abs(sample) > 500) - start < 800, true)
})

test('a key is heard once, whatever of its packets is lost, repeated or late', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...'0123456789*#ABCD'), { minLength: 1, maxLength: 8 }),
      fc.nat(2 ** 32 - 1),
      fc.infiniteStream(fc.integer({ min: 0, max: 2 })),
      (digits, start, copiesOf) => {
        const pad = createKeyPad()
        pad.press(digits.join(''))
        const packets: { payload: Uint8Array; timestamp: number }[] = []
        for (let now = start; pad.isBusy(); now += 160) {
          const packet = pad.next()
          if (packet !== null)
            packets.push({ payload: packet.payload, timestamp: (now - packet.startedBefore) >>> 0 })
        }
        const ear = createKeyEar()
        // The last of each key always comes: one packet is enough.
        const isLast = (at: number) => packets[at + 1]?.timestamp !== packets[at]!.timestamp
        const heard = packets.flatMap(({ payload, timestamp }, at) =>
          Array.from({ length: Math.max(isLast(at) ? 1 : 0, copiesOf.next().value) }, () =>
            ear.hear(payload, timestamp),
          ),
        )
        assert.equal(heard.filter(key => key !== null).join(''), digits.join(''))
      },
    ),
  )
})

test('a key held longer than an event can count is still one key', () => {
  const ear = createKeyEar()
  const held = (timestamp: number, duration: number) =>
    ear.hear(Uint8Array.of(5, 10, duration >> 8, duration & 0xff), timestamp)
  assert.equal(held(0, 0xffff), '5')
  assert.equal(held(0xffff, 800), null)
  assert.equal(held(0x1ffff, 160), '5')
})

test('what is no key and what is too short is not heard', () => {
  const ear = createKeyEar()
  assert.equal(ear.hear(Uint8Array.of(16, 0, 0, 160), 1), null)
  assert.equal(ear.hear(Uint8Array.of(1, 0), 2), null)
})

test('on an A-law line the agent hears and speaks µ-law', () => {
  const heard: number[] = []
  const bridge = new Bridge({ heard: bytes => heard.push(...ulawToPcm(bytes)) })
  bridge.sendLaw('alaw')
  const voice = sweep(1600)
  const wire = pcmToAlaw(voice)
  bridge.queue.play(pcmToUlaw(voice))
  const sent: number[] = []
  for (let tick = 0; tick < 12; tick++) {
    if (tick < 10) bridge.receive(tick * 160, wire.slice(tick * 160, tick * 160 + 160), 'alaw')
    const { outgoing } = bridge.tick(() => true)
    if (outgoing.kind === 'audio') sent.push(...outgoing.payload)
  }
  assert.ok(correlation(voice, Int16Array.from(heard), 160) > 0.998)
  assert.ok(correlation(voice, alawToPcm(Uint8Array.from(sent))) > 0.998)
})

test('before the answer and on hold nothing is played, and nothing is lost', () => {
  const bridge = new Bridge({ heard: () => {} })
  bridge.queue.play(new Uint8Array(160).fill(1))
  assert.ok(silent(bridge.tick(() => false).said))
  assert.equal(bridge.queue.playedMs(), 0)
  assert.equal(bridge.tick(() => true).said[0], 1)
})

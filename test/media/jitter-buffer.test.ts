// The jitter buffer: order, loss, lateness and clocks that differ.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { JitterBuffer } from '../../src/media/jitter-buffer.ts'

const silence = 0xff
const frame = new Uint8Array(160)
/** A packet that knows its place: no two of the first 250 are alike. */
const packet = (index: number, length = 160) => new Uint8Array(length).fill(index % 250)

/** Sends each packet at its tick and takes a frame after each; what was played, a number a frame, −1 for silence. */
function play(arrivals: { index: number; tick: number }[], ticks: number, start = 4_294_966_000): number[] {
  const buffer = new JitterBuffer(silence)
  const played: number[] = []
  for (let tick = 0; tick < ticks; tick++) {
    for (const { index } of arrivals.filter(arrival => arrival.tick === tick)) {
      buffer.put((start + index * 160) >>> 0, packet(index))
    }
    buffer.take(frame)
    assert.ok(frame.every(byte => byte === frame[0]))
    played.push(frame[0] === silence ? -1 : frame[0]!)
  }
  return played
}

const sound = (played: number[]) => played.filter(index => index >= 0)

test('an even stream is played whole, one frame behind, over the wrap of the timestamps', () => {
  const arrivals = Array.from({ length: 100 }, (_, index) => ({ index, tick: index }))
  assert.deepEqual(
    play(arrivals, 102).slice(1, 101),
    arrivals.map(({ index }) => index),
  )
})

test('what is lost is silence for as long as it would have lasted', () => {
  const arrivals = Array.from({ length: 20 }, (_, index) => ({ index, tick: index })).filter(
    ({ index }) => index !== 7 && index !== 8,
  )
  assert.deepEqual(play(arrivals, 14).slice(6, 13), [5, 6, -1, -1, 9, 10, 11])
})

test('two packets that swapped places are played in order', () => {
  const arrivals = [0, 1, 2, 4, 3, 5, 6].map((index, tick) => ({ index, tick }))
  assert.deepEqual(sound(play(arrivals, 12)).slice(-3), [4, 5, 6])
})

test('whatever comes in whatever order, frames come in order, none twice, none made up', () => {
  const network = fc.array(fc.record({ delay: fc.nat(4), copies: fc.integer({ min: 0, max: 2 }) }), {
    minLength: 20,
    maxLength: 200,
  })
  fc.assert(
    fc.property(network, fc.nat(2 ** 32 - 1), (packets, start) => {
      const arrivals = packets.flatMap(({ delay, copies }, index) =>
        Array.from({ length: copies }, (_, copy) => ({ index, tick: index + delay + copy })),
      )
      const played = sound(play(arrivals, packets.length + 20, start))
      for (let at = 1; at < played.length; at++) assert.ok(played[at]! > played[at - 1]!)
      for (const index of played) assert.ok(packets[index]!.copies > 0)
    }),
  )
})

test('jitter of two frames costs silence once, then everything is heard', () => {
  const arrivals = Array.from({ length: 200 }, (_, index) => ({
    index,
    tick: index + (index % 5 === 0 ? 2 : 0),
  }))
  const played = play(arrivals, 204)
  assert.ok(sound(played.slice(20, 200)).length >= 178)
})

test('delay that is no longer needed is given back', () => {
  const buffer = new JitterBuffer(silence)
  let newest = 0
  for (let tick = 0; tick < 700; tick++) {
    // The first ten packets come in one heap, as after a hole in the network; then all are punctual.
    if (tick === 0) for (; newest < 6; newest++) buffer.put(newest * 160, packet(newest))
    buffer.put(newest * 160, packet(newest))
    newest++
    buffer.take(frame)
  }
  assert.ok(buffer.figures().delayMs <= 40)
})

test('a sender whose clock is half a percent fast or slow never runs away', () => {
  for (const drift of [0.995, 1.005]) {
    const arrivals = Array.from({ length: 3000 }, (_, index) => ({ index, tick: Math.floor(index * drift) }))
    const buffer = new JitterBuffer(silence)
    let at = 0
    for (let tick = 0; tick < 2900; tick++) {
      for (; arrivals[at]?.tick === tick; at++) buffer.put(at * 160, packet(at))
      buffer.take(frame)
      assert.ok(buffer.figures().delayMs <= 260)
    }
    assert.ok(buffer.figures().silent < 100)
  }
})

test('packets of 10 and 30 ms are played like those of 20', () => {
  for (const length of [80, 240]) {
    const buffer = new JitterBuffer(silence)
    let sent = 0
    let heard = 0
    for (let tick = 0; tick < 60; tick++) {
      for (; sent * length < (tick + 1) * 160; sent++) buffer.put(sent * length, packet(sent, length))
      buffer.take(frame)
      heard += frame.filter(byte => byte !== silence).length
    }
    assert.ok(heard >= 57 * 160)
  }
})

test('a sender that begins anew far away is followed at once', () => {
  const buffer = new JitterBuffer(silence)
  buffer.put(1000, packet(1))
  buffer.take(frame)
  buffer.take(frame)
  buffer.put(3_000_000_000, packet(2))
  buffer.take(frame)
  buffer.take(frame)
  assert.equal(frame[0], 2)
})

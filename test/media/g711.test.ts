// G.711, resampling and WAV: what goes in comes out again, as far as eight bits allow.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { alawToPcm, alawToUlaw, pcmToAlaw, pcmToUlaw, ulawToAlaw, ulawToPcm } from '../../src/media/g711.ts'
import { createResampler, resample } from '../../src/media/resample.ts'
import { interleave, readWav, unknownBytes, wavHeader, wavHeaderBytes } from '../../src/media/wav.ts'
import { correlation, noise, sweep, tone } from './sound.ts'

const everyByte = Uint8Array.from({ length: 256 }, (_, byte) => byte)

test('every µ-law byte survives decoding and encoding, and the two zeros become one', () => {
  const expected = everyByte.map(byte => (byte === 0x7f ? 0xff : byte))
  assert.deepEqual(pcmToUlaw(ulawToPcm(everyByte)), expected)
})

test('every A-law byte survives decoding and encoding', () => {
  assert.deepEqual(pcmToAlaw(alawToPcm(everyByte)), everyByte)
})

test('the laws decode to the values of the recommendation', () => {
  assert.deepEqual([...ulawToPcm(Uint8Array.of(0x00, 0x80, 0xff, 0x7f, 0xf0))], [-32124, 32124, 0, 0, 120])
  assert.deepEqual([...alawToPcm(Uint8Array.of(0xd5, 0x55, 0x2a, 0xaa))], [8, -8, -32256, 32256])
})

test('a linear sample comes back within half a step of its segment in both laws', () => {
  fc.assert(
    fc.property(fc.integer({ min: -32_124, max: 32_124 }), sample => {
      const one = Int16Array.of(sample)
      const step = Math.max(16, 2 ** Math.ceil(Math.log2(Math.abs(sample) + 132)) / 32)
      assert.ok(Math.abs(ulawToPcm(pcmToUlaw(one))[0]! - sample) <= step)
      assert.ok(Math.abs(alawToPcm(pcmToAlaw(one))[0]! - sample) <= step)
    }),
  )
})

test('µ-law to A-law and back keeps a voice', () => {
  const voice = sweep(8000)
  const bytes = pcmToUlaw(voice)
  ulawToAlaw(bytes)
  assert.ok(correlation(voice, alawToPcm(bytes)) > 0.999)
  alawToUlaw(bytes)
  assert.ok(correlation(voice, ulawToPcm(bytes)) > 0.998)
})

for (const [from, to] of [
  [8000, 16_000],
  [16_000, 8000],
  [24_000, 8000],
  [8000, 24_000],
  [16_000, 24_000],
  [22_050, 8000],
] as const) {
  test(`a voice keeps its shape and length from ${from} to ${to} Hz`, () => {
    const before = sweep(from, { rateHz: from })
    const after = resample(before, from, to)
    assert.equal(after.length, to)
    assert.ok(correlation(sweep(to, { rateHz: to }), after) > 0.995)
  })
}

test('what 8 kHz cannot hold is taken out, not folded back', () => {
  const folded = resample(tone(6000, 16_000, 16_000), 16_000, 8000).slice(100, -100)
  assert.ok(folded.every(sample => Math.abs(sample) < 80))
})

test('a stream resamples alike however it is cut', () => {
  const input = noise(3000, 1)
  const whole = createResampler(24_000, 8000).add(input)
  fc.assert(
    fc.property(fc.array(fc.nat(700), { maxLength: 12 }), cuts => {
      const resampler = createResampler(24_000, 8000)
      const output: number[] = []
      let at = 0
      for (const cut of [...cuts, input.length]) {
        output.push(...resampler.add(input.subarray(at, Math.min(at + cut, input.length))))
        at = Math.min(at + cut, input.length)
      }
      assert.deepEqual(output, [...whole])
    }),
  )
})

test('a WAV file that was written is read again, and one cut off while it grew', () => {
  const left = pcmToUlaw(sweep(800))
  const right = pcmToUlaw(noise(800, 2))
  const data = new Uint8Array(1600)
  interleave(left, right, data)
  const format = { encoding: 'ulaw', channels: 2, sampleRateHz: 8000 } as const
  for (const bytes of [data.length, unknownBytes]) {
    const { channels, sampleRateHz, samples } = readWav(Buffer.concat([wavHeader(format, bytes), data]))
    assert.deepEqual([channels, sampleRateHz, samples.length], [2, 8000, 1600])
    assert.deepEqual(
      samples.filter((_, at) => at % 2 === 1),
      ulawToPcm(right),
    )
  }
  assert.equal(wavHeader(format, 0).length, wavHeaderBytes)
})

test('16-bit PCM is read; what is no audio is refused in a sentence', () => {
  const samples = sweep(100)
  const file = Buffer.concat([
    wavHeader({ encoding: 'pcm16', channels: 1, sampleRateHz: 16_000 }, 200),
    Buffer.from(samples.buffer),
  ])
  assert.deepEqual(readWav(file), { channels: 1, sampleRateHz: 16_000, samples })
  assert.throws(() => readWav(Buffer.from('<html>')), /not a WAV file/)
  file.writeUInt16LE(85, 20)
  assert.throws(() => readWav(file), /format 85/)
})

test('no bytes whatever make reading a WAV file do anything but answer or refuse', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), tail => {
      const file = Buffer.concat([Buffer.from('RIFF\0\0\0\0WAVEfmt '), tail])
      try {
        readWav(file)
      } catch (error) {
        assert.match((error as Error).message, /WAV file/)
      }
    }),
  )
})

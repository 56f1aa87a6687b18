// G.711: both laws as tables. µ-law is what agents and recordings hold; A-law exists only on the wire.

/** 8,000 samples a second, one byte each. */
export const sampleRateHz = 8000
/** One frame: 20 ms. */
export const frameBytes = 160
export const frameMs = 20

/** The byte that stands for silence. */
export const ulawSilence = 0xff

/** Loudest sample that µ-law holds before its bias is added (G.711 table 2a, in 16-bit scale). */
const ulawClip = 32_635
const ulawBias = 0x84
/** A-law's even bits travel inverted (G.711 §2.2). */
const alawToggle = 0x55

const ulawDecoded = Int16Array.from({ length: 256 }, (_, byte) => decodeUlaw(byte))
const alawDecoded = Int16Array.from({ length: 256 }, (_, byte) => decodeAlaw(byte))
/** Indexed by the sample's 16 bits, read as unsigned: a look-up instead of a search for the segment. */
const ulawEncoded = Uint8Array.from({ length: 65_536 }, (_, bits) => encodeUlaw((bits << 16) >> 16))
const alawEncoded = Uint8Array.from({ length: 65_536 }, (_, bits) => encodeAlaw((bits << 16) >> 16))
const ulawOfAlaw = Uint8Array.from(alawDecoded, sample => ulawEncoded[sample & 0xffff]!)
const alawOfUlaw = Uint8Array.from(ulawDecoded, sample => alawEncoded[sample & 0xffff]!)

/** µ-law bytes as 16-bit linear samples. */
export function ulawToPcm(bytes: Uint8Array): Int16Array {
  return decodeBy(ulawDecoded, bytes)
}

/** 16-bit linear samples as µ-law bytes. */
export function pcmToUlaw(samples: Int16Array): Uint8Array {
  return encodeBy(ulawEncoded, samples)
}

export function alawToPcm(bytes: Uint8Array): Int16Array {
  return decodeBy(alawDecoded, bytes)
}

export function pcmToAlaw(samples: Int16Array): Uint8Array {
  return encodeBy(alawEncoded, samples)
}

/** Rewrites A-law bytes as µ-law, in place: a frame is converted 50 times a second on every call. */
export function alawToUlaw(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; at++) bytes[at] = ulawOfAlaw[bytes[at]!]!
}

/** Rewrites µ-law bytes as A-law, in place. */
export function ulawToAlaw(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; at++) bytes[at] = alawOfUlaw[bytes[at]!]!
}

function decodeBy(table: Int16Array, bytes: Uint8Array): Int16Array {
  const samples = new Int16Array(bytes.length)
  for (let at = 0; at < bytes.length; at++) samples[at] = table[bytes[at]!]!
  return samples
}

function encodeBy(table: Uint8Array, samples: Int16Array): Uint8Array {
  const bytes = new Uint8Array(samples.length)
  for (let at = 0; at < samples.length; at++) bytes[at] = table[samples[at]! & 0xffff]!
  return bytes
}

function decodeUlaw(byte: number): number {
  const inverted = ~byte & 0xff
  const magnitude = ((((inverted & 0x0f) << 3) + ulawBias) << ((inverted >> 4) & 7)) - ulawBias
  return inverted & 0x80 ? -magnitude : magnitude
}

function encodeUlaw(sample: number): number {
  const magnitude = Math.min(Math.abs(sample), ulawClip) + ulawBias
  const segment = segmentOf(magnitude, 7)
  const mantissa = (magnitude >> (segment + 3)) & 0x0f
  return ~((sample < 0 ? 0x80 : 0) | (segment << 4) | mantissa) & 0xff
}

function decodeAlaw(byte: number): number {
  const plain = byte ^ alawToggle
  const segment = (plain >> 4) & 7
  const step = ((plain & 0x0f) << 4) + 8
  const magnitude = segment === 0 ? step : (step + 0x100) << (segment - 1)
  return plain & 0x80 ? magnitude : -magnitude
}

/** Negative samples are one's complements here, so that both signs have segments of the same width. */
function encodeAlaw(sample: number): number {
  const magnitude = sample < 0 ? ~sample : sample
  const segment = segmentOf(magnitude, 7)
  const mantissa = (magnitude >> (segment === 0 ? 4 : segment + 3)) & 0x0f
  return ((sample < 0 ? 0 : 0x80) | (segment << 4) | mantissa) ^ alawToggle
}

/** Each segment is twice as wide as the one below it; `firstBit` is the highest bit of segment 0. */
function segmentOf(magnitude: number, firstBit: number): number {
  const highestBit = 31 - Math.clz32(magnitude | 1)
  return Math.max(0, highestBit - firstBit)
}

// WAV files: the header of a call's recording, and reading the audio files that agents play.
import { alawToPcm, ulawToPcm } from './g711.ts'

export interface WavFormat {
  encoding: 'pcm16' | 'ulaw'
  channels: 1 | 2
  sampleRateHz: number
}

export interface WavAudio {
  sampleRateHz: number
  channels: number
  /** Channels interleaved. */
  samples: Int16Array
}

/** RIFF sizes of a file that is still being written: readers then go by the file's end. */
export const unknownBytes = 0xffff_ffff

/** Format tags of RFC 2361. */
const pcmTag = 1
const alawTag = 6
const ulawTag = 7
const extensibleTag = 0xfffe
/** A `fmt ` chunk with its (empty) extension, as formats other than PCM need it. */
const formatBytes = 18
const factBytes = 4
export const wavHeaderBytes = 12 + 8 + formatBytes + 8 + factBytes + 8

/**
 * What stands before the samples; always `wavHeaderBytes` long, so that it can be written again over itself when the
 * length is known.
 * @param dataBytes `unknownBytes` while the file grows
 */
export function wavHeader({ encoding, channels, sampleRateHz }: WavFormat, dataBytes: number): Buffer {
  const sampleBytes = encoding === 'pcm16' ? 2 : 1
  const blockBytes = sampleBytes * channels
  const known = dataBytes !== unknownBytes
  const header = Buffer.alloc(wavHeaderBytes)
  header.write('RIFF', 0, 'latin1')
  header.writeUInt32LE(known ? wavHeaderBytes - 8 + dataBytes : unknownBytes, 4)
  header.write('WAVEfmt ', 8, 'latin1')
  header.writeUInt32LE(formatBytes, 16)
  header.writeUInt16LE(encoding === 'pcm16' ? pcmTag : ulawTag, 20)
  header.writeUInt16LE(channels, 22)
  header.writeUInt32LE(sampleRateHz, 24)
  header.writeUInt32LE(sampleRateHz * blockBytes, 28)
  header.writeUInt16LE(blockBytes, 32)
  header.writeUInt16LE(sampleBytes * 8, 34)
  header.write('fact', 38, 'latin1')
  header.writeUInt32LE(factBytes, 42)
  header.writeUInt32LE(known ? dataBytes / blockBytes : unknownBytes, 46)
  header.write('data', 50, 'latin1')
  header.writeUInt32LE(dataBytes, 54)
  return header
}

/** Two mono tracks as one stereo track: left, right, left, right. Bytes of one-byte samples. */
export function interleave(left: Uint8Array, right: Uint8Array, into: Uint8Array, at = 0): void {
  for (let sample = 0; sample < left.length; sample++) {
    into[at + 2 * sample] = left[sample]!
    into[at + 2 * sample + 1] = right[sample]!
  }
}

/**
 * Reads 16-bit PCM, µ-law and A-law.
 * @throws Error with one sentence when the file is no WAV file or holds something else
 */
export function readWav(file: Uint8Array): WavAudio {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength)
  if (bytes.toString('latin1', 0, 4) !== 'RIFF' || bytes.toString('latin1', 8, 12) !== 'WAVE') {
    throw new Error('This is not a WAV file.')
  }
  const chunks = chunksOf(bytes)
  const format = chunks.get('fmt ')
  const data = chunks.get('data')
  if (format === undefined || format.length < 16 || data === undefined) {
    throw new Error('This WAV file has no format or no audio in it.')
  }
  const tag = format.readUInt16LE(0)
  const isExtensible = tag === extensibleTag && format.length >= 26
  const samples = samplesOf(isExtensible ? format.readUInt16LE(24) : tag, format.readUInt16LE(14), data)
  const channels = format.readUInt16LE(2)
  const sampleRateHz = format.readUInt32LE(4)
  if (channels === 0 || sampleRateHz === 0)
    throw new Error('This WAV file has no channels or no sample rate.')
  return { sampleRateHz, channels, samples }
}

function chunksOf(bytes: Buffer): Map<string, Buffer> {
  const chunks = new Map<string, Buffer>()
  for (let at = 12; at + 8 <= bytes.length; ) {
    const name = bytes.toString('latin1', at, at + 4)
    const size = bytes.readUInt32LE(at + 4)
    chunks.set(name, bytes.subarray(at + 8, at + 8 + size))
    // Chunks are padded to an even length; a file that was cut off, or is still being written, ends where it ends.
    at += 8 + size + (size % 2)
  }
  return chunks
}

function samplesOf(tag: number, bits: number, data: Buffer): Int16Array {
  if (tag === ulawTag && bits === 8) return ulawToPcm(data)
  if (tag === alawTag && bits === 8) return alawToPcm(data)
  if (tag !== pcmTag || bits !== 16) {
    throw new Error(
      `WAV files of 16-bit PCM, µ-law or A-law can be read; this one has format ${tag} with ${bits} bits.`,
    )
  }
  return Int16Array.from({ length: data.length >> 1 }, (_, at) => data.readInt16LE(2 * at))
}

// Bytes → text, when nobody says in which encoding: BOM, NUL parity, strict UTF-8, else windows-1252.
import { isUtf8 } from 'node:buffer'
import { Refusal } from '../domain/refusal.ts'

export type TextEncoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252'

/**
 * Finds the encoding. Excel's "Unicode text" is UTF-16 with a BOM, other tools leave it out: then every other byte of
 * the Latin letters is NUL. What is not valid UTF-8 is windows-1252, in which every byte means something.
 * Guessing libraries were slower and wrong: docs/decisions/reading-lists.md. Throws `invalid_csv` for binary data.
 */
export function findEncoding(bytes: Uint8Array): TextEncoding {
  const utf16 = utf16By(bytes)
  if (utf16 !== null) return utf16
  const nulAt = bytes.indexOf(0)
  if (nulAt !== -1) throw binary(nulAt)
  return isUtf8(bytes) ? 'utf-8' : 'windows-1252'
}

/** The text piece by piece, without its BOM: 100 MB decoded at once are 200 MB of memory. Throws like findEncoding. */
export function* decodeParts(bytes: Uint8Array, encoding: TextEncoding): Generator<string> {
  const decoder = new TextDecoder(encoding)
  for (let start = 0; start < bytes.length; start += maxPartBytes) {
    const end = start + maxPartBytes
    const text = decoder.decode(bytes.subarray(start, end), { stream: end < bytes.length })
    if (text.includes('\0')) throw binary(start)
    yield text
  }
}

const maxPartBytes = 2 * 1024 * 1024

/** Enough to see the parity; a whole file of 100 MB would take 50 ms for nothing. */
const sampleBytes = 4_096
/** A quarter of the bytes on one side being NUL is text of mostly Latin letters; a damaged file has a few. */
const minNulShare = 0.25

function utf16By(bytes: Uint8Array): 'utf-16le' | 'utf-16be' | null {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le'
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be'
  const sample = bytes.subarray(0, sampleBytes)
  const nuls = [0, 0]
  for (let at = 0; at < sample.length; at++) if (sample[at] === 0) nuls[at % 2]!++
  const [even = 0, odd = 0] = nuls.map(count => count / (sample.length / 2))
  if (odd >= minNulShare && even < odd / 4) return 'utf-16le'
  if (even >= minNulShare && odd < even / 4) return 'utf-16be'
  return null
}

function binary(at: number): Refusal {
  const sentence = `The file is not text: it holds a NUL near position ${at}. Save the list as CSV and send it again.`
  return new Refusal('invalid', 'invalid_csv', sentence, { position: at })
}

// Bytes → text, when nobody says in which encoding: BOM, NUL parity, strict UTF-8, else windows-1252.
import { Refusal } from '../domain/refusal.ts'

/**
 * Decodes a text file. Excel's "Unicode text" is UTF-16 with a BOM, other tools leave it out: then every other byte of
 * the Latin letters is NUL. What is not valid UTF-8 is windows-1252, in which every byte means something.
 * Guessing libraries were slower and wrong: docs/decisions/reading-lists.md. Throws `invalid_csv` for binary data.
 */
export function decodeText(bytes: Uint8Array): string {
  const utf16 = utf16By(bytes)
  if (utf16 !== null) return withoutNul(new TextDecoder(utf16).decode(bytes))
  const nulAt = bytes.indexOf(0)
  if (nulAt !== -1) throw binary(nulAt)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    if (error instanceof TypeError) return new TextDecoder('windows-1252').decode(bytes)
    throw error
  }
}

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

function withoutNul(text: string): string {
  const at = text.indexOf('\0')
  if (at !== -1) throw binary(at)
  return text
}

function binary(at: number): Refusal {
  const sentence = `The file is not text: it holds a NUL at position ${at}. Save the list as CSV and send it again.`
  return new Refusal('invalid', 'invalid_csv', sentence, { position: at })
}

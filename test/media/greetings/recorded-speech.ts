// Speech of espeak-ng, a second family of voices, kept as a file because it is no npm package: held out, never tuned on.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { brotliDecompressSync } from 'node:zlib'
import { ulawToPcm } from '../../../src/media/g711.ts'
import type { Speech } from './corpus.ts'
import type { Speaker } from './phrases.ts'

/** One JSON line with what follows, then the µ-law of each speech, all under Brotli. */
export const recordedSpeechPath = fileURLToPath(
  new URL('../../fixtures/espeak-greetings.br', import.meta.url),
)

export interface RecordedEntry {
  speaker: Speaker
  voice: string
  phrase: string
  bytes: number
}

/** Written by `scripts/make-greetings.ts --record`, where espeak-ng is installed. */
export function readRecordedSpeech(): Speech[] {
  const file = brotliDecompressSync(readFileSync(recordedSpeechPath))
  const headEnd = file.indexOf('\n')
  const entries = JSON.parse(file.toString('utf8', 0, headEnd)) as RecordedEntry[]
  let at = headEnd + 1
  return entries.map(({ speaker, voice, phrase, bytes }) => {
    const samples = ulawToPcm(file.subarray(at, at + bytes))
    at += bytes
    return { half: 'held-out', speaker, voice, phrase, samples }
  })
}

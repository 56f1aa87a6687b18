// `node scripts/make-greetings.ts`: makes the corpus of greetings and writes what was heard in it into the guide.
//   --check       says whether the guide's tables are stale, writes nothing
//   --wav FOLDER  writes the greetings to listen to
//   --record      speaks the held-out phrases anew with espeak-ng (Debian: apt-get install espeak-ng) into test/fixtures/
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants } from 'node:zlib'
import { pcmToUlaw, sampleRateHz, ulawToPcm } from '../src/media/g711.ts'
import { resample } from '../src/media/resample.ts'
import { type Greeting, makeCorpus } from '../test/media/greetings/corpus.ts'
import { guidePart, guidePath, withGuidePart } from '../test/media/greetings/guide-part.ts'
import { phrases, piecesOf, type Speaker } from '../test/media/greetings/phrases.ts'
import { type RecordedEntry, recordedSpeechPath } from '../test/media/greetings/recorded-speech.ts'
import { atLevel, joined, silence, trimmed } from '../test/media/greetings/sound-making.ts'

/** A man and two women who share no sound with flite's voices. */
const espeakVoices: Readonly<Record<Speaker, readonly string[]>> = {
  person: ['en-us', 'en-gb+f3', 'en-gb-scotland+f5'],
  machine: ['en-us'],
}
/** Quiet speech has fewer different bytes and packs tighter; the corpus sets its own levels. dBm0. */
const recordedLevel = -26
const wavHeaderBytes = 44
const wavRateAt = 24

const options = process.argv.slice(2)
if (options.includes('--record')) record()
const corpus = makeCorpus()
const wavFolder = options[options.indexOf('--wav') + 1]
if (options.includes('--wav') && wavFolder !== undefined) writeWavs(corpus, wavFolder)
const page = readFileSync(guidePath, 'utf8')
const fresh = withGuidePart(page, guidePart(corpus))
if (!options.includes('--check')) writeFileSync(guidePath, fresh)
else if (fresh !== page) {
  console.error('docs/guide/answering-machines.md is stale. Run: node scripts/make-greetings.ts')
  process.exitCode = 1
}

function record(): void {
  const entries: RecordedEntry[] = []
  const sounds: Uint8Array[] = []
  for (const speaker of ['person', 'machine'] as const) {
    for (const phrase of phrases['held-out'][speaker]) {
      for (const voice of espeakVoices[speaker]) {
        const ulaw = pcmToUlaw(atLevel(espeak(voice, phrase), recordedLevel))
        entries.push({ speaker, voice, phrase, bytes: ulaw.length })
        sounds.push(ulaw)
      }
    }
  }
  const file = Buffer.concat([Buffer.from(`${JSON.stringify(entries)}\n`), ...sounds])
  const packed = brotliCompressSync(file, { params: { [constants.BROTLI_PARAM_LGWIN]: 22 } })
  writeFileSync(recordedSpeechPath, packed)
  console.log(`${recordedSpeechPath}: ${entries.length} phrases, ${packed.length} bytes`)
}

function espeak(voice: string, phrase: string): Int16Array {
  const pieces = piecesOf(phrase).map(piece =>
    typeof piece === 'number' ? silence(piece) : say(voice, piece),
  )
  return joined(pieces)
}

function say(voice: string, text: string): Int16Array {
  const wav = execFileSync('espeak-ng', ['-v', voice, '--stdout', text])
  const samples = new Int16Array(
    wav.buffer.slice(wav.byteOffset + wavHeaderBytes, wav.byteOffset + wav.length),
  )
  return trimmed(resample(samples, wav.readUInt32LE(wavRateAt), sampleRateHz))
}

function writeWavs(greetings: readonly Greeting[], folder: string): void {
  mkdirSync(folder, { recursive: true })
  greetings.forEach(({ name, half, speaker, ulaw }, at) => {
    const file = `${half}-${speaker}-${at}-${name.split(':')[0]!.replaceAll(/[^a-z0-9]+/gi, '-')}.wav`
    writeFileSync(join(folder, file), wavOf(ulawToPcm(ulaw)))
  })
}

/** RIFF with linear samples, one channel: any player opens it. */
function wavOf(samples: Int16Array): Buffer {
  const header = Buffer.alloc(wavHeaderBytes)
  header.write('RIFF', 0, 'latin1')
  header.writeUInt32LE(wavHeaderBytes - 8 + samples.byteLength, 4)
  header.write('WAVEfmt ', 8, 'latin1')
  header.writeUInt32LE(16, 16)
  header.writeUInt16LE(1, 20)
  header.writeUInt16LE(1, 22)
  header.writeUInt32LE(sampleRateHz, wavRateAt)
  header.writeUInt32LE(sampleRateHz * 2, 28)
  header.writeUInt16LE(2, 32)
  header.writeUInt16LE(16, 34)
  header.write('data', 36, 'latin1')
  header.writeUInt32LE(samples.byteLength, 40)
  return Buffer.concat([header, Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength)])
}

// Speech for the scripted agent: made in a thread of its own, sentence by sentence, and kept as long as it is asked for.
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { SpeechDelivery, SpeechOrder } from './speech-worker.ts'
import type { Utterance } from './voice.ts'

export interface Speech {
  /** µ-law at 8 kHz. Rejects when the text cannot be spoken. The array is shared: do not write into it. */
  speak(utterance: Utterance): Promise<Uint8Array>
  close(): Promise<void>
}

/** 35 minutes of audio: the sentences of a batch that do not change from row to row. */
const maxKeptBytes = 16 * 1024 * 1024
/** Sentences that wait for the thread; at 0.1 s each this is a minute of work. */
const maxWaitingSentences = 600

/** A row's own values may be long, and 2,000 characters of `%$#@&` would be spoken for 12 minutes: texts have an end. */
const maxTextChars = 10_000
const maxTextBytes = 8_000 * 180
/** Flite's work grows faster than the text: 2,000 digits at once took 40 s, in pieces 20. */
const maxSentenceChars = 200

/** The thread starts with the first sentence and does not keep the process alive. */
export function openSpeech(): Speech {
  const thread = openSpeechThread()
  const kept = openShelf()
  const sentence = (utterance: Utterance): Promise<Uint8Array> => {
    const key = JSON.stringify([utterance.voice, utterance.speed, utterance.text])
    const found = kept.find(key)
    if (found !== null) return found
    const made = thread.speak(utterance)
    kept.put(key, made)
    return made
  }
  return {
    async speak({ text, ...manner }) {
      if (text.length > maxTextChars)
        throw new Error(`A text of over ${maxTextChars} characters is not spoken.`)
      const parts: Uint8Array[] = []
      let bytes = 0
      // One after the other: the sentences of other calls come in between.
      for (const part of sentencesOf(text)) {
        const audio = await sentence({ text: part, ...manner })
        bytes += audio.length
        if (bytes > maxTextBytes) throw new Error(`A text of over ${maxTextBytes / 8_000} s is not spoken.`)
        parts.push(audio)
      }
      return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
    },
    close: thread.close,
  }
}

const sentenceEnd = /(?<=[.!?])\s+(?=\p{Lu})/u
/** After these a dot ends no sentence. */
const abbreviation = /\b(?:Mr|Mrs|Ms|Dr|St|Prof|No|Sr|Jr|Inc|Ltd|Co|\p{Lu})\.$/u

/**
 * Cuts a text where sentences end, so that "Hello Maria." is made for each row and the rest once for all. Flite joins
 * sentences by a pause in any case: nothing is lost to the ear.
 */
export function sentencesOf(text: string): string[] {
  const sentences: string[] = []
  for (const part of text.trim().split(sentenceEnd)) {
    const last = sentences.at(-1)
    if (last !== undefined && abbreviation.test(last)) sentences[sentences.length - 1] = `${last} ${part}`
    else sentences.push(part)
  }
  return sentences.flatMap(piecesOf)
}

/** Overlong sentences are cut between words, if there are any. */
function piecesOf(sentence: string): string[] {
  const pieces: string[] = []
  let rest = sentence
  while (rest.length > maxSentenceChars) {
    const space = rest.lastIndexOf(' ', maxSentenceChars)
    const end = space > 0 ? space : maxSentenceChars
    pieces.push(rest.slice(0, end))
    rest = rest.slice(end).trimStart()
  }
  return rest === '' ? pieces : [...pieces, rest]
}

/** What was made, least recently used first; what could not be made is not kept. */
function openShelf() {
  const shelf = new Map<string, { made: Promise<Uint8Array>; bytes: number }>()
  let bytes = 0
  const remove = (key: string) => {
    bytes -= shelf.get(key)?.bytes ?? 0
    shelf.delete(key)
  }
  const weigh = (key: string, entry: { made: Promise<Uint8Array>; bytes: number }, size: number) => {
    if (shelf.get(key) !== entry) return
    entry.bytes = size
    bytes += size
    for (const oldest of shelf.keys()) {
      if (bytes <= maxKeptBytes) break
      remove(oldest)
    }
  }
  return {
    find(key: string): Promise<Uint8Array> | null {
      const entry = shelf.get(key)
      if (entry === undefined) return null
      shelf.delete(key)
      shelf.set(key, entry)
      return entry.made
    },
    put(key: string, made: Promise<Uint8Array>): void {
      const entry = { made, bytes: 0 }
      shelf.set(key, entry)
      made.then(
        audio => weigh(key, entry, audio.length),
        () => {
          if (shelf.get(key) === entry) remove(key)
        },
      )
    },
  }
}

/** Beside this file, with its ending: `.ts` here, `.js` in a built package. */
const workerFile = new URL(`./speech-worker${extname(import.meta.url)}`, import.meta.url)

/** A thread that dies fails what it was to say; the next sentence starts a new one. */
function openSpeechThread() {
  const waiting = new Map<number, PromiseWithResolvers<Uint8Array>>()
  let worker: Worker | null = null
  let nextId = 1
  const settle = (delivery: SpeechDelivery) => {
    const promised = waiting.get(delivery.id)
    waiting.delete(delivery.id)
    if (waiting.size === 0) worker?.unref()
    if ('audio' in delivery) promised?.resolve(delivery.audio)
    else promised?.reject(new Error(delivery.error))
  }
  const lose = (dead: Worker) => {
    if (worker !== dead) return
    worker = null
    for (const id of [...waiting.keys()]) settle({ id, error: 'The speech thread ended.' })
  }
  const start = (): Worker => {
    const started = new Worker(workerFile, { name: 'speech' })
    started.on('message', settle)
    started.on('error', () => lose(started))
    started.on('exit', () => lose(started))
    return started
  }
  return {
    speak(utterance: Utterance): Promise<Uint8Array> {
      if (waiting.size >= maxWaitingSentences) {
        return Promise.reject(new Error('Too many sentences are waiting to be spoken.'))
      }
      worker ??= start()
      worker.ref()
      const promised = Promise.withResolvers<Uint8Array>()
      const order: SpeechOrder = { id: nextId++, utterance }
      waiting.set(order.id, promised)
      worker.postMessage(order)
      return promised.promise
    },
    async close(): Promise<void> {
      await worker?.terminate()
    },
  }
}

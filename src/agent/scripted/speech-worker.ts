// The thread that speaks: one utterance after the other, so that no thread that paces audio ever waits for a word.
import { parentPort } from 'node:worker_threads'
import { synthesize } from './flite.ts'
import type { Utterance } from './voice.ts'

export interface SpeechOrder {
  id: number
  utterance: Utterance
}

export type SpeechDelivery = { id: number; audio: Uint8Array } | { id: number; error: string }

parentPort?.on('message', ({ id, utterance }: SpeechOrder) => {
  parentPort?.postMessage(deliver(id, utterance))
})

function deliver(id: number, utterance: Utterance): SpeechDelivery {
  try {
    return { id, audio: synthesize(utterance) }
  } catch (error) {
    return { id, error: error instanceof Error ? error.message : String(error) }
  }
}

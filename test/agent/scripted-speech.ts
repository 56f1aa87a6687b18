// Speech for tests that are not about voices: a tone as long as the text, at once.
import type { Speech } from '../../src/agent/scripted/speech.ts'

const bytesPerChar = 400

export const toneSpeech: Speech = {
  speak: async ({ text }) => toneOf(text),
  close: async () => {},
}

/** 50 ms for each character, different for each text. */
export function toneOf(text: string): Uint8Array {
  const pitch = 3 + (text.length % 7)
  return Uint8Array.from(
    { length: text.length * bytesPerChar },
    (_, sample) => 0x10 + ((sample * pitch) % 0x60),
  )
}

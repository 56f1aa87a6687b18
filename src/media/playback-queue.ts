// What an agent wants to be heard: audio of any length cut into frames, with marks that are told when it has been played.
import { frameBytes, ulawSilence } from './g711.ts'

/** Ten minutes: an agent that is so far ahead of the line is broken, and memory has an end. */
export const maxQueuedBytes = 10 * 60 * 8000

/** A minute: as long as anybody talks before it is clear that a machine listens. */
export const maxTapeBytes = 60 * 8000

/** Cut off together. */
const maxDoneItems = 64

type Item = { kind: 'audio'; bytes: Uint8Array; at: number } | { kind: 'mark'; reached: () => void }

export function createPlaybackQueue(): PlaybackQueue {
  return new PlaybackQueue()
}

/** What waits and how far it got; the line asks for a frame every 20 ms. */
export class PlaybackQueue {
  #items: Item[] = []
  /** Items before it are done; they are cut off when they are many, since `shift` moves all that follow. */
  #first = 0
  #queued = 0
  #played = 0
  #held = false
  /** What was played while it is kept; null: nothing is. */
  #tape: Uint8Array[] | null = null
  #tapeBytes = 0

  /** Queues µ-law; the bytes are copied. False: more than `maxQueuedBytes` would wait, nothing was taken. */
  play(ulaw: Uint8Array): boolean {
    if (this.#queued + ulaw.length > maxQueuedBytes) return false
    if (ulaw.length === 0) return true
    this.#items.push({ kind: 'audio', bytes: ulaw.slice(), at: 0 })
    this.#queued += ulaw.length
    return true
  }

  /** Calls `reached` when all that was queued before has been played, or dropped. */
  mark(reached: () => void): void {
    this.#items.push({ kind: 'mark', reached })
  }

  /** Drops what was not played; marks that waited for it are told at once, in order. */
  clear(): void {
    const dropped = this.#items.slice(this.#first)
    this.#items = []
    this.#first = this.#queued = 0
    for (const item of dropped) if (item.kind === 'mark') item.reached()
  }

  /**
   * The frame for this tick; false: nothing to play, `frame` is silence. Marks are told at the tick after the last
   * frame before them, when that frame's 20 ms are over. A mark may stop the queue for this tick by `hold`.
   */
  next(frame: Uint8Array): boolean {
    this.#tellMarks()
    const filled = this.#held ? 0 : this.#fill(frame)
    frame.fill(ulawSilence, filled, frameBytes)
    this.#queued -= filled
    this.#played += filled
    return filled > 0
  }

  /** Stops playing until `release`, e.g. while a key is pressed. May be called by a mark. */
  hold(): void {
    this.#held = true
  }

  release(): void {
    this.#held = false
  }

  /** From now on what is played is kept too, up to `maxTapeBytes`, until `forget`. */
  keep(): void {
    this.#tape ??= []
  }

  /** What was kept is to be played again, before all that waits; marks in it are not told again. */
  rewind(): void {
    const again = (this.#tape ?? []).map(bytes => ({ kind: 'audio' as const, bytes, at: 0 }))
    this.#items = [...again, ...this.#items.slice(this.#first)]
    this.#first = 0
    this.#queued += this.#tapeBytes
    this.#played -= this.#tapeBytes
    this.forget()
  }

  forget(): void {
    this.#tape = null
    this.#tapeBytes = 0
  }

  /** Milliseconds of audio that were handed out, without padding. */
  playedMs(): number {
    return this.#played / 8
  }

  /** Audio that waits, bytes. */
  queuedBytes(): number {
    return this.#queued
  }

  #tellMarks(): void {
    for (
      let item = this.#items[this.#first];
      !this.#held && item?.kind === 'mark';
      item = this.#items[this.#first]
    ) {
      this.#advance()
      item.reached()
    }
  }

  #fill(frame: Uint8Array): number {
    let filled = 0
    for (
      let item = this.#items[this.#first];
      filled < frameBytes && item?.kind === 'audio';
      item = this.#items[this.#first]
    ) {
      const part = item.bytes.subarray(item.at, item.at + frameBytes - filled)
      frame.set(part, filled)
      this.#keepPart(part)
      item.at += part.length
      filled += part.length
      if (item.at === item.bytes.length) this.#advance()
    }
    return filled
  }

  #advance(): void {
    this.#first++
    if (this.#first < this.#items.length && this.#first < maxDoneItems) return
    this.#items = this.#items.slice(this.#first)
    this.#first = 0
  }

  #keepPart(part: Uint8Array): void {
    if (this.#tape === null || this.#tapeBytes + part.length > maxTapeBytes) return
    this.#tape.push(part)
    this.#tapeBytes += part.length
  }
}

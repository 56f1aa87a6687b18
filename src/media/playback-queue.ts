// What an agent wants to be heard: audio of any length cut into frames, with marks that are told when it has been played.
import { frameBytes, ulawSilence } from './g711.ts'

export interface PlaybackQueue {
  /** Queues µ-law; the bytes are copied. False: more than `maxQueuedBytes` would wait, nothing was taken. */
  play(ulaw: Uint8Array): boolean
  /** Calls `reached` when all that was queued before has been played, or dropped. */
  mark(reached: () => void): void
  /** Drops what was not played; marks that waited for it are told at once, in order. */
  clear(): void
  /**
   * The frame for this tick; false: nothing to play, `frame` is silence. Marks are told at the tick after the last
   * frame before them, when that frame's 20 ms are over. A mark may stop the queue for this tick by `hold`.
   */
  next(frame: Uint8Array): boolean
  /** Stops playing until `release`, e.g. while a key is pressed. May be called by a mark. */
  hold(): void
  release(): void
  /** From now on what is played is kept too, up to `maxTapeBytes`, until `forget`. */
  keep(): void
  /** What was kept is to be played again, before all that waits; marks in it are not told again. */
  rewind(): void
  forget(): void
  /** Milliseconds of audio that were handed out, without padding. */
  playedMs(): number
  /** Audio that waits, bytes. */
  queuedBytes(): number
}

/** Ten minutes: an agent that is so far ahead of the line is broken, and memory has an end. */
export const maxQueuedBytes = 10 * 60 * 8000

/** A minute: as long as anybody talks before it is clear that a machine listens. */
export const maxTapeBytes = 60 * 8000

type Item = { kind: 'audio'; bytes: Uint8Array; at: number } | { kind: 'mark'; reached: () => void }

export function createPlaybackQueue(): PlaybackQueue {
  let items: Item[] = []
  /** Items before it are done; they are cut off when they are many, since `shift` moves all that follow. */
  let first = 0
  let queued = 0
  let played = 0
  let held = false
  /** What was played while it is kept; null: nothing is. */
  let tape: Uint8Array[] | null = null
  let tapeBytes = 0

  const tellMarks = () => {
    for (let item = items[first]; !held && item?.kind === 'mark'; item = items[first]) {
      advance()
      item.reached()
    }
  }

  const advance = () => {
    first++
    if (first < items.length && first < 64) return
    items = items.slice(first)
    first = 0
  }

  const fill = (frame: Uint8Array): number => {
    let filled = 0
    for (let item = items[first]; filled < frameBytes && item?.kind === 'audio'; item = items[first]) {
      const count = Math.min(frameBytes - filled, item.bytes.length - item.at)
      const part = item.bytes.subarray(item.at, item.at + count)
      frame.set(part, filled)
      keepPart(part)
      item.at += count
      filled += count
      if (item.at === item.bytes.length) advance()
    }
    return filled
  }

  const keepPart = (part: Uint8Array) => {
    if (tape === null || tapeBytes + part.length > maxTapeBytes) return
    tape.push(part)
    tapeBytes += part.length
  }

  return {
    play(ulaw) {
      if (queued + ulaw.length > maxQueuedBytes) return false
      if (ulaw.length === 0) return true
      items.push({ kind: 'audio', bytes: ulaw.slice(), at: 0 })
      queued += ulaw.length
      return true
    },
    mark(reached) {
      items.push({ kind: 'mark', reached })
    },
    clear() {
      const dropped = items.slice(first)
      items = []
      first = queued = 0
      for (const item of dropped) if (item.kind === 'mark') item.reached()
    },
    next(frame) {
      if (!held) tellMarks()
      const filled = held ? 0 : fill(frame)
      frame.fill(ulawSilence, filled, frameBytes)
      queued -= filled
      played += filled
      return filled > 0
    },
    hold() {
      held = true
    },
    release() {
      held = false
    },
    keep() {
      tape ??= []
    },
    rewind() {
      const again = (tape ?? []).map(bytes => ({ kind: 'audio' as const, bytes, at: 0 }))
      items = [...again, ...items.slice(first)]
      first = 0
      queued += tapeBytes
      played -= tapeBytes
      tape = null
      tapeBytes = 0
    },
    forget() {
      tape = null
      tapeBytes = 0
    },
    playedMs: () => played / 8,
    queuedBytes: () => queued,
  }
}

// Puts what the network delivers early, late, twice or never back into an even stream of 20 ms frames.
import { frameBytes } from './g711.ts'

export interface JitterFigures {
  /** Came after their turn and were dropped. */
  late: number
  /** Frames that were silence because nothing had come in time. */
  silent: number
  /** How far playing lies behind the newest sample, ms. */
  delayMs: number
}

/** 100 ms: no telephone sends longer packets. */
export const maxPayloadBytes = 800
/** Samples held at most: half a second. A power of two, so that timestamps wrap onto it. */
const ringSamples = 4096
/** Playing starts this far behind the first packet: one frame of room for jitter. */
const startDelay = frameBytes
/** Beyond this delay nothing more is inserted: conversation suffers above 150 ms one way (ITU-T G.114). */
const maxDelay = 8 * frameBytes
/** Packets over which the smallest margin is watched before delay is given back: 2 s. */
const watchedPackets = 100
/** A packet further from the expected place than this is another stream, not a late packet. */
const maxJump = ringSamples - maxPayloadBytes - frameBytes

/**
 * Adaptive within bounds. The ring is addressed by timestamp, so order and duplicates take care of themselves, and what
 * never came is the silence that was there before. A packet that comes late makes the buffer wait one frame longer; when
 * for two seconds every packet came more than a frame early, one frame of delay is given back.
 */
export class JitterBuffer {
  readonly #silence: number
  readonly #ring: Uint8Array
  /** Timestamp of the next sample to play; null: nothing came yet. */
  #playAt: number | null = null
  /** One past the newest sample that came. */
  #newestEnd = 0
  #mustWait = false
  #mustSkip = false
  #smallestMargin = Number.POSITIVE_INFINITY
  #watched = 0
  #late = 0
  #silent = 0

  /** @param silence the law's byte for silence */
  constructor(silence: number) {
    this.#silence = silence
    this.#ring = new Uint8Array(ringSamples).fill(silence)
  }

  /** One packet's audio, of any length up to `maxPayloadBytes`. */
  put(timestamp: number, payload: Uint8Array): void {
    if (payload.length === 0 || payload.length > maxPayloadBytes) return
    if (this.#playAt === null || Math.abs((timestamp - this.#playAt) | 0) > maxJump) this.#begin(timestamp)
    const margin = (timestamp - this.#playAt!) | 0
    this.#watch(margin)
    if (margin + payload.length <= 0) {
      this.#late++
      return
    }
    const lateBytes = Math.max(0, -margin)
    for (let at = lateBytes; at < payload.length; at++) {
      this.#ring[(timestamp + at) & (ringSamples - 1)] = payload[at]!
    }
    const end = (timestamp + payload.length) >>> 0
    if (((end - this.#newestEnd) | 0) > 0) this.#newestEnd = end
    if (this.#ahead() > maxDelay + maxPayloadBytes) this.#mustSkip = true
  }

  /** Fills `frame` with the next 20 ms; false: all of it is silence. Call it every 20 ms. */
  take(frame: Uint8Array): boolean {
    const waits = this.#mustWait && this.#ahead() < maxDelay
    this.#mustWait = false
    if (this.#playAt === null || waits) {
      frame.fill(this.#silence, 0, frameBytes)
      this.#silent++
      return false
    }
    if (this.#mustSkip) this.#skip()
    const hadSound = this.#ahead() > 0
    for (let at = 0; at < frameBytes; at++) {
      const place = (this.#playAt + at) & (ringSamples - 1)
      frame[at] = this.#ring[place]!
      this.#ring[place] = this.#silence
    }
    this.#playAt = (this.#playAt + frameBytes) >>> 0
    if (!hadSound) this.#silent++
    return hadSound
  }

  /** The other side began a new stream (SSRC change, re-INVITE): what is held is forgotten. */
  restart(): void {
    this.#ring.fill(this.#silence)
    this.#playAt = null
    this.#mustWait = this.#mustSkip = false
    this.#smallestMargin = Number.POSITIVE_INFINITY
    this.#watched = 0
  }

  figures(): JitterFigures {
    return { late: this.#late, silent: this.#silent, delayMs: Math.max(0, this.#ahead()) / 8 }
  }

  #ahead(): number {
    return this.#playAt === null ? 0 : (this.#newestEnd - this.#playAt) | 0
  }

  #begin(timestamp: number): void {
    this.restart()
    this.#playAt = (timestamp - startDelay) >>> 0
    this.#newestEnd = timestamp
  }

  /** @param margin samples between what is played next and this packet */
  #watch(margin: number): void {
    if (margin < 0) this.#mustWait = true
    this.#smallestMargin = Math.min(this.#smallestMargin, margin)
    if (++this.#watched < watchedPackets) return
    this.#mustSkip = this.#smallestMargin >= 2 * frameBytes
    this.#smallestMargin = Number.POSITIVE_INFINITY
    this.#watched = 0
  }

  #skip(): void {
    this.#mustSkip = false
    for (let at = 0; at < frameBytes; at++)
      this.#ring[(this.#playAt! + at) & (ringSamples - 1)] = this.#silence
    this.#playAt = (this.#playAt! + frameBytes) >>> 0
  }
}

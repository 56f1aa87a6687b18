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

export interface JitterBuffer {
  /** One packet's audio, of any length up to `maxPayloadBytes`, in the wire's law. */
  put(timestamp: number, payload: Uint8Array): void
  /** Fills `frame` with the next 20 ms; false: all of it is silence. Call it every 20 ms. */
  take(frame: Uint8Array): boolean
  /** The other side began a new stream (SSRC change, re-INVITE): what is held is forgotten. */
  restart(): void
  figures(): JitterFigures
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
 * @param silence the law's byte for silence
 */
export function createJitterBuffer(silence: number): JitterBuffer {
  const ring = new Uint8Array(ringSamples).fill(silence)
  /** Timestamp of the next sample to play; null: nothing came yet. */
  let playAt: number | null = null
  /** One past the newest sample that came. */
  let newestEnd = 0
  let mustWait = false
  let mustSkip = false
  let smallestMargin = Number.POSITIVE_INFINITY
  let watched = 0
  let late = 0
  let silent = 0

  const restart = () => {
    ring.fill(silence)
    playAt = null
    mustWait = mustSkip = false
    smallestMargin = Number.POSITIVE_INFINITY
    watched = 0
  }

  const begin = (timestamp: number) => {
    restart()
    playAt = (timestamp - startDelay) >>> 0
    newestEnd = timestamp
  }

  const watch = (margin: number) => {
    smallestMargin = Math.min(smallestMargin, margin)
    if (++watched < watchedPackets) return
    mustSkip = smallestMargin >= 2 * frameBytes
    smallestMargin = Number.POSITIVE_INFINITY
    watched = 0
  }

  const put = (timestamp: number, payload: Uint8Array) => {
    if (payload.length === 0 || payload.length > maxPayloadBytes) return
    if (playAt === null || Math.abs((timestamp - playAt) | 0) > maxJump) begin(timestamp)
    const margin = (timestamp - playAt!) | 0
    watch(margin)
    if (margin < 0) mustWait = true
    if (margin + payload.length <= 0) {
      late++
      return
    }
    write(timestamp, margin < 0 ? payload.subarray(-margin) : payload, Math.max(0, -margin))
    const end = (timestamp + payload.length) >>> 0
    if (((end - newestEnd) | 0) > 0) newestEnd = end
    if (((newestEnd - playAt!) | 0) > maxDelay + maxPayloadBytes) mustSkip = true
  }

  const write = (timestamp: number, bytes: Uint8Array, offset: number) => {
    for (let at = 0; at < bytes.length; at++) ring[(timestamp + offset + at) & (ringSamples - 1)] = bytes[at]!
  }

  const take = (frame: Uint8Array): boolean => {
    if (playAt === null) return giveSilence(frame)
    const ahead = (newestEnd - playAt) | 0
    if (mustWait && ahead < maxDelay) {
      mustWait = false
      return giveSilence(frame)
    }
    mustWait = false
    if (mustSkip) skip()
    for (let at = 0; at < frameBytes; at++) {
      const place = (playAt + at) & (ringSamples - 1)
      frame[at] = ring[place]!
      ring[place] = silence
    }
    const hadSound = ((newestEnd - playAt) | 0) > 0
    playAt = (playAt + frameBytes) >>> 0
    if (!hadSound) silent++
    return hadSound
  }

  const skip = () => {
    mustSkip = false
    for (let at = 0; at < frameBytes; at++) ring[(playAt! + at) & (ringSamples - 1)] = silence
    playAt = (playAt! + frameBytes) >>> 0
  }

  const giveSilence = (frame: Uint8Array) => {
    frame.fill(silence, 0, frameBytes)
    silent++
    return false
  }

  const delayMs = () => (playAt === null ? 0 : Math.max(0, (newestEnd - playAt) | 0) / 8)
  return { put, take, restart, figures: () => ({ late, silent, delayMs: delayMs() }) }
}

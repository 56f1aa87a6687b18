// Keys as RFC 4733 telephone events: a pad that presses them and an ear that hears each one once.
import { frameBytes } from './g711.ts'

/** Event codes 0 to 15 (RFC 4733 §3.2). */
const keys = '0123456789*#ABCD'

/** One packet of an event, for the tick it is sent in. */
export interface EventPacket {
  payload: Uint8Array
  /** Set on the first packet of a key only (§2.5.1.2). */
  marker: boolean
  /** How many timestamp units the event began before this tick: all packets of a key carry the time of its start. */
  startedBefore: number
}

export interface KeyPad {
  /** Queues keys; anything that is none is left out. At most `maxQueuedKeys` wait. */
  press(digits: string): void
  /** What this tick sends instead of audio; null: audio. A pause between two keys is audio too, and `isBusy`. */
  next(): EventPacket | null
  isBusy(): boolean
}

/** Enough for a card number and a menu; more is a program gone wrong. */
export const maxQueuedKeys = 64
/** Carriers want 40 ms at least (ITU-T Q.24); answering systems 80 to 100. In ticks of 20 ms. */
export const toneTicks = 5
/** The last packet is sent three times (§2.5.1.4): one of them may be lost. */
const endPackets = 3
/** Between two keys, in ticks, after the repeated end packets. */
const pauseTicks = 3
/** −10 dBm0, as most gateways send (§2.3.4: 0 to 63, a positive number of dB below). */
const volume = 10

export function createKeyPad(): KeyPad {
  let waiting = ''
  /** Ticks since the key at the front of `waiting` was first sent. */
  let tick = 0
  const lastTick = toneTicks + endPackets - 1 + pauseTicks
  return {
    press(digits) {
      const valid = [...digits.toUpperCase()].filter(digit => keys.includes(digit)).join('')
      waiting = (waiting + valid).slice(0, maxQueuedKeys)
    },
    next() {
      if (waiting === '') return null
      const packet = eventPacket(keys.indexOf(waiting[0]!), tick)
      tick++
      if (tick >= lastTick) {
        waiting = waiting.slice(1)
        tick = 0
      }
      return packet
    },
    isBusy: () => waiting !== '',
  }
}

/** §2.3: event, E bit with volume, duration so far in timestamp units. */
function eventPacket(event: number, tick: number): EventPacket | null {
  if (tick >= toneTicks + endPackets - 1) return null
  const isEnd = tick >= toneTicks - 1
  const duration = Math.min(tick + 1, toneTicks) * frameBytes
  const payload = Uint8Array.of(event, (isEnd ? 0x80 : 0) | volume, duration >> 8, duration & 0xff)
  return { payload, marker: tick === 0, startedBefore: tick * frameBytes }
}

export interface KeyEar {
  /** One event packet; the key, when this is the first that is heard of it. */
  hear(payload: Uint8Array, timestamp: number): string | null
}

const eventBytes = 4
/** A key held longer than a packet can count goes on under a new timestamp (§2.5.1.3). */
const maxDuration = 0xffff

/** Tells each key once, however often its packets are repeated, late or lost: they share one timestamp. */
export function createKeyEar(): KeyEar {
  let last: { event: number; timestamp: number; duration: number } | null = null
  return {
    hear(payload, timestamp) {
      if (payload.length < eventBytes) return null
      const event = payload[0]!
      const duration = (payload[2]! << 8) | payload[3]!
      const key = keys[event]
      if (key === undefined) return null
      const before = last
      // Signed distance, so that timestamps may wrap around 2^32.
      const ahead = before === null ? 1 : (timestamp - before.timestamp) | 0
      if (ahead < 0) return null
      last = { event, timestamp, duration: ahead === 0 ? Math.max(duration, before!.duration) : duration }
      if (ahead === 0) return null
      const goesOn = before !== null && before.event === event && before.duration === maxDuration
      return goesOn && ahead === maxDuration ? null : key
    },
  }
}

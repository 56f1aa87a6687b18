// The middle of one call: network frames in, agent's frames out, keys both ways, and both tracks for the recording.
import { createKeyEar, createKeyPad, type EventPacket } from './dtmf.ts'
import { alawToUlaw, frameBytes, ulawSilence, ulawToAlaw } from './g711.ts'
import { createJitterBuffer, type JitterFigures } from './jitter-buffer.ts'
import { createPlaybackQueue, type PlaybackQueue } from './playback-queue.ts'

export type Law = 'ulaw' | 'alaw'

/** What one tick sends: 20 ms of audio in the wire's law, or a packet of a key. */
export type Outgoing =
  | { kind: 'audio'; payload: Uint8Array; isSpeech: boolean }
  | ({ kind: 'key' } & EventPacket)

export interface Tick {
  /** What the person said in these 20 ms, µ-law. Reused at the next tick. */
  heard: Uint8Array
  /** What is sent in these 20 ms, µ-law (silence while a key is pressed). Reused at the next tick. */
  said: Uint8Array
  outgoing: Outgoing
}

export interface BridgeTracks {
  /** Their frame, before the agent's answer to it is taken from the queue: an echo costs no tick. */
  heard(frame: Uint8Array): void
}

export interface Bridge {
  readonly queue: PlaybackQueue
  /** The law that is sent; the queue and the tracks stay µ-law. */
  sendLaw(law: Law): void
  /** A new stream begins, e.g. the other side's SSRC changed. */
  restart(): void
  /** One packet's audio; it is rewritten as µ-law in place. Each packet says its law: the other side may change it. */
  receive(timestamp: number, payload: Uint8Array, law: Law): void
  /** An RFC 4733 packet came; the key, when it is the first that is heard of it. */
  receiveKey(payload: Uint8Array, timestamp: number): string | null
  /** Keys to be sent after what is queued. */
  pressKeys(digits: string): void
  /**
   * 20 ms pass. `mayPlay`, asked once this tick's frame was heard: false while the call is not answered or on hold; what
   * is queued waits.
   */
  tick(mayPlay: () => boolean): Tick
  figures(): JitterFigures
}

/** Pure: no clock, no socket; whoever owns it calls `tick` every 20 ms. */
export function createBridge(tracks: BridgeTracks): Bridge {
  const queue = createPlaybackQueue()
  const pad = createKeyPad()
  const ear = createKeyEar()
  const heard = new Uint8Array(frameBytes)
  const said = new Uint8Array(frameBytes)
  const wire = new Uint8Array(frameBytes)
  const audio = { kind: 'audio' as const, payload: said, isSpeech: false }
  const result: Tick = { heard, said, outgoing: audio }
  let law: Law = 'ulaw'
  const jitter = createJitterBuffer(ulawSilence)

  const listen = () => {
    jitter.take(heard)
    tracks.heard(heard)
  }

  const speak = (mayPlay: boolean): Outgoing => {
    const key = mayPlay ? nextKey() : null
    if (key !== null) {
      said.fill(ulawSilence)
      return { kind: 'key', ...key }
    }
    audio.isSpeech = mayPlay && queue.next(said)
    if (!mayPlay) said.fill(ulawSilence)
    // A mark may have queued keys just now: they begin at the next tick.
    if (pad.isBusy()) queue.hold()
    if (law === 'ulaw') audio.payload = said
    else {
      wire.set(said)
      ulawToAlaw(wire)
      audio.payload = wire
    }
    return audio
  }

  const nextKey = () => {
    const packet = pad.next()
    if (!pad.isBusy()) queue.release()
    return packet
  }

  return {
    queue,
    sendLaw(next) {
      law = next
    },
    restart: () => jitter.restart(),
    receive(timestamp, payload, from) {
      if (from === 'alaw') alawToUlaw(payload)
      jitter.put(timestamp, payload)
    },
    receiveKey: (payload, timestamp) => ear.hear(payload, timestamp),
    pressKeys(digits) {
      queue.mark(() => {
        pad.press(digits)
        if (pad.isBusy()) queue.hold()
      })
    },
    tick(mayPlay) {
      listen()
      result.outgoing = speak(mayPlay())
      return result
    },
    figures: () => jitter.figures(),
  }
}

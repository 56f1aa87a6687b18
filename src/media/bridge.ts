// The middle of one call: network frames in, agent's frames out, keys both ways, and both tracks for the recording.
import { createKeyEar, createKeyPad, type EventPacket, toneTicks } from './dtmf.ts'
import { alawToUlaw, frameBytes, ulawSilence, ulawToAlaw } from './g711.ts'
import { JitterBuffer, type JitterFigures } from './jitter-buffer.ts'
import { keyToneFrame } from './key-tone.ts'
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

export interface BridgeEar {
  /** Their frame, before the agent's answer to it is taken from the queue: an echo costs no tick. */
  heard(frame: Uint8Array): void
}

/** Pure: no clock, no socket; whoever owns it calls `tick` every 20 ms. */
export class Bridge {
  readonly queue: PlaybackQueue = createPlaybackQueue()
  readonly #ear: BridgeEar
  readonly #pad = createKeyPad()
  readonly #keyEar = createKeyEar()
  readonly #jitter = new JitterBuffer(ulawSilence)
  readonly #heard = new Uint8Array(frameBytes)
  readonly #said = new Uint8Array(frameBytes)
  readonly #wire = new Uint8Array(frameBytes)
  readonly #audio: { kind: 'audio'; payload: Uint8Array; isSpeech: boolean } = {
    kind: 'audio',
    payload: this.#said,
    isSpeech: false,
  }
  readonly #tick: Tick = { heard: this.#heard, said: this.#said, outgoing: this.#audio }
  #law: Law = 'ulaw'
  #keysAs: 'events' | 'tones' = 'events'

  constructor(ear: BridgeEar) {
    this.#ear = ear
  }

  /** The law that is sent; the queue and the tracks stay µ-law. */
  sendLaw(law: Law): void {
    this.#law = law
  }

  /** Tones, where the other side takes no telephone events. */
  sendKeysAs(keysAs: 'events' | 'tones'): void {
    this.#keysAs = keysAs
  }

  /** A new stream begins, e.g. the other side's SSRC changed. */
  restart(): void {
    this.#jitter.restart()
  }

  /** One packet's audio; it is rewritten as µ-law in place. Each packet says its law: the other side may change it. */
  receive(timestamp: number, payload: Uint8Array, law: Law): void {
    if (law === 'alaw') alawToUlaw(payload)
    this.#jitter.put(timestamp, payload)
  }

  /** An RFC 4733 packet came; the key, when it is the first that is heard of it. */
  receiveKey(payload: Uint8Array, timestamp: number): string | null {
    return this.#keyEar.hear(payload, timestamp)
  }

  /** Keys to be sent after what is queued. */
  pressKeys(digits: string): void {
    this.queue.mark(() => {
      this.#pad.press(digits)
      if (this.#pad.isBusy()) this.queue.hold()
    })
  }

  /**
   * 20 ms pass. `mayPlay`, asked once this tick's frame was heard: false while the call is not answered or on hold; what
   * is queued waits.
   */
  tick(mayPlay: () => boolean): Tick {
    this.#jitter.take(this.#heard)
    this.#ear.heard(this.#heard)
    this.#tick.outgoing = this.#speak(mayPlay())
    return this.#tick
  }

  figures(): JitterFigures {
    return this.#jitter.figures()
  }

  #speak(mayPlay: boolean): Outgoing {
    const key = mayPlay ? this.#nextKey() : null
    if (key !== null) return this.#pressKey(key)
    this.#audio.isSpeech = mayPlay && this.queue.next(this.#said)
    if (!mayPlay) this.#said.fill(ulawSilence)
    return this.#asWire()
  }

  #pressKey(key: EventPacket): Outgoing {
    this.#said.fill(ulawSilence)
    if (this.#keysAs === 'events') return { kind: 'key', ...key }
    const tick = key.startedBefore / frameBytes
    // The end packets that are repeated are part of the pause between two tones.
    if (tick < toneTicks) this.#said.set(keyToneFrame(key.payload[0]!, tick))
    this.#audio.isSpeech = false
    return this.#asWire()
  }

  #nextKey(): EventPacket | null {
    const packet = this.#pad.next()
    if (!this.#pad.isBusy()) this.queue.release()
    return packet
  }

  #asWire(): Outgoing {
    this.#audio.payload = this.#said
    if (this.#law === 'alaw') {
      this.#wire.set(this.#said)
      ulawToAlaw(this.#wire)
      this.#audio.payload = this.#wire
    }
    return this.#audio
  }
}

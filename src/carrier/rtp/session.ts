// One call's RTP and RTCP: two ports, whom we talk to, encryption, and what is known of the stream that comes in.
import { randomBytes, randomInt } from 'node:crypto'
import type { RemoteInfo } from 'node:dgram'
import { frameBytes } from '../../media/g711.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { DatagramSource, Datagrams } from './datagrams.ts'
import type { RemoteMedia } from './media.ts'
import { maxDatagramBytes, parseRtp, type RtpPacket, rtpHeaderBytes, writeRtp } from './packet.ts'
import { createReception, type ReceptionFigures } from './reception.ts'
import { type ReceptionReport, readRtcp, writeSenderReport } from './rtcp.ts'
import {
  createSrtpKey,
  createSrtpReceiver,
  createSrtpSender,
  type SrtpReceiver,
  type SrtpSender,
} from './srtp.ts'

export interface SessionHandlers {
  audio(timestamp: number, payload: Uint8Array, payloadType: number): void
  key(payload: Uint8Array, timestamp: number): void
  /** Another stream took over: what is held of the old one is worth nothing. */
  newStream(): void
}

export interface SessionSettings {
  datagrams: DatagramSource
  clock: Clock
  localAddress: string
  /** Even; RTCP is bound to the next. */
  port: number
  srtp: boolean
}

export interface SessionFigures extends ReceptionFigures {
  sent: number
}

/** A telephone sends one packet in 20 ms; a network that had a hole sends what it held at once. */
const maxPacketsPerTick = 50
/** Buffers in turn, since the system may still hold one when it cannot send at once. */
const sendBuffers = 8
/** What we offer for RFC 4733; some answer another type and send this one all the same. */
const offeredEventType = 101
const audioTypes: ReadonlySet<number> = new Set([0, 8])

/** Rejects with the system's error when one of both ports cannot be bound; then neither is held. */
export async function openRtpSession(
  settings: SessionSettings,
  handlers: SessionHandlers,
): Promise<RtpSession> {
  const session = new RtpSession(settings, handlers)
  await session.open()
  return session
}

export class RtpSession {
  /** Ours for SDP; null: plain RTP. */
  readonly srtpKey: string | null
  readonly #settings: SessionSettings
  readonly #handlers: SessionHandlers
  readonly #ssrc = randomInt(2 ** 32)
  readonly #firstTimestamp = randomInt(2 ** 32)
  readonly #name = randomBytes(12).toString('base64url')
  readonly #reception = createReception()
  readonly #buffers = Array.from({ length: sendBuffers }, () => Buffer.alloc(rtpHeaderBytes + frameBytes))
  /** One for the whole call: its packet counter goes on whatever the other side's key becomes. */
  readonly #sender: SrtpSender | null
  #rtp!: Datagrams
  #rtcp!: Datagrams
  #protection: { out: SrtpSender; in: SrtpReceiver } | null = null
  #remote: RemoteMedia | null = null
  /** Whom the kernel lets through; null: nobody has been heard yet. */
  #latched: { address: string; port: number } | null = null
  #theirSsrc: number | null = null
  #allowed = maxPacketsPerTick
  #sequence = randomInt(2 ** 16)
  #heardPackets = 0
  #sent = 0
  #bytesSent = 0
  #lastReport = { sentAt: 0, heardMs: 0 }

  constructor(settings: SessionSettings, handlers: SessionHandlers) {
    this.#settings = settings
    this.#handlers = handlers
    this.srtpKey = settings.srtp ? createSrtpKey() : null
    this.#sender = this.srtpKey === null ? null : createSrtpSender(this.srtpKey)
  }

  /** Comes first. */
  async open(): Promise<void> {
    const { datagrams, localAddress, port } = this.#settings
    this.#rtp = await datagrams.open(localAddress, port, (packet, from) => this.#hearRtp(packet, from))
    try {
      this.#rtcp = await datagrams.open(localAddress, port + 1, (packet, from) =>
        this.#hearRtcp(packet, from),
      )
    } catch (error) {
      await this.#rtp.close()
      throw error
    }
  }

  /** Announces, or moves, the other side. An unchanged address keeps its latch. @throws Error on a bad SRTP key */
  connect(remote: RemoteMedia): void {
    const before = this.#remote
    if (remote.srtpKey !== (before?.srtpKey ?? null)) this.#protection = this.#protectionFor(remote.srtpKey)
    this.#remote = remote
    const hasMoved = before !== null && (remote.address !== before.address || remote.port !== before.port)
    if (!hasMoved || !isReachable(remote)) return
    this.#latched = null
    this.#rtp.disconnect()
  }

  /** One packet of audio at `timestamp`, a count of samples since the call began. Lost while nobody is known. */
  sendAudio(payload: Uint8Array, timestamp: number, marker: boolean): void {
    this.#send(this.#remote?.payloadType ?? 0, payload, timestamp, marker)
  }

  sendKey(payload: Uint8Array, timestamp: number, marker: boolean): void {
    const type = this.#remote?.telephoneEventType ?? null
    if (type !== null) this.#send(type, payload, timestamp, marker)
  }

  /** A sender report; every five seconds (RFC 3550 §6.2). */
  report(timestamp: number): void {
    if (this.#remote === null || !isReachable(this.#remote)) return
    const packet = writeSenderReport({
      ssrc: this.#ssrc,
      at: this.#settings.clock.now(),
      timestamp: (this.#firstTimestamp + timestamp) >>> 0,
      packetsSent: this.#sent,
      bytesSent: this.#bytesSent,
      reception: this.#receptionReport(),
      name: this.#name,
    })
    const to = this.#latched ?? this.#remote
    this.#rtcp.sendTo(this.#protection?.out.protectRtcp(packet) ?? packet, to.port + 1, to.address)
  }

  /** Packets that may come until this is called again, 20 ms later: a flood costs no more than that. */
  allowPackets(): void {
    this.#allowed = maxPacketsPerTick
  }

  /** Valid packets since the call began; what silence is measured by. */
  received(): number {
    return this.#heardPackets
  }

  figures(): SessionFigures {
    return { ...this.#reception.figures(), sent: this.#sent }
  }

  async close(): Promise<void> {
    await Promise.all([this.#rtp.close(), this.#rtcp.close()])
  }

  #hearRtp(datagram: Buffer, from: RemoteInfo): void {
    const remote = this.#remote
    if (remote === null || this.#allowed-- <= 0 || datagram.length > maxDatagramBytes) return
    const latched = this.#latched
    if (latched !== null && (from.port !== latched.port || from.address !== latched.address)) return
    const plain = this.#protection === null ? datagram : this.#protection.in.unprotect(datagram)
    const packet = plain === null ? null : parseRtp(plain)
    if (packet === null || !isAgreed(packet, remote)) return
    if (latched === null) this.#latch(from)
    this.#takeIn(packet, remote)
  }

  #latch({ address, port }: RemoteInfo): void {
    this.#latched = { address, port }
    this.#rtp.connect(port, address)
  }

  #takeIn(packet: RtpPacket, { telephoneEventType }: RemoteMedia): void {
    if (packet.ssrc !== this.#theirSsrc) {
      if (this.#theirSsrc !== null) this.#reception.restart()
      this.#theirSsrc = packet.ssrc
      this.#handlers.newStream()
    }
    this.#heardPackets++
    this.#reception.add(packet.sequence, packet.timestamp, this.#settings.clock.elapsed())
    const isKey = packet.payloadType === telephoneEventType || packet.payloadType === offeredEventType
    if (isKey) this.#handlers.key(packet.payload, packet.timestamp)
    else this.#handlers.audio(packet.timestamp, packet.payload, packet.payloadType)
  }

  #hearRtcp(datagram: Buffer, from: RemoteInfo): void {
    if (this.#remote === null || datagram.length > maxDatagramBytes) return
    if (from.address !== (this.#latched?.address ?? this.#remote.address)) return
    const plain = this.#protection === null ? datagram : this.#protection.in.unprotectRtcp(datagram)
    const sentAt = (plain === null ? null : readRtcp(plain))?.sentAt ?? null
    if (sentAt !== null) this.#lastReport = { sentAt, heardMs: this.#settings.clock.elapsed() }
  }

  #send(payloadType: number, payload: Uint8Array, timestamp: number, marker: boolean): void {
    const remote = this.#remote
    if (remote === null) return
    const buffer = this.#buffers[this.#sent % sendBuffers]!
    const header = {
      payloadType,
      marker,
      sequence: this.#sequence,
      timestamp: (this.#firstTimestamp + timestamp) >>> 0,
      ssrc: this.#ssrc,
    }
    const length = writeRtp(buffer, header, payload)
    this.#sequence = (this.#sequence + 1) & 0xffff
    this.#sent++
    this.#bytesSent += payload.length
    const packet = length === buffer.length ? buffer : buffer.subarray(0, length)
    const sealed = this.#protection === null ? packet : this.#protection.out.protect(packet)
    if (this.#latched !== null) this.#rtp.send(sealed)
    else if (isReachable(remote)) this.#rtp.sendTo(sealed, remote.port, remote.address)
  }

  #receptionReport(): ReceptionReport | null {
    if (this.#theirSsrc === null) return null
    const { lost, jitterMs, highestSequence } = this.#reception.figures()
    const { sentAt, heardMs } = this.#lastReport
    const sinceMs = sentAt === 0 ? 0 : this.#settings.clock.elapsed() - heardMs
    return {
      ssrc: this.#theirSsrc,
      fractionLost: this.#reception.takeFractionLost(),
      lost,
      highestSequence,
      jitter: jitterMs * 8,
      lastReport: sentAt,
      sinceLastReport: Math.round((sinceMs * 65_536) / 1000),
    }
  }

  /** Both sides' keys or none: each side encrypts with the key that it announced itself (RFC 4568 §6.1). */
  #protectionFor(theirs: string | null) {
    if (this.#sender === null || theirs === null) return null
    return { out: this.#sender, in: createSrtpReceiver(theirs) }
  }
}

function isAgreed(
  { payloadType }: RtpPacket,
  { payloadType: agreed, telephoneEventType }: RemoteMedia,
): boolean {
  return (
    payloadType === agreed ||
    payloadType === telephoneEventType ||
    payloadType === offeredEventType ||
    audioTypes.has(payloadType)
  )
}

/** An address of zeros is the hold of RFC 2543; port 65535 leaves none for RTCP. */
function isReachable({ address, port }: RemoteMedia): boolean {
  return address !== '0.0.0.0' && address !== '::' && port > 0 && port < 65_535
}

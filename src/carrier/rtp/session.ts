// One call's RTP and RTCP: two ports, whom we talk to, encryption, and what is known of the stream that comes in.
import { randomBytes, randomInt } from 'node:crypto'
import type { RemoteInfo } from 'node:dgram'
import { frameBytes } from '../../media/g711.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { DatagramSource, Datagrams } from './datagrams.ts'
import type { RemoteMedia } from './media.ts'
import { maxDatagramBytes, parseRtp, type RtpPacket, rtpHeaderBytes, writeRtp } from './packet.ts'
import { createReception, type ReceptionFigures } from './reception.ts'
import { readRtcp, writeSenderReport } from './rtcp.ts'
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

export interface RtpSession {
  /** Ours for SDP; null: plain RTP. */
  readonly srtpKey: string | null
  /** Announces, or moves, the other side. An unchanged address keeps its latch. @throws Error on a bad SRTP key */
  connect(remote: RemoteMedia): void
  /** One packet of audio at `timestamp`, a count of samples since the call began. Lost while nobody is known. */
  sendAudio(payload: Uint8Array, timestamp: number, marker: boolean): void
  sendKey(payload: Uint8Array, timestamp: number, marker: boolean): void
  /** A sender report; every five seconds (RFC 3550 §6.2). */
  report(timestamp: number): void
  /** Packets that may come until this is called again, 20 ms later: a flood costs no more than that. */
  allowPackets(): void
  /** Valid packets since the call began; what silence is measured by. */
  received(): number
  figures(): SessionFigures
  close(): Promise<void>
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
  const { datagrams, clock, localAddress, port } = settings
  const srtpKey = settings.srtp ? createSrtpKey() : null
  const ssrc = randomInt(2 ** 32)
  const firstTimestamp = randomInt(2 ** 32)
  const name = randomBytes(12).toString('base64url')
  const reception = createReception()
  const buffers = Array.from({ length: sendBuffers }, () => Buffer.alloc(rtpHeaderBytes + frameBytes))
  let sequence = randomInt(2 ** 16)
  let remote: RemoteMedia | null = null
  // One sender for the whole call: its packet counter goes on whatever the other side's key becomes.
  const sender = srtpKey === null ? null : createSrtpSender(srtpKey)
  let protection: { out: SrtpSender; in: SrtpReceiver } | null = null
  /** Whom the kernel lets through; null: nobody has been heard yet. */
  let latched: { address: string; port: number } | null = null
  let theirSsrc: number | null = null
  let allowed = maxPacketsPerTick
  let heardPackets = 0
  let sent = 0
  let bytesSent = 0
  let lastReport = { sentAt: 0, heardMs: 0 }

  const hearRtp = (datagram: Buffer, from: RemoteInfo) => {
    if (remote === null || allowed-- <= 0 || datagram.length > maxDatagramBytes) return
    if (latched !== null && (from.port !== latched.port || from.address !== latched.address)) return
    const plain = protection === null ? datagram : protection.in.unprotect(datagram)
    const packet = plain === null ? null : parseRtp(plain)
    if (packet === null || !isAgreed(packet, remote)) return
    if (latched === null) latch(from)
    takeIn(packet, remote)
  }

  const latch = ({ address, port }: RemoteInfo) => {
    latched = { address, port }
    rtp.connect(port, address)
  }

  const takeIn = (packet: RtpPacket, { telephoneEventType }: RemoteMedia) => {
    if (packet.ssrc !== theirSsrc) {
      if (theirSsrc !== null) reception.restart()
      theirSsrc = packet.ssrc
      handlers.newStream()
    }
    heardPackets++
    reception.add(packet.sequence, packet.timestamp, clock.elapsed())
    const isKey = packet.payloadType === telephoneEventType || packet.payloadType === offeredEventType
    if (isKey) handlers.key(packet.payload, packet.timestamp)
    else handlers.audio(packet.timestamp, packet.payload, packet.payloadType)
  }

  const hearRtcp = (datagram: Buffer, from: RemoteInfo) => {
    if (remote === null || datagram.length > maxDatagramBytes) return
    if (from.address !== (latched?.address ?? remote.address)) return
    const plain = protection === null ? datagram : protection.in.unprotectRtcp(datagram)
    const heard = plain === null ? null : readRtcp(plain)
    if (heard !== null && heard.sentAt !== null)
      lastReport = { sentAt: heard.sentAt, heardMs: clock.elapsed() }
  }

  const rtp = await datagrams.open(localAddress, port, hearRtp)
  const rtcp = await openSecond(rtp, () => datagrams.open(localAddress, port + 1, hearRtcp))

  const send = (payloadType: number, payload: Uint8Array, timestamp: number, marker: boolean) => {
    if (remote === null) return
    const buffer = buffers[sent % sendBuffers]!
    const length = writeRtp(
      buffer,
      { payloadType, marker, sequence, timestamp: (firstTimestamp + timestamp) >>> 0, ssrc },
      payload,
    )
    sequence = (sequence + 1) & 0xffff
    sent++
    bytesSent += payload.length
    const packet = length === buffer.length ? buffer : buffer.subarray(0, length)
    const sealed = protection === null ? packet : protection.out.protect(packet)
    if (latched !== null) rtp.send(sealed)
    else if (isReachable(remote)) rtp.sendTo(sealed, remote.port, remote.address)
  }

  const receptionReport = () => {
    if (theirSsrc === null) return null
    const { lost, jitterMs, highestSequence } = reception.figures()
    const sinceMs = lastReport.sentAt === 0 ? 0 : clock.elapsed() - lastReport.heardMs
    return {
      ssrc: theirSsrc,
      fractionLost: reception.takeFractionLost(),
      lost,
      highestSequence,
      jitter: jitterMs * 8,
      lastReport: lastReport.sentAt,
      sinceLastReport: Math.round((sinceMs * 65_536) / 1000),
    }
  }

  return {
    srtpKey,
    connect(next) {
      if (next.srtpKey !== (remote?.srtpKey ?? null)) protection = protectionFor(sender, next.srtpKey)
      const hasMoved = remote !== null && (next.address !== remote.address || next.port !== remote.port)
      remote = next
      if (!hasMoved || !isReachable(next)) return
      latched = null
      rtp.disconnect()
    },
    sendAudio: (payload, timestamp, marker) => send(remote?.payloadType ?? 0, payload, timestamp, marker),
    sendKey(payload, timestamp, marker) {
      const type = remote?.telephoneEventType ?? null
      if (type !== null) send(type, payload, timestamp, marker)
    },
    report(timestamp) {
      if (remote === null || !isReachable(remote)) return
      const packet = writeSenderReport({
        ssrc,
        at: clock.now(),
        timestamp: (firstTimestamp + timestamp) >>> 0,
        packetsSent: sent,
        bytesSent,
        reception: receptionReport(),
        name,
      })
      const to = latched ?? remote
      rtcp.sendTo(protection === null ? packet : protection.out.protectRtcp(packet), to.port + 1, to.address)
    },
    allowPackets() {
      allowed = maxPacketsPerTick
    },
    received: () => heardPackets,
    figures: () => ({ ...reception.figures(), sent }),
    async close() {
      await Promise.all([rtp.close(), rtcp.close()])
    },
  }
}

async function openSecond(first: Datagrams, open: () => Promise<Datagrams>): Promise<Datagrams> {
  try {
    return await open()
  } catch (error) {
    await first.close()
    throw error
  }
}

/** Both sides' keys or none: each side encrypts with the key that it announced itself (RFC 4568 §6.1). */
function protectionFor(out: SrtpSender | null, theirs: string | null) {
  return out === null || theirs === null ? null : { out, in: createSrtpReceiver(theirs) }
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

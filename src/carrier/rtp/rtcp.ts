// RTCP as far as a telephone needs it (RFC 3550 §6): sender reports with one report block and our name, and reading theirs.

export interface SenderReport {
  ssrc: number
  /** Epoch ms. */
  at: number
  /** The RTP timestamp of the same instant. */
  timestamp: number
  packetsSent: number
  bytesSent: number
  /** About the stream that we hear; null: nothing came yet. */
  reception: ReceptionReport | null
  /** Canonical name: says that both reports are of one source; random, it tells nothing of the host (RFC 7022). */
  name: string
}

export interface ReceptionReport {
  ssrc: number
  /** In 1/256. */
  fractionLost: number
  lost: number
  highestSequence: number
  jitter: number
  /** Middle 32 bits of the NTP time in their last sender report; 0: none came. */
  lastReport: number
  /** Since it came, in 1/65536 s. */
  sinceLastReport: number
}

/** What is read of their compound packet; null where it held no such part. */
export interface HeardReport {
  /** Middle 32 bits of the NTP time of their sender report. */
  sentAt: number | null
  saidBye: boolean
}

const senderReportType = 200
const receiverReportType = 201
const sourceDescriptionType = 202
const byeType = 203
const canonicalName = 1
/** Between 1 January 1900, where NTP counts from, and 1970. */
const ntpEpochSeconds = 2_208_988_800

/** One compound packet: SR and SDES (§6.1 wants both). */
export function writeSenderReport(report: SenderReport): Buffer {
  const blocks = report.reception === null ? 0 : 1
  const packet = Buffer.alloc(28 + 24 * blocks)
  writeHeader(packet, blocks, senderReportType)
  packet.writeUInt32BE(report.ssrc, 4)
  const seconds = Math.floor(report.at / 1000)
  packet.writeUInt32BE((seconds + ntpEpochSeconds) >>> 0, 8)
  packet.writeUInt32BE(Math.floor(((report.at - seconds * 1000) / 1000) * 2 ** 32), 12)
  packet.writeUInt32BE(report.timestamp, 16)
  packet.writeUInt32BE(report.packetsSent >>> 0, 20)
  packet.writeUInt32BE(report.bytesSent >>> 0, 24)
  if (report.reception !== null) writeReception(packet, 28, report.reception)
  return Buffer.concat([packet, describeSource(report.ssrc, report.name)])
}

function writeReception(packet: Buffer, at: number, report: ReceptionReport): void {
  packet.writeUInt32BE(report.ssrc, at)
  packet.writeUInt8(report.fractionLost, at + 4)
  packet.writeUIntBE(Math.min(report.lost, 0x7fffff), at + 5, 3)
  packet.writeUInt32BE(report.highestSequence >>> 0, at + 8)
  packet.writeUInt32BE(Math.floor(report.jitter) >>> 0, at + 12)
  packet.writeUInt32BE(report.lastReport >>> 0, at + 16)
  packet.writeUInt32BE(report.sinceLastReport >>> 0, at + 20)
}

function describeSource(ssrc: number, name: string): Buffer {
  const text = Buffer.from(name, 'ascii')
  // The list of items ends with at least one zero, up to the next 32 bits (§6.5).
  const packet = Buffer.alloc(8 + Math.ceil((2 + text.length + 1) / 4) * 4)
  writeHeader(packet, 1, sourceDescriptionType)
  packet.writeUInt32BE(ssrc, 4)
  packet[8] = canonicalName
  packet[9] = text.length
  packet.set(text, 10)
  return packet
}

function writeHeader(packet: Buffer, count: number, type: number): void {
  packet[0] = 0x80 | count
  packet[1] = type
  packet.writeUInt16BE(packet.length / 4 - 1, 2)
}

/** Reads a compound packet as far as it is sound; null: it is no RTCP (appendix A.2). */
export function readRtcp(datagram: Buffer): HeardReport | null {
  if (datagram.length < 8 || datagram[0]! >> 6 !== 2) return null
  if (datagram[1] !== senderReportType && datagram[1] !== receiverReportType) return null
  const heard: HeardReport = { sentAt: null, saidBye: false }
  for (let at = 0; at + 4 <= datagram.length; ) {
    const end = at + 4 * (datagram.readUInt16BE(at + 2) + 1)
    if (datagram[at]! >> 6 !== 2 || end > datagram.length) return null
    if (datagram[at + 1] === senderReportType && end - at >= 28) heard.sentAt = datagram.readUInt32BE(at + 10)
    if (datagram[at + 1] === byeType) heard.saidBye = true
    at = end
  }
  return heard
}

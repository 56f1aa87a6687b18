// RTP packets (RFC 3550 §5.1): read with limits, and written into buffers that are used again.

export interface RtpPacket {
  payloadType: number
  marker: boolean
  /** 16 bits. */
  sequence: number
  /** 32 bits, 8,000 a second. */
  timestamp: number
  ssrc: number
  /** A view of the datagram. */
  payload: Uint8Array
}

export interface RtpHeader {
  payloadType: number
  marker: boolean
  sequence: number
  timestamp: number
  ssrc: number
}

export const rtpHeaderBytes = 12
/** An Ethernet frame: no telephone sends more, and what does is no telephone. */
export const maxDatagramBytes = 1500

/** Where the payload begins: after the contributing sources and one extension (§5.3.1); null: no RTP packet. */
export function headerLength(datagram: Buffer): number | null {
  if (datagram.length < rtpHeaderBytes || datagram.length > maxDatagramBytes) return null
  const first = datagram[0]!
  if (first >> 6 !== 2) return null
  const afterSources = rtpHeaderBytes + 4 * (first & 0x0f)
  if ((first & 0x10) === 0) return afterSources <= datagram.length ? afterSources : null
  if (afterSources + 4 > datagram.length) return null
  const end = afterSources + 4 + 4 * datagram.readUInt16BE(afterSources + 2)
  return end <= datagram.length ? end : null
}

/** Reads one datagram; null: it is no RTP packet, or says that it is longer than it is. */
export function parseRtp(datagram: Buffer): RtpPacket | null {
  const start = headerLength(datagram)
  if (start === null) return null
  const padding = (datagram[0]! & 0x20) === 0 ? 0 : datagram[datagram.length - 1]!
  const end = datagram.length - padding
  const saysPaddingButHasNone = (datagram[0]! & 0x20) !== 0 && padding === 0
  if (end < start || saysPaddingButHasNone) return null
  return {
    payloadType: datagram[1]! & 0x7f,
    marker: (datagram[1]! & 0x80) !== 0,
    sequence: datagram.readUInt16BE(2),
    timestamp: datagram.readUInt32BE(4),
    ssrc: datagram.readUInt32BE(8),
    payload: datagram.subarray(start, end),
  }
}

/** Writes header and payload to the front of `into`; returns the packet's length. */
export function writeRtp(into: Buffer, header: RtpHeader, payload: Uint8Array): number {
  into[0] = 0x80
  into[1] = (header.marker ? 0x80 : 0) | header.payloadType
  into.writeUInt16BE(header.sequence, 2)
  into.writeUInt32BE(header.timestamp, 4)
  into.writeUInt32BE(header.ssrc, 8)
  into.set(payload, rtpHeaderBytes)
  return rtpHeaderBytes + payload.length
}

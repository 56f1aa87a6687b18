// SRTP and SRTCP with AES_CM_128_HMAC_SHA1_80 (RFC 3711), keys from SDP (RFC 4568).
import { createCipheriv, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { headerLength } from './packet.ts'

/** Encrypts what we send on one call; one key, one SSRC. */
export interface SrtpSender {
  protect(packet: Buffer): Buffer
  protectRtcp(packet: Buffer): Buffer
}

/** Checks and decrypts what we hear; null: forged, repeated or too old. */
export interface SrtpReceiver {
  unprotect(packet: Buffer): Buffer | null
  unprotectRtcp(packet: Buffer): Buffer | null
}

const masterKeyBytes = 16
const saltBytes = 14
const authKeyBytes = 20
const tagBytes = 10
/** Packets that may come late (§3.3.2). */
const replayWindow = 128
/** Streams of the other side that are remembered: a transfer brings a second, a flood brings no more. */
const maxStreams = 4
/** Labels of §4.3.1 and §4.3.2: cipher key, authentication key, salt. */
const rtpLabels = [0, 1, 2] as const
const rtcpLabels = [3, 4, 5] as const
const rtcpIndexBytes = 4
const encryptedFlag = 0x8000_0000
const rtcpHeaderBytes = 8

/** 30 random bytes in Base64, for `a=crypto … inline:`. */
export function createSrtpKey(): string {
  return randomBytes(masterKeyBytes + saltBytes).toString('base64')
}

/** @throws Error when `key` is not 30 bytes in Base64 */
export function createSrtpSender(key: string): SrtpSender {
  const rtp = deriveKeys(key, rtpLabels)
  const rtcp = deriveKeys(key, rtcpLabels)
  let rollover = 0
  let lastSequence: number | null = null
  let rtcpIndex = 0
  return {
    protect(packet) {
      const sequence = packet.readUInt16BE(2)
      if (lastSequence !== null && sequence < lastSequence) rollover++
      lastSequence = sequence
      const start = headerLength(packet)!
      const index = rollover * 2 ** 16 + sequence
      const body = crypt(rtp, packet.readUInt32BE(8), index, packet.subarray(start))
      const sealed = Buffer.concat([packet.subarray(0, start), body])
      return Buffer.concat([sealed, tagOf(rtp, sealed, rollover)])
    },
    protectRtcp(packet) {
      const index = rtcpIndex++
      const body = crypt(rtcp, packet.readUInt32BE(4), index, packet.subarray(rtcpHeaderBytes))
      const trailer = Buffer.alloc(rtcpIndexBytes)
      trailer.writeUInt32BE((encryptedFlag | index) >>> 0)
      const sealed = Buffer.concat([packet.subarray(0, rtcpHeaderBytes), body, trailer])
      return Buffer.concat([sealed, tagOf(rtcp, sealed, null)])
    },
  }
}

/** @throws Error when `key` is not 30 bytes in Base64 */
export function createSrtpReceiver(key: string): SrtpReceiver {
  const rtp = deriveKeys(key, rtpLabels)
  const rtcp = deriveKeys(key, rtcpLabels)
  const streams = new Map<number, StreamIndex>()
  const reports = createWindow()
  const streamOf = (ssrc: number) => streams.get(ssrc) ?? createStreamIndex()
  const keep = (ssrc: number, stream: StreamIndex) => {
    if (!streams.has(ssrc) && streams.size >= maxStreams) streams.delete(streams.keys().next().value!)
    streams.set(ssrc, stream)
  }
  return {
    unprotect(packet) {
      const start = headerLength(packet)
      const end = packet.length - tagBytes
      if (start === null || end < start) return null
      const ssrc = packet.readUInt32BE(8)
      const stream = streamOf(ssrc)
      const index = stream.guess(packet.readUInt16BE(2))
      const sealed = packet.subarray(0, end)
      if (index < 0 || stream.window.has(index)) return null
      if (!timingSafeEqual(tagOf(rtp, sealed, Math.floor(index / 2 ** 16)), packet.subarray(end))) return null
      // Only a packet that is proven moves the window: a forged one would push the real ones out of it.
      stream.window.add(index)
      keep(ssrc, stream)
      return Buffer.concat([packet.subarray(0, start), crypt(rtp, ssrc, index, packet.subarray(start, end))])
    },
    unprotectRtcp(packet) {
      const end = packet.length - tagBytes
      if (end < rtcpHeaderBytes + rtcpIndexBytes) return null
      const sealed = packet.subarray(0, end)
      if (!timingSafeEqual(tagOf(rtcp, sealed, null), packet.subarray(end))) return null
      const trailer = sealed.readUInt32BE(end - rtcpIndexBytes)
      const index = trailer & 0x7fff_ffff
      if (reports.has(index)) return null
      reports.add(index)
      const body = sealed.subarray(rtcpHeaderBytes, end - rtcpIndexBytes)
      const isPlain = (trailer & encryptedFlag) === 0
      const plain = isPlain ? body : crypt(rtcp, packet.readUInt32BE(4), index, body)
      return Buffer.concat([packet.subarray(0, rtcpHeaderBytes), plain])
    },
  }
}

interface SessionKeys {
  cipherKey: Buffer
  authKey: Buffer
  salt: Buffer
}

/** §4.3.1 with a derivation rate of 0: keys are derived once. */
export function deriveKeys(
  key: string,
  [cipher, auth, salt]: readonly [number, number, number],
): SessionKeys {
  const master = Buffer.from(key, 'base64')
  if (master.length !== masterKeyBytes + saltBytes) throw new Error('An SRTP key is 30 bytes in Base64.')
  const derive = (label: number, bytes: number) => {
    const iv = Buffer.alloc(16)
    master.copy(iv, 0, masterKeyBytes)
    iv[7]! ^= label
    return keystream(master.subarray(0, masterKeyBytes), iv, Buffer.alloc(bytes))
  }
  return {
    cipherKey: derive(cipher, masterKeyBytes),
    authKey: derive(auth, authKeyBytes),
    salt: derive(salt, saltBytes),
  }
}

/** §4.1.1: the counter starts at salt, SSRC and packet index; encrypting and decrypting are the same. */
function crypt({ cipherKey, salt }: SessionKeys, ssrc: number, index: number, body: Uint8Array): Buffer {
  const iv = Buffer.alloc(16)
  salt.copy(iv)
  iv.writeUInt32BE((iv.readUInt32BE(4) ^ ssrc) >>> 0, 4)
  iv.writeUInt16BE(iv.readUInt16BE(8) ^ Math.floor(index / 2 ** 32), 8)
  iv.writeUInt32BE((iv.readUInt32BE(10) ^ (index >>> 0)) >>> 0, 10)
  return keystream(cipherKey, iv, body)
}

function keystream(key: Buffer, iv: Buffer, body: Uint8Array): Buffer {
  return createCipheriv('aes-128-ctr', key, iv).update(body)
}

/** §4.2: over the packet and, for RTP, the rollover counter that no packet carries. */
function tagOf({ authKey }: SessionKeys, sealed: Buffer, rollover: number | null): Buffer {
  const mac = createHmac('sha1', authKey).update(sealed)
  if (rollover !== null) {
    const counter = Buffer.alloc(4)
    counter.writeUInt32BE(rollover)
    mac.update(counter)
  }
  return mac.digest().subarray(0, tagBytes)
}

interface StreamIndex {
  /** The packet's index with the rollover counter that fits best (§3.3.1); negative: from before the beginning. */
  guess(sequence: number): number
  window: ReplayWindow
}

function createStreamIndex(): StreamIndex {
  const window = createWindow()
  const guess = (sequence: number) => {
    const highest = window.highest()
    if (highest === null) return sequence
    const step = ((sequence - (highest & 0xffff)) << 16) >> 16
    return highest + step
  }
  return { guess, window }
}

interface ReplayWindow {
  has(index: number): boolean
  add(index: number): void
  highest(): number | null
}

/** Remembers the last indices each at its own place; what lies before them counts as seen. */
function createWindow(): ReplayWindow {
  const seen = new Float64Array(replayWindow).fill(-1)
  let highest: number | null = null
  return {
    has: index =>
      (highest !== null && index <= highest - replayWindow) || seen[index % replayWindow] === index,
    add(index) {
      seen[index % replayWindow] = index
      highest = Math.max(highest ?? index, index)
    },
    highest: () => highest,
  }
}

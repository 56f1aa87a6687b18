// SDP offers and answers for one audio stream (RFC 4566, RFC 3264): G.711, telephone-event, SDES keys, hold.
import { isIP, isIPv6 } from 'node:net'
import type { AudioCodec, RemoteMedia } from '../rtp/media.ts'

export type Direction = RemoteMedia['direction']

/** Our side of a call, as it stands in SDP. */
export interface LocalMedia {
  /** What the other side sends to: the trunk's public address. */
  address: string
  port: number
  /** Digits; the same for the whole call. */
  sessionId: string
  /** Counts up whenever what we say changes (RFC 3264 §8). */
  version: number
  /** In order of preference. */
  codecs: readonly AudioCodec[]
  /** Base64 key and salt of 30 bytes; null: plain RTP. */
  srtpKey: string | null
  direction: Direction
}

const staticTypes: Readonly<Record<AudioCodec, number>> = { PCMU: 0, PCMA: 8 }
const ourTelephoneEventType = 101
const suite = 'AES_CM_128_HMAC_SHA1_80'
const ptimeMs = 20

/** Field notes §1.1: PCMU, PCMA and telephone-event at 8,000 Hz, 20 ms a packet. */
export function writeOffer(local: LocalMedia): string {
  const types = local.codecs.map(codec => staticTypes[codec])
  const lines = [
    ...sessionLines(local),
    mediaLine(local, [...types, ourTelephoneEventType]),
    ...local.codecs.map(codec => `a=rtpmap:${staticTypes[codec]} ${codec}/8000`),
    ...telephoneEventLines(ourTelephoneEventType),
    `a=ptime:${ptimeMs}`,
    `a=${local.direction}`,
    ...(local.srtpKey === null ? [] : [`a=crypto:1 ${suite} inline:${local.srtpKey}`]),
  ]
  return `${lines.join('\r\n')}\r\n`
}

/** Reads the answer to our offer; null: no audio that we offered was taken. */
export function readAnswer(text: string, local: Pick<LocalMedia, 'codecs' | 'srtpKey'>): RemoteMedia | null {
  const session = readSdp(text)
  const audio = session?.media.find(media => media.kind === 'audio' && media.port !== 0)
  return audio === undefined ? null : agreeOn(audio, local)
}

/**
 * Answers an offer within the call (hold, media move, refresh); null: nothing of it suits us (488).
 * `local.direction` is what we are willing to do; what flows is that, mirrored against the offer (RFC 3264 §6.1).
 */
export function answerOffer(text: string, local: LocalMedia): { sdp: string; remote: RemoteMedia } | null {
  const session = readSdp(text)
  const at = session?.media.findIndex(media => media.kind === 'audio' && media.port !== 0) ?? -1
  const audio = session?.media[at]
  if (session === null || audio === undefined) return null
  const agreed = agreeOn(audio, local)
  if (agreed === null) return null
  const remote = { ...agreed, direction: bothWays(agreed.direction, local.direction) }
  const lines = [
    ...sessionLines(local),
    ...session.media.flatMap((media, index) =>
      index === at
        ? answerLines(audio, { ...local, direction: remote.direction }, remote)
        : [`m=${media.kind} 0 ${media.protocol} ${media.types[0] ?? 0}`],
    ),
  ]
  return { sdp: `${lines.join('\r\n')}\r\n`, remote }
}

function answerLines(audio: Media, local: LocalMedia, remote: RemoteMedia): string[] {
  const { payloadType, telephoneEventType, codec } = remote
  return [
    mediaLine(local, telephoneEventType === null ? [payloadType] : [payloadType, telephoneEventType]),
    `a=rtpmap:${payloadType} ${codec}/8000`,
    ...(telephoneEventType === null ? [] : telephoneEventLines(telephoneEventType)),
    `a=ptime:${ptimeMs}`,
    `a=${local.direction}`,
    ...(local.srtpKey === null || audio.crypto === null
      ? []
      : [`a=crypto:${audio.crypto.tag} ${suite} inline:${local.srtpKey}`]),
  ]
}

function sessionLines({ address, sessionId, version }: LocalMedia): string[] {
  const where = `IN ${isIPv6(address) ? 'IP6' : 'IP4'} ${address}`
  return ['v=0', `o=- ${sessionId} ${version} ${where}`, 's=-', `c=${where}`, 't=0 0']
}

function mediaLine({ port, srtpKey }: LocalMedia, types: readonly number[]): string {
  return `m=audio ${port} ${srtpKey === null ? 'RTP/AVP' : 'RTP/SAVP'} ${types.join(' ')}`
}

function telephoneEventLines(type: number): string[] {
  return [`a=rtpmap:${type} telephone-event/8000`, `a=fmtp:${type} 0-16`]
}

interface Media {
  kind: string
  port: number
  protocol: string
  types: number[]
  /** Payload type → `PCMU/8000`, upper case. */
  names: Map<number, string>
  address: string | null
  direction: Direction | null
  crypto: { tag: string; key: string } | null
}

interface Session {
  media: Media[]
}

const maxLines = 1_000
const maxMedia = 16

/** Tolerant of what it does not know; null: no SDP. A session's address and direction go down to its streams. */
function readSdp(text: string): Session | null {
  if (!/^v=0\s*$/m.test(text)) return null
  const above: Pick<Media, 'address' | 'direction'> = { address: null, direction: null }
  const media: Media[] = []
  for (const line of text.split(/\r?\n/, maxLines)) {
    const value = line.slice(2).trim()
    if (line.startsWith('m=')) {
      const started = startMedia(value)
      if (started === null || media.length === maxMedia) return null
      media.push(started)
    } else if (line.startsWith('c=')) (media.at(-1) ?? above).address = connectionAddress(value)
    else if (line.startsWith('a=')) readAttribute(value, media.at(-1), above)
  }
  for (const one of media) {
    one.address ??= above.address
    one.direction ??= above.direction
  }
  return { media }
}

function startMedia(value: string): Media | null {
  const match = /^(\S+)\s+(\d{1,5})(?:\/\d+)?\s+(\S+)((?:\s+\S+)*)$/.exec(value)
  if (match === null || Number(match[2]) > 65_535) return null
  const types = (match[4] ?? '').trim().split(/\s+/).filter(isPayloadType).map(Number)
  const plain: Pick<Media, 'address' | 'direction' | 'crypto'> = {
    address: null,
    direction: null,
    crypto: null,
  }
  return {
    kind: match[1]!.toLowerCase(),
    port: Number(match[2]),
    protocol: match[3]!,
    types,
    names: new Map(),
    ...plain,
  }
}

function isPayloadType(text: string): boolean {
  return /^\d{1,3}$/.test(text) && Number(text) < 128
}

/** `IN IP4 192.0.2.1` or, for multicast, `…/127`; a host name would need a look-up that RTP has no time for. */
function connectionAddress(value: string): string | null {
  const address = (value.split(/\s+/)[2] ?? '').replace(/\/.*$/, '')
  return isIP(address) === 0 ? null : address
}

const directions: readonly string[] = ['sendrecv', 'sendonly', 'recvonly', 'inactive']

function readAttribute(
  value: string,
  media: Media | undefined,
  above: Pick<Media, 'address' | 'direction'>,
): void {
  if (directions.includes(value)) {
    ;(media ?? above).direction = value as Direction
    return
  }
  if (media === undefined) return
  const mapped = /^rtpmap:(\d{1,3})\s+(\S+)/i.exec(value)
  if (mapped !== null) media.names.set(Number(mapped[1]), mapped[2]!.toUpperCase())
  const crypto = /^crypto:(\d{1,9})\s+AES_CM_128_HMAC_SHA1_80\s+inline:([A-Za-z0-9+/]{40})/i.exec(value)
  if (crypto !== null) media.crypto ??= { tag: crypto[1]!, key: crypto[2]! }
}

/** The first codec of theirs that we have (RFC 3264 §6.1: an answer lists what it prefers first). */
function agreeOn(audio: Media, local: Pick<LocalMedia, 'codecs' | 'srtpKey'>): RemoteMedia | null {
  const isSecure = /^(UDP\/TLS\/)?RTP\/SAVPF?$/i.test(audio.protocol)
  if (!isSecure && !/^RTP\/AVPF?$/i.test(audio.protocol)) return null
  if (isSecure !== (local.srtpKey !== null) || (isSecure && audio.crypto === null)) return null
  if (audio.address === null) return null
  const payloadType = audio.types.find(type => codecOf(audio, type, local.codecs) !== null)
  if (payloadType === undefined) return null
  const codec = codecOf(audio, payloadType, local.codecs)!
  return {
    address: audio.address,
    port: audio.port,
    codec,
    payloadType,
    telephoneEventType: audio.types.find(type => isTelephoneEvent(audio, type)) ?? null,
    srtpKey: isSecure ? audio.crypto!.key : null,
    direction: ourDirection(audio),
  }
}

function codecOf(audio: Media, type: number, codecs: readonly AudioCodec[]): AudioCodec | null {
  const name = audio.names.get(type)
  return (
    codecs.find(codec => (name === undefined ? staticTypes[codec] === type : isNamed(name, codec))) ?? null
  )
}

function isNamed(name: string, codec: AudioCodec): boolean {
  return name === `${codec}/8000` || name === `${codec}/8000/1`
}

function isTelephoneEvent(audio: Media, type: number): boolean {
  return audio.names.get(type) === 'TELEPHONE-EVENT/8000'
}

/** What flows, seen from us: they only send, so we only receive. An address of zeros is the hold of RFC 2543. */
function ourDirection({ direction, address }: Media): Direction {
  if (address === '0.0.0.0' || address === '::')
    return direction === 'recvonly' || direction === 'inactive' ? 'inactive' : 'recvonly'
  if (direction === 'sendonly') return 'recvonly'
  return direction === 'recvonly' ? 'sendonly' : (direction ?? 'sendrecv')
}

function bothWays(one: Direction, other: Direction): Direction {
  const sends = [one, other].every(direction => direction === 'sendrecv' || direction === 'sendonly')
  const receives = [one, other].every(direction => direction === 'sendrecv' || direction === 'recvonly')
  if (sends) return receives ? 'sendrecv' : 'sendonly'
  return receives ? 'recvonly' : 'inactive'
}

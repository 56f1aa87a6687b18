// The media port as the signalling sees it: one line per call, its socket, agent and recording in a media worker.
import type { AgentSettings } from '../../agent/agent.ts'

export type AudioCodec = 'PCMU' | 'PCMA'

export interface OpenLine {
  callId: string
  /** E.164. */
  from: string
  to: string
  variables: Record<string, unknown>
  agent: AgentSettings
  /** Where to bind, e.g. `127.0.0.1`; what stands in SDP may be another (the trunk's public address). */
  localAddress: string
  /** File to record into (stereo WAV: them left, us right); null: not recorded. */
  recordingPath: string | null
  /** What to do about answering machines: see media/amd.ts. */
  machine: 'off' | 'hang-up' | 'leave-message' | 'hand-to-agent'
  /** SRTP-SDES (RFC 4568) is offered. */
  srtp: boolean
  /** Silence from the network for so long ends the call, ms. */
  rtpTimeoutMs: number
}

/** Where the other side wants its audio, from its SDP. */
export interface RemoteMedia {
  address: string
  port: number
  codec: AudioCodec
  payloadType: number
  /** Payload type of RFC 4733 events; null: none was agreed. */
  telephoneEventType: number | null
  /** Base64 key and salt of the other side's `a=crypto` (AES_CM_128_HMAC_SHA1_80); null: plain RTP. */
  srtpKey: string | null
  /** What of it flows (hold): we send, they send. */
  direction: 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive'
}

export type LineEvent =
  /** The agent asks to end the call. */
  | { kind: 'agent-hung-up' }
  /** The agent could not be reached, broke, or its worker died. */
  | { kind: 'agent-failed'; reason: string }
  /** Nothing came from the network for `rtpTimeoutMs`. */
  | { kind: 'rtp-timeout' }
  | { kind: 'machine-detected'; verdict: 'human' | 'machine' | 'unsure'; afterMs: number }
  /** The message was left after the beep, or the policy is to hang up on machines: end the call as voicemail. */
  | { kind: 'voicemail-done' }
  | { kind: 'do-not-call-again' }

/** What a call leaves behind. */
export interface LineReport {
  voicemail: boolean
  results: Record<string, unknown>
  transcript: { role: 'agent' | 'human'; message: string; at: number }[]
  /** Bytes on disk; null: not recorded. */
  recordingBytes: number | null
  packetsSent: number
  packetsReceived: number
  packetsLost: number
  jitterMs: number
  /** Longest silence of ours after the answer, ms (field notes §5: silent calls are counted over 2 s). */
  firstAudioAfterMs: number | null
}

export interface MediaLine {
  /** Even RTP port; RTCP is the next. */
  readonly port: number
  /** Ours for `a=crypto`; null when SRTP is off. */
  readonly srtpKey: string | null
  /** The network's side is known (early media, answer, re-INVITE). */
  connect(remote: RemoteMedia): void
  /** The person picked up: the agent begins, the recording starts. */
  answered(): void
  /** Releases socket, port and agent; idempotent. */
  close(): Promise<LineReport>
}

export interface MediaPool {
  /** Binds a port and begins to connect the agent. Rejects when no port or worker is free (the call was not placed). */
  open(request: OpenLine, onEvent: (event: LineEvent) => void): Promise<MediaLine>
  /** Pacing lateness of all workers over the last seconds, p99 in ms: above its limit the node takes no calls. */
  latenessMs(): number
  figures(): { openLines: number; freePorts: number; workers: number }
  close(): Promise<void>
}

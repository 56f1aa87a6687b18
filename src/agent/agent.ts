// The agent port: who talks for us on one call. Lives in the media worker of its call, so audio never crosses threads.
// Adapters: echo, scripted/, media-stream/, openai-realtime/. All pass test/agent/agent-conformance.
//
// Audio here is G.711 µ-law, 8,000 samples a second; a frame is 160 bytes (20 ms). The bridge converts for other codecs.

/** One call, as an agent sees it. All methods may be called at any time; after the call ended they do nothing. */
export interface CallLeg {
  readonly callId: string
  /** E.164. */
  readonly from: string
  readonly to: string
  /** The row's own columns. */
  readonly variables: Readonly<Record<string, unknown>>
  /** Epoch ms. */
  now(): number
  /** Queues audio (any length, faster than real time); it is played in order at the pace of the line. */
  play(ulaw: Uint8Array): void
  /** Drops what is queued and not played; marks that were waiting for it are told at once. */
  clear(): void
  /** Tells `markPlayed` when everything queued before it has been played (or dropped). */
  mark(name: string): void
  /** Milliseconds of the agent's audio that the person has really been sent so far, in all. */
  playedMs(): number
  /** Sends keys (RFC 4733), 0-9 * # A-D, after what is queued. */
  pressKeys(digits: string): void
  /** Ends the call, at once or when the queue has been played. */
  hangUp(when: 'now' | 'when-played'): void
  /** What the conversation is to leave behind: results by name, what was said, "do not call me again". */
  setResult(name: string, value: unknown): void
  addTranscript(entry: { role: 'agent' | 'human'; message: string; at: number }): void
  doNotCallAgain(): void
  /** The agent cannot go on: the call ends as `agent-failure`. */
  fail(reason: string): void
}

/** An agent that is connected to one call. */
export interface AgentSession {
  /** The person picked up: speak. Comes once, after `connect` has resolved and the call was answered. */
  answered(): void
  /** One frame from the person, every 20 ms (silence where the line had none). The array is reused: copy what you keep. */
  hear(frame: Uint8Array): void
  /** The person pressed a key. */
  keyPressed(digit: string): void
  markPlayed(name: string): void
  /** The call is over; release everything. Idempotent. */
  close(): void
}

/** Connects to a call; may be asked for while it rings. Rejects when the agent cannot be reached within its time-out. */
export type ConnectAgent = (leg: CallLeg, settings: AgentSettings) => Promise<AgentSession>

/** How an agent is reached: `Agent.connection`, checked when the agent is created (agent/settings.ts). */
export type AgentSettings =
  | { kind: 'echo' }
  | { kind: 'scripted'; [setting: string]: unknown }
  | { kind: 'media-stream'; [setting: string]: unknown }
  | { kind: 'openai-realtime'; [setting: string]: unknown }

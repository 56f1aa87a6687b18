// The tenant behind an API key and what it owns: agents, trunks, phone numbers, and the limits that all its batches share.
import type { CallingWindow } from './calling-window.ts'
import type { Retention } from './retention.ts'

/** Countries that may be dialled; a country with prefixes only under those. `null` destinations allow all, `[]` none. */
export interface Destination {
  /** ISO 3166-1 alpha-2. */
  country: string
  /** E.164 prefixes with `+`, e.g. `+9198`; absent or empty: the whole country. */
  prefixes?: string[]
}

export interface Workspace {
  id: number
  name: string
  /** ISO 3166-1 alpha-2: in which country a number without `+` is read when nothing nearer says so. */
  defaultRegion: string | null
  destinations: Destination[] | null
  maxConcurrentCalls: number
  /** null: no limit (a self-hosted default). Thousandths of a cent. */
  creditMillicents: number | null
  /** null: each trunk's own default. */
  window: CallingWindow | null
  /** How long what calls leave behind is kept. */
  retention: Retention
  /** Emergency stop: nothing is dialled until lifted. */
  stopped: boolean
  createdAt: number
  updatedAt: number
}

export type AgentArchitecture = 'realtime' | 'pipeline' | 'text'

export interface Agent {
  id: number
  workspaceId: number
  name: string
  architecture: AgentArchitecture
  prompt: string | null
  firstMessage: string | null
  /** How to reach it (issue of real calls); free-form until then. */
  connection: Record<string, unknown> | null
  maxConcurrentCalls: number | null
  /** Until when its breaker keeps it from being rung out for, epoch ms; null: closed. */
  breakerUntil: number | null
  aliases: string[]
  createdAt: number
}

export type TrunkKind = 'simulated' | 'sip'

export interface Trunk {
  id: number
  workspaceId: number
  name: string
  kind: TrunkKind
  maxConcurrentCalls: number | null
  callsPerSecond: number | null
  /** Adapter settings: for a simulated trunk its behaviour or the address of its process. */
  settings: Record<string, unknown>
  breakerUntil: number | null
  breakerReason: string | null
  /** Calls per second after the carrier asked us to slow down (AIMD); null: not slowed. */
  slowedCallsPerSecond: number | null
  createdAt: number
}

export interface PhoneNumber {
  id: number
  workspaceId: number
  /** Caller ID. */
  e164: string
  trunkId: number
  /** Its outbound agent; null: none assigned. */
  agentId: number | null
  maxConcurrentCalls: number | null
  /** Calls in any 24 hours, over all batches; null: no cap. */
  maxCallsPerDay: number | null
  /** Flagged by a carrier: not called from until then, epoch ms; null, or past: it may call. */
  restingUntil: number | null
  aliases: string[]
  createdAt: number
}

export interface ApiKey {
  id: number
  workspaceId: number
  name: string
  /** The first characters, to recognise it by; the rest is kept only as a SHA-256. */
  prefix: string
  createdAt: number
}

export interface Suppression {
  number: string
  reason: string
  createdAt: number
}

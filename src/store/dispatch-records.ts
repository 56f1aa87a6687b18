// What the dispatcher and the store hand each other: claims, verdicts before the dial, endings, orphans.
import type { CallTrace } from '../domain/call-trace.ts'
import type { Conversation, MachinePolicy } from '../domain/conversation.ts'
import type { Outcome } from '../domain/outcome.ts'
import type { RetryPolicy } from '../domain/retry.ts'
import type { TrunkKind } from '../domain/workspace.ts'

export interface ClaimRequest {
  now: number
  /** New at each start of a process: a lease belongs to one life of one node. */
  nodeId: string
  leaseMs: number
  /** Largest number of recipients claimed at once. */
  maxClaims: number
  /** How far ahead CPS slots are reserved, ms. */
  horizonMs: number
  /** Look without relying on anything remembered: what this finds, a wake-up should have found. */
  asSafetyNet?: boolean
}

/** A recipient with a reserved place: not dialled before `slotAt`, and only after `placeCalls` said `placed`. */
export interface Claim {
  attemptId: number
  workspaceId: number
  batchId: number
  recipientId: number
  trunkId: number
  phoneNumberId: number
  agentId: number
  number: string
  callerId: string
  zone: string
  variablesJson: string
  /** 1 for the recipient's first call. */
  ordinal: number
  /** How often the carrier had us put this recipient back already, and since when (epoch ms). */
  putBacks: number
  firstPutBackAt: number | null
  /** CPS slot, epoch ms: not dialled before it. */
  slotAt: number
  /** Nor after this, epoch ms: from then on the next slot may be another node's. null: no other node shares the trunk. */
  dialBefore: number | null
  /** Least time between two new calls on the trunk and in the batch, ms (1000 / CPS); 0: no limit. */
  trunkSpacingMs: number
  batchSpacingMs: number
  ringTimeoutMs: number
  maxCallMs: number
  record: boolean
  trace: boolean
  answeringMachine: MachinePolicy
  retry: RetryPolicy
}
export interface ClaimResult {
  claims: Claim[]
  /** When something falls due that no commit of ours will announce (a retry, a start, a window, a CPS slot); null: nothing. */
  wakeAt: number | null
  /** True when `maxClaims` cut the answer short: claim again at once. */
  more: boolean
  /**
   * Asked as a safety net where other nodes claim, too: when something last happened in these workspaces, epoch ms. What it
   * freed is about to be claimed by the node that it happened on.
   */
  changedAt?: number | null
}

/** Why a claim was not allowed to become a call; the recipient went back unspent (or was suppressed / cancelled). */
export type PlaceVerdict =
  | 'placed'
  | 'batch-not-running'
  | 'workspace-stopped'
  | 'suppressed'
  | 'window-closed'
  | 'over-limit'
  | 'breaker-open'
  | 'caller-resting'
  | 'lease-lost'

export interface PlacedCall {
  attemptId: number
  callId: string
}

/** What is kept of a call so that another node can hang it up; written before its INVITE leaves. */
export interface KeptDialog {
  attemptId: number
  dialog: string
}

export interface AttemptProgress {
  attemptId: number
  status: 'ringing' | 'answered'
  at: number
}

/** What happens to the recipient after an attempt ended. */
export type Next =
  | { kind: 'finish' }
  | { kind: 'retry'; dueAt: number }
  /** Returned unspent: the attempt does not count. `throttled` counts towards the bound of put-backs. */
  | { kind: 'put-back'; dueAt: number; throttled: boolean }

export interface EndedAttempt {
  attemptId: number
  outcome: Outcome
  answeredAt: number | null
  endedAt: number
  costMillicents: number
  next: Next
  /** Put the number on the suppression list as well (the person said no). */
  suppress: boolean
  /** The carrier says that the number from which it was made is flagged: let that rest. */
  callerFlagged?: boolean
  /** Absent: nothing was left behind (no answer, a simulated call), or the call was put back. */
  conversation?: Conversation
  /** Absent: its SIP messages were not kept. It is kept with whatever end the call had. */
  trace?: CallTrace
}
export interface EndedResult {
  /** Batches that completed with these. */
  completed: number[]
  /** False for an attempt that was not open any more (ended by another node, or twice). */
  recorded: boolean[]
}

/** An open attempt of a node that is gone. */
export interface OrphanedAttempt extends Claim {
  status: 'claimed' | 'dialing' | 'ringing' | 'answered'
  callId: string | null
  answeredAt: number | null
  dialedAt: number | null
  trunkKind: TrunkKind
  /** What the carrier's adapter kept of its dialog, for whoever has to hang it up; null: nothing was sent. */
  dialog: string | null
}

// A batch: one list, one agent, one set of rules; and the moves it may make.
import type { CallingWindow } from './calling-window.ts'
import type { MachinePolicy } from './conversation.ts'
import type { Progress } from './recipient.ts'
import type { RetryPolicy } from './retry.ts'

export const batchStatuses = [
  'importing',
  'draft',
  'scheduled',
  'running',
  'paused',
  'completed',
  'cancelled',
  'failed',
] as const
export type BatchStatus = (typeof batchStatuses)[number]

/** What somebody may ask of a batch. `close` ends the taking of recipients of an open batch; it moves no status by itself. */
export type BatchAction = 'start' | 'pause' | 'resume' | 'cancel' | 'reschedule' | 'close' | 'add-recipients'

/** Which action is lawful where. An action that is not listed for a status is refused with `wrong_status`. */
export const lawfulActions: Record<BatchStatus, readonly BatchAction[]> = {
  importing: [],
  draft: ['start', 'cancel', 'reschedule', 'close', 'add-recipients'],
  scheduled: ['start', 'pause', 'cancel', 'reschedule', 'close', 'add-recipients'],
  running: ['pause', 'cancel', 'close', 'add-recipients'],
  paused: ['resume', 'cancel', 'close', 'add-recipients'],
  completed: [],
  cancelled: [],
  failed: [],
}

export const finishedBatchStatuses: ReadonlySet<BatchStatus> = new Set(['completed', 'cancelled', 'failed'])

/** How a row of a file ended, in numbers; the four sum to `rows`. */
export interface IngestCounts {
  rows: number
  accepted: number
  invalid: number
  duplicate: number
  suppressed: number
}

export type Dialect = 'outdial' | 'formant' | 'dialnexa' | 'talkifai'

/** The rules of a batch, fixed when it is created. */
export interface BatchRules {
  /** Largest number of open attempts of this batch; null: only the wider limits hold. */
  maxConcurrentCalls: number | null
  /** Calls per second; null: only the trunk's holds. */
  callsPerSecond: number | null
  retry: RetryPolicy
  /** null: the workspace's default, else the trunk's (always on simulated, 8:00 to 21:00 on SIP). */
  window: CallingWindow | null
  ringTimeoutMs: number
  maxCallMs: number
  /** Whether its conversations are recorded; only real calls have any. */
  record: boolean
  /** Whether the SIP messages of its calls are kept, also where its trunk keeps none. */
  trace: boolean
  answeringMachine: MachinePolicy
}

/** A `call` is a batch of one: a single call that keeps every promise of a batch. Lists of batches leave it out. */
export type BatchKind = 'list' | 'call'

export interface NewBatch extends BatchRules {
  workspaceId: number
  agentId: number
  phoneNumberId: number
  /** All that it calls from in turns, on the trunk of `phoneNumberId`, which is one of them; absent: that one alone. */
  phoneNumberIds?: readonly number[]
  /** Absent: `list`. */
  kind?: BatchKind
  /** What a client wants back with a single call. */
  metadata?: Record<string, unknown> | null
  /** Refused with `no_free_place` where every place of the workspace is taken; absent: it waits for one. */
  needsPlace?: boolean
  name: string
  description: string | null
  /** Where it was created: presenters of other dialects show it all the same. */
  dialect: Dialect
  /** The ids the client sent (an alias, perhaps): answers echo them. */
  sentAgentId: string
  sentPhoneNumberId: string | null
  /** Takes more recipients while it runs. */
  open: boolean
  /** IANA zone in which the start was given, and the fallback zone of its recipients. */
  timezone: string
  /** Epoch ms; null: at once. */
  scheduledAt: number | null
  /** What it becomes when its rows are whole: `draft` waits for a start. */
  startAs: 'running' | 'draft'
  /** SHA-256 (hex) of the file or of the contacts: an identical create within 60 s answers with the first batch. */
  contentHash: string
  createdAt: number
}

export interface Batch extends BatchRules {
  id: number
  workspaceId: number
  agentId: number
  phoneNumberId: number
  /** All that it calls from, `phoneNumberId` among them. */
  phoneNumberIds: number[]
  trunkId: number
  kind: BatchKind
  metadata: Record<string, unknown> | null
  name: string
  description: string | null
  dialect: Dialect
  sentAgentId: string
  sentPhoneNumberId: string | null
  status: BatchStatus
  /** Why it was paused or failed, e.g. `user`, `first_calls_failed`; null otherwise. */
  statusReason: string | null
  open: boolean
  timezone: string
  scheduledAt: number | null
  createdAt: number
  startedAt: number | null
  completedAt: number | null
  updatedAt: number
  ingest: IngestCounts
  /** = ingest.accepted, plus recipients added later. */
  totalRecipients: number
  progress: Progress
}

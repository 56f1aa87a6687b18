// A list becomes a batch: resolve who calls, read the rows, check credits, commit.
// (Signatures fixed first; see the use case's own tests.)
import type { Batch, Dialect } from '../domain/batch.ts'
import type { CallingWindow } from '../domain/calling-window.ts'
import type { RetryPolicy } from '../domain/retry.ts'
import type { Workspace } from '../domain/workspace.ts'
import type { ListRules, ListSource } from '../ingest/ingest.ts'

export interface CreateBatchRequest {
  workspace: Workspace
  dialect: Dialect
  /** As the client spelled them: id digits or alias. At least one of the two; a number brings its outbound agent. */
  agentRef: string | null
  phoneNumberRef: string | null
  /** null: the file's name without its ending, else `Batch`. */
  name: string | null
  description: string | null
  source: ListSource
  /** How this dialect reads a list. */
  list: ListRules
  timezone: string
  /** Epoch ms, already resolved by domain/scheduled-start; null: at once. */
  scheduledAt: number | null
  startAs: 'running' | 'draft'
  open: boolean
  maxConcurrentCalls: number | null
  callsPerSecond: number | null
  retry: RetryPolicy
  window: CallingWindow | null
  ringTimeoutMs?: number
  maxCallMs?: number
}

export interface CreatedBatch {
  batch: Batch
  /** True when an identical create within the last minute had made it already. */
  repeated: boolean
}

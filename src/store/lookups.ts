// What the store is asked across batches, as a part of its port: how batches are filtered, everybody, who calls.
import type { BatchKind, BatchStatus } from '../domain/batch.ts'
import type { CallerStanding } from '../domain/caller-choice.ts'
import type { Recipient } from '../domain/recipient.ts'

export interface OffsetPage {
  offset: number
  limit: number
}

/** Absent: whatever its kind or status. */
export interface BatchFilter {
  kind?: BatchKind
  statuses?: BatchStatus[]
}

export interface Lookups {
  /** People of all batches and single calls: the newest batch first, within it in order of position. */
  listEverybody(
    workspaceId: number,
    filter: { agentId?: number },
    page: OffsetPage,
  ): Promise<{ recipients: Recipient[]; total: number }>
  /** The numbers that a batch calls from, as they stand now, in order of id. */
  listCallers(workspaceId: number, batchId: number, now: number): Promise<CallerStanding[]>
}

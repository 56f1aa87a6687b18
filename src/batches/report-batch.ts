// What became of a batch: the batch itself, its figures, its people, its calls, its rows.
import type { Batch, BatchStatus, IngestCounts } from '../domain/batch.ts'
import { type CallerHold, type CallerStanding, firstHold } from '../domain/caller-choice.ts'
import { averageTalkSeconds } from '../domain/progress.ts'
import type { Standing } from '../domain/recipient.ts'
import type { Store } from '../store/store.ts'
import { batchNotFound } from './control-batch.ts'
import type { Deps } from './deps.ts'

type ReportDeps = Pick<Deps, 'store'>

export interface BatchReport {
  status: BatchStatus
  statusReason: string | null
  totalRecipients: number
  ingest: IngestCounts
  /** How many recipients stand where; they sum to `totalRecipients`. */
  counts: Record<Standing, number>
  attempts: number
  /** Over answered and voicemail calls, one decimal; 0 before the first. */
  averageTalkSeconds: number
  costMillicents: number
  /** The numbers that it calls from. */
  callers: CallerStanding[]
  /** Why somebody who is due is not called: all its numbers rest or have reached their cap; null: that is not so. */
  hold: CallerHold | null
}

/** Refusal `batch_not_found`, also for a batch of another workspace and one that is still importing. */
export async function findBatch({ store }: ReportDeps, workspaceId: number, batchId: number): Promise<Batch> {
  const batch = await store.getBatch(workspaceId, batchId)
  if (batch === null || batch.status === 'importing') throw batchNotFound(batchId)
  return batch
}

export async function reportBatch(
  deps: Pick<Deps, 'store' | 'clock'>,
  workspaceId: number,
  batchId: number,
): Promise<BatchReport> {
  const batch = await findBatch(deps, workspaceId, batchId)
  const { counts, attempts, costMillicents } = batch.progress
  const callers = await deps.store.listCallers(workspaceId, batchId, deps.clock.now())
  const wantsToCall = batch.status === 'running' && counts.queued + counts.waiting > 0
  return {
    status: batch.status,
    statusReason: batch.statusReason,
    totalRecipients: batch.totalRecipients,
    ingest: batch.ingest,
    counts,
    attempts,
    averageTalkSeconds: averageTalkSeconds(batch.progress),
    costMillicents,
    callers,
    hold: wantsToCall ? firstHold(callers) : null,
  }
}

/** By page number and total, newest first: as the dialects page. Single calls are not among them. */
export async function listBatches(
  { store }: ReportDeps,
  workspaceId: number,
  filter: Omit<Parameters<Store['listBatches']>[1], 'kind'>,
  page: Parameters<Store['listBatches']>[2],
): Promise<{ batches: Batch[]; total: number }> {
  return store.listBatches(workspaceId, { ...filter, kind: 'list' }, page)
}

/** People in the order of the list. Refusal `batch_not_found`. */
export async function listRecipients(
  deps: ReportDeps,
  workspaceId: number,
  batchId: number,
  filter: Parameters<Store['listRecipients']>[2],
  page: Parameters<Store['listRecipients']>[3],
): ReturnType<Store['listRecipients']> {
  await findBatch(deps, workspaceId, batchId)
  return deps.store.listRecipients(workspaceId, batchId, filter, page)
}

/** Calls, oldest first. Refusal `batch_not_found`. */
export async function listAttempts(
  deps: ReportDeps,
  workspaceId: number,
  batchId: number,
  page: Parameters<Store['listAttempts']>[2],
): ReturnType<Store['listAttempts']> {
  await findBatch(deps, workspaceId, batchId)
  return deps.store.listAttempts(workspaceId, { batchId }, page)
}

/** What became of each row of the file. Refusal `batch_not_found`. */
export async function listIngestRows(
  deps: ReportDeps,
  workspaceId: number,
  batchId: number,
  filter: Parameters<Store['listIngestRows']>[2],
  page: Parameters<Store['listIngestRows']>[3],
): ReturnType<Store['listIngestRows']> {
  await findBatch(deps, workspaceId, batchId)
  return deps.store.listIngestRows(workspaceId, batchId, filter, page)
}

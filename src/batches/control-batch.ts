// What somebody may do to a batch that exists: start, pause, resume, cancel, close, reschedule, delete.
import type { Batch } from '../domain/batch.ts'
import { Refusal } from '../domain/refusal.ts'
import type { Deps } from './deps.ts'
import { removeRecordings } from './find-attempt.ts'

type ControlDeps = Pick<Deps, 'store' | 'clock'>

/** Why a batch stands still when a person paused it. */
const pausedByUser = 'user'

/** Each takes effect before the next dial. Refusals: `batch_not_found`, `wrong_status` (conflict, `details.status`). */
export async function startBatch(
  { store, clock }: ControlDeps,
  workspaceId: number,
  batchId: number,
): Promise<Batch> {
  return found(await store.startBatch(workspaceId, batchId, clock.now()), batchId)
}

/** Calls under way end normally. */
export async function pauseBatch(
  { store, clock }: ControlDeps,
  workspaceId: number,
  batchId: number,
): Promise<Batch> {
  return found(await store.pauseBatch(workspaceId, batchId, pausedByUser, clock.now()), batchId)
}

export async function resumeBatch(
  { store, clock }: ControlDeps,
  workspaceId: number,
  batchId: number,
): Promise<Batch> {
  return found(await store.resumeBatch(workspaceId, batchId, clock.now()), batchId)
}

/** Drops everybody who is not being called (`dropped` of them); calls under way end normally. */
export async function cancelBatch(
  { store, clock }: ControlDeps,
  workspaceId: number,
  batchId: number,
): Promise<{ batch: Batch; dropped: number }> {
  return found(await store.cancelBatch(workspaceId, batchId, clock.now()), batchId)
}

/** An open batch takes no more recipients, and completes when its last one does. */
export async function closeBatch(
  { store, clock }: ControlDeps,
  workspaceId: number,
  batchId: number,
): Promise<Batch> {
  return found(await store.closeBatch(workspaceId, batchId, clock.now()), batchId)
}

/** @param request.scheduledAt epoch ms; Refusal `past_scheduled_time`. */
export async function rescheduleBatch(
  { store, clock }: ControlDeps,
  workspaceId: number,
  batchId: number,
  request: { scheduledAt: number; timezone: string },
): Promise<Batch> {
  const now = clock.now()
  if (request.scheduledAt < now)
    throw new Refusal('invalid', 'past_scheduled_time', 'Scheduled time must be in the future')
  const { scheduledAt, timezone } = request
  return found(await store.rescheduleBatch(workspaceId, batchId, scheduledAt, timezone, now), batchId)
}

/** Only a draft or a finished batch; its rows, attempts and recordings go with it. */
export async function deleteBatch(
  { store, clock, recordingsDir }: ControlDeps & Pick<Deps, 'recordingsDir'>,
  workspaceId: number,
  batchId: number,
): Promise<void> {
  const recordings = await store.listRecordings(workspaceId, batchId)
  if (!(await store.deleteBatch(workspaceId, batchId, clock.now()))) throw batchNotFound(batchId)
  await removeRecordings(recordingsDir, recordings)
}

export function batchNotFound(batchId: number | string): Refusal {
  return new Refusal('not-found', 'batch_not_found', `Batch ${batchId} not found`, { ref: String(batchId) })
}

function found<Thing>(thing: Thing | null, batchId: number): Thing {
  if (thing === null) throw batchNotFound(batchId)
  return thing
}

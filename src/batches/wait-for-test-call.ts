// The one call of a test batch, from its creation to its end: woken by the store's events, withdrawn if it finds no place.
import { type Batch, finishedBatchStatuses } from '../domain/batch.ts'
import type { TestCall } from '../domain/line-test.ts'
import type { Attempt } from '../domain/recipient.ts'
import { cancelBatch } from './control-batch.ts'
import type { Deps } from './deps.ts'

export interface EndedTestCall extends TestCall {
  attempt: Attempt
}

/** A call that found no place by then is withdrawn: nobody wants to be rung by a forgotten test. */
const placeWithinMs = 20_000

/** null: it found no place. */
export async function waitForTestCall(deps: Deps, batch: Batch): Promise<EndedTestCall | null> {
  const { store, clock } = deps
  const { workspaceId, id: batchId } = batch
  const attemptId = async () =>
    (await store.listAttempts(workspaceId, { batchId }, { limit: 1 }))[0]?.id ?? null
  const timer = clock.at(clock.now() + placeWithinMs, () => void withdraw().catch(() => {}))
  async function withdraw(): Promise<void> {
    if ((await attemptId()) === null) await cancelBatch(deps, workspaceId, batchId)
  }
  try {
    await until(store, async () => {
      const { status } = (await store.getBatch(workspaceId, batchId)) ?? { status: 'cancelled' as const }
      if (!finishedBatchStatuses.has(status)) return false
      const id = await attemptId()
      return id === null || (await store.findAttempt(workspaceId, id))?.status === 'ended'
    })
  } finally {
    timer.cancel()
  }
  const id = await attemptId()
  const attempt = id === null ? null : await store.findAttempt(workspaceId, id)
  if (attempt === null) return null
  const { conversation, ...rest } = attempt
  return { attempt: rest, conversation, trace: await store.findTrace(workspaceId, attempt.id) }
}

/** Asked once at the beginning and again after each event; rejects when the store does. */
async function until(store: Deps['store'], isOver: () => Promise<boolean>): Promise<void> {
  const over = Promise.withResolvers<void>()
  let isLooking = false
  let isStale = false
  const look = async () => {
    if (isLooking) {
      isStale = true
      return
    }
    isLooking = true
    do {
      isStale = false
      if (await isOver()) return over.resolve()
    } while (isStale)
    isLooking = false
  }
  const unsubscribe = store.onEvents(() => void look().catch(over.reject))
  look().catch(over.reject)
  await over.promise.finally(unsubscribe)
}

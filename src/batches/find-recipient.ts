// One person, or everybody, with what the last call left behind.
import type { Batch } from '../domain/batch.ts'
import type { Conversation } from '../domain/conversation.ts'
import type { Recipient } from '../domain/recipient.ts'
import { batchIdOf, positionOf } from '../domain/recipient-id.ts'
import { Refusal } from '../domain/refusal.ts'
import type { OffsetPage } from '../store/lookups.ts'
import type { Deps } from './deps.ts'

export interface FoundRecipient {
  recipient: Recipient
  batch: Batch
  /** Of the last call; null: it left nothing behind, is still under way, or was never made. */
  conversation: Conversation | null
}

/** Refusal `recipient_not_found`, also for somebody of another workspace. */
export async function findRecipient(
  deps: Pick<Deps, 'store'>,
  workspaceId: number,
  id: number,
): Promise<FoundRecipient> {
  const { store } = deps
  const batchId = batchIdOf(id)
  const page = { afterPosition: positionOf(id) - 1, limit: 1 }
  const [recipient] = await store.listRecipients(workspaceId, batchId, {}, page)
  const batch = await store.getBatch(workspaceId, batchId)
  if (recipient?.id !== id || batch === null) throw recipientNotFound(id)
  return { recipient, batch, conversation: await conversationOf(deps, workspaceId, recipient) }
}

/** People of every batch and single call: the newest batch first, within it in the order of its list. */
export async function listEverybody(
  deps: Pick<Deps, 'store'>,
  workspaceId: number,
  filter: { agentId?: number },
  page: OffsetPage,
): Promise<{ found: FoundRecipient[]; total: number }> {
  const { store } = deps
  const { recipients, total } = await store.listEverybody(workspaceId, filter, page)
  const batches = new Map<number, Batch | null>()
  const found: FoundRecipient[] = []
  for (const recipient of recipients) {
    const { batchId } = recipient
    if (!batches.has(batchId)) batches.set(batchId, await store.getBatch(workspaceId, batchId))
    const batch = batches.get(batchId) ?? null
    // Deleted while we were reading.
    if (batch === null) continue
    found.push({ recipient, batch, conversation: await conversationOf(deps, workspaceId, recipient) })
  }
  return { found, total }
}

export function recipientNotFound(ref: number | string): Refusal {
  return new Refusal('not-found', 'recipient_not_found', `Recipient ${ref} not found`, { ref: String(ref) })
}

async function conversationOf(
  { store }: Pick<Deps, 'store'>,
  workspaceId: number,
  { lastAttempt }: Recipient,
): Promise<Conversation | null> {
  if (lastAttempt === null || lastAttempt.endedAt === null) return null
  return (await store.findAttempt(workspaceId, lastAttempt.id))?.conversation ?? null
}

// What a delivery says, put together from the store when it is tried: the outbox holds ids, not calls.
import type { OutboxEvent } from '../domain/event.ts'
import type { Store } from '../store/store.ts'
import type { ClaimedDelivery } from '../store/webhook-records.ts'
import type { ToldCall, WebhookFormat, WebhookMessage } from './webhook-format.ts'

export interface Composing {
  store: Pick<Store, 'getBatch' | 'findAttempt'>
  /** Where our API is reached from outside, without a slash at the end. */
  publicUrl(): string
}

export async function composeMessage(
  composing: Composing,
  format: WebhookFormat,
  { name }: ClaimedDelivery['delivery'],
  event: OutboxEvent,
): Promise<WebhookMessage> {
  const { workspaceId, batchId } = event
  const batch = batchId === null ? null : await composing.store.getBatch(workspaceId, batchId)
  const call = await findCall(composing, event)
  return { id: messageId(event, format.namesOf(event).indexOf(name)), name, event, batch, call }
}

/** One event may become several messages (`evt_7`, `evt_7_2`), each with an id of its own. */
function messageId(event: OutboxEvent, index: number): string {
  return index > 0 ? `evt_${event.id}_${index + 1}` : `evt_${event.id}`
}

async function findCall({ store, publicUrl }: Composing, event: OutboxEvent): Promise<ToldCall | null> {
  const { attemptId, nextRetryAt } = event.data
  if (typeof attemptId !== 'number') return null
  const found = await store.findAttempt(event.workspaceId, attemptId)
  if (found === null) return null
  const { conversation, variables, ...attempt } = found
  const isRecorded = conversation !== null && conversation.recordingFile !== null
  return {
    attempt,
    variables,
    conversation,
    nextRetryAt: typeof nextRetryAt === 'number' ? nextRetryAt : null,
    recordingUrl: isRecorded ? `${publicUrl()}/api/v1/attempts/${attemptId}/recording` : null,
  }
}

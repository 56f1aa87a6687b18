// Endpoints, deliveries and claims as the webhook promises use them.
import assert from 'node:assert/strict'
import type { Store } from '../../src/store/store.ts'
import type {
  AfterTry,
  ClaimDeliveries,
  ClaimedDelivery,
  DeliveryTry,
  NewWebhookEndpoint,
  WebhookEndpoint,
} from '../../src/store/webhook-records.ts'
import { node, start } from './workbench.ts'

export const leaseMs = 60_000
export const refused: DeliveryTry = { at: start, status: 500, durationMs: 3, error: null, response: 'no' }

export function newEndpoint(
  workspaceId: number,
  changes: Partial<NewWebhookEndpoint> = {},
): NewWebhookEndpoint {
  return {
    workspaceId,
    url: 'https://example.com/hook',
    format: 'outdial',
    events: null,
    agentId: null,
    batchId: null,
    description: null,
    enabled: true,
    secret: 'whsec_AAAA',
    wantsAnswers: false,
    createdAt: start,
    ...changes,
  }
}

/** So many deliveries of a batch, as if the outbox had held their events. */
export async function enqueue(
  store: Store,
  { id, workspaceId }: WebhookEndpoint,
  batchId: number | null,
  count: number,
) {
  const { position } = (await store.findWebhookEndpoint(workspaceId, id))!
  const deliveries = Array.from({ length: count }, (_, index) => ({
    eventId: position + index + 1,
    batchId,
    eventAt: start + index,
    name: 'attempt.ended',
  }))
  const stretch = { from: position, to: position + count, deliveries }
  assert.equal(await store.enqueueDeliveries(id, stretch, start), true)
}

export async function claim(
  store: Store,
  changes: Partial<ClaimDeliveries> = {},
): Promise<ClaimedDelivery[]> {
  const bounds = { limit: 64, perEndpoint: 8, perFailingEndpoint: 1, leaseMs }
  return (await store.claimDeliveries({ nodeId: node, now: start, ...bounds, ...changes })).claimed
}

export const record = (
  store: Store,
  { delivery }: ClaimedDelivery,
  next: AfterTry,
  now = start,
  nodeId = node,
) => store.recordDeliveries([{ deliveryId: delivery.id, made: refused, next, disable: null }], nodeId, now)

export const delivered: AfterTry = { kind: 'delivered' }
export const eventIds = (claimed: ClaimedDelivery[]) => claimed.map(({ delivery }) => delivery.eventId)

// What the store keeps of telling others: the outbox in pages, endpoints, deliveries with their tries, and who delivers.
import type { Dialect } from '../domain/batch.ts'
import type { EventType, OutboxEvent } from '../domain/event.ts'
import type { CursorPage, Idempotency } from './store.ts'

export interface OutboxFilter {
  /** null: of every workspace. */
  workspaceId: number | null
  batchId?: number
  types?: readonly EventType[]
}

export interface OutboxPage {
  /** In order of id. May be fewer than asked for, or none, though more follow: a page looks at a bounded stretch. */
  events: OutboxEvent[]
  /** Everything up to this id was looked at: the next page begins after it. */
  position: number
  /** True: nothing stands after `position` at present. */
  atEnd: boolean
}

/** Why an endpoint is not delivered to: somebody said so, it answered 410, or it failed for days. */
export type DisabledReason = 'user' | 'gone' | 'failing'

export interface NewWebhookEndpoint {
  workspaceId: number
  url: string
  format: Dialect
  /** Names in the format's words; null: all that it has. */
  events: string[] | null
  /** Only what concerns this agent or batch; null: the whole workspace. */
  agentId: number | null
  batchId: number | null
  description: string | null
  enabled: boolean
  secret: string
  /** While such an endpoint is enabled, answered calls of its workspace write an event of their own. */
  wantsAnswers: boolean
  createdAt: number
}

export interface WebhookEndpoint extends NewWebhookEndpoint {
  id: number
  /** The secret before the last rotation, and until when it signs as well (epoch ms). */
  previousSecret: string | null
  previousSecretUntil: number | null
  disabledReason: DisabledReason | null
  /** Events up to this id have become deliveries, or concern somebody else. */
  position: number
  /** Deliveries that are neither delivered nor given up. */
  waiting: number
  /** Since when every try failed, epoch ms; null: the last one succeeded. */
  failingSince: number | null
  lastDeliveredAt: number | null
  updatedAt: number
}

export type WebhookEndpointPatch = Partial<
  Pick<WebhookEndpoint, 'url' | 'events' | 'description' | 'enabled' | 'wantsAnswers'>
>

/** One event that concerns an endpoint, under the name that the endpoint's format gives it. */
export interface NewDelivery {
  eventId: number
  batchId: number | null
  eventAt: number
  name: string
}

export interface DeliveryTry {
  at: number
  /** HTTP status; null: there was no answer. */
  status: number | null
  durationMs: number
  error: string | null
  /** The first kilobyte of the answer's body. */
  response: string | null
}

/** `skipped`: there was nothing to tell after all. `failed`: given up. */
export const deliveryStatuses = ['waiting', 'delivered', 'failed', 'skipped'] as const
export type DeliveryStatus = (typeof deliveryStatuses)[number]

export interface Delivery {
  id: number
  endpointId: number
  batchId: number | null
  eventId: number
  eventAt: number
  name: string
  status: DeliveryStatus
  /** When it is tried next, epoch ms; null: never again. */
  dueAt: number | null
  tries: DeliveryTry[]
  redeliveryOf: number | null
  createdAt: number
  finishedAt: number | null
}

export interface ClaimDeliveries {
  /** New at each start of a process. */
  nodeId: string
  now: number
  /** Largest number claimed at once, in all and for one endpoint (other nodes' included). */
  limit: number
  perEndpoint: number
  /** For an endpoint whose last try failed: a probe, not a flood. */
  perFailingEndpoint: number
  leaseMs: number
  /** What came of earlier ones: recorded first, in the same transaction. See `recordDeliveries`. */
  tried?: readonly TriedDelivery[]
}

/** A delivery that this node alone may try until its lease ends. */
export interface ClaimedDelivery {
  delivery: Delivery
  endpoint: WebhookEndpoint
  /** null: the outbox holds it no more. */
  event: OutboxEvent | null
}

export interface ClaimedDeliveries {
  claimed: ClaimedDelivery[]
  /** When the next one falls due, or another node's lease ends, epoch ms; null: nothing waits. */
  wakeAt: number | null
}

export type AfterTry =
  | { kind: 'delivered' | 'skipped' | 'failed' }
  /** `overtaken`: the later ones of its batch no longer wait for it. */
  | { kind: 'retry'; dueAt: number; overtaken: boolean }

export interface TriedDelivery {
  deliveryId: number
  /** null: nothing was sent. */
  made: DeliveryTry | null
  next: AfterTry
  /** Takes the endpoint out of service, with an event that says so. */
  disable: Exclude<DisabledReason, 'user'> | null
}

export interface WebhookStore {
  readOutbox(filter: OutboxFilter, page: { after: number; limit: number }): Promise<OutboxPage>
  /** The id of the newest event; 0: there is none. */
  outboxHead(): Promise<number>

  /** Told of what happens from now on. */
  createWebhookEndpoint(
    endpoint: NewWebhookEndpoint,
    idempotency?: Idempotency<WebhookEndpoint>,
  ): Promise<WebhookEndpoint>
  findWebhookEndpoint(workspaceId: number, id: number): Promise<WebhookEndpoint | null>
  listWebhookEndpoints(workspaceId: number, page: CursorPage): Promise<WebhookEndpoint[]>
  /** `enabled` true goes on where it stopped. null: no such endpoint. */
  updateWebhookEndpoint(
    workspaceId: number,
    id: number,
    patch: WebhookEndpointPatch,
    now: number,
  ): Promise<WebhookEndpoint | null>
  /** The secret so far signs as well until `previousUntil`. */
  rotateWebhookSecret(
    workspaceId: number,
    id: number,
    secret: string,
    previousUntil: number,
    now: number,
  ): Promise<WebhookEndpoint | null>
  /** With its deliveries. False: no such endpoint. */
  deleteWebhookEndpoint(workspaceId: number, id: number): Promise<boolean>

  /** Every workspace's enabled endpoints. */
  listEnabledEndpoints(): Promise<WebhookEndpoint[]>
  /**
   * Moves an endpoint from one position in the outbox to another, and makes deliveries of what concerns it on the way.
   * False: it does not stand at `from` any more (another node was quicker), and nothing was written.
   */
  enqueueDeliveries(
    endpointId: number,
    stretch: { from: number; to: number; deliveries: readonly NewDelivery[] },
    now: number,
  ): Promise<boolean>
  /** At most one of each endpoint and batch, in the order of their events; none that another node holds. */
  claimDeliveries(request: ClaimDeliveries): Promise<ClaimedDeliveries>
  /** What came of claimed ones. False for one that is not this node's any more: it changes nothing. */
  recordDeliveries(tried: readonly TriedDelivery[], nodeId: string, now: number): Promise<boolean[]>

  /** Newest first. */
  listDeliveries(
    workspaceId: number,
    endpointId: number,
    filter: { status?: DeliveryStatus },
    page: { beforeId?: number; limit: number },
  ): Promise<Delivery[]>
  /** The same event once more, as a delivery of its own that is due at once. null: no such delivery. */
  redeliver(
    workspaceId: number,
    endpointId: number,
    deliveryId: number,
    now: number,
  ): Promise<Delivery | null>
  /** Forgets deliveries that were finished before; returns how many, at most `limit`. */
  pruneDeliveries(before: number, limit: number): Promise<number>
  /** When the oldest event happened that waits for delivery to an enabled endpoint; null: nothing waits. */
  oldestWaitingEventAt(): Promise<number | null>
}

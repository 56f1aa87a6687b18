// Endpoints as people make and change them: what is refused, and what a change sets off.
import { randomUUID } from 'node:crypto'
import { Refusal } from '../domain/refusal.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Idempotency, Store } from '../store/store.ts'
import type { Delivery, WebhookEndpoint } from '../store/webhook-records.ts'
import { isDelivered } from './retry-schedule.ts'
import type { Send, WebhookAnswer } from './sender.ts'
import { targetProblem } from './target-url.ts'
import { post } from './try-delivery.ts'
import type { WebhookFormat, WebhookFormats } from './webhook-format.ts'

/** How long the secret before a rotation signs as well. */
export const secretOverlapMs = 24 * 3_600_000
/** Each looks through the outbox for itself. */
export const maxEndpointsPerWorkspace = 50

/** What the use cases need of what delivers. */
export interface WebhookDesk {
  formats: WebhookFormats
  send: Send
  allowPrivate: boolean
  /** Something may be due. */
  wake(): void
}

export interface ControlDeps {
  store: Store
  clock: Clock
  webhooks: WebhookDesk
}

export interface NewEndpointRequest {
  workspaceId: number
  url: string
  format: string
  events: string[] | null
  /** An agent's id or alias. */
  agentRef: string | null
  batchId: number | null
  description: string | null
  enabled: boolean
  /** null: made. */
  secret: string | null
}

/** Refusals `invalid_webhook_*`, `agent_not_found`, `batch_not_found`, `too_many_webhook_endpoints`. */
export async function createEndpoint(
  { store, clock, webhooks }: ControlDeps,
  request: NewEndpointRequest,
  idempotency?: Idempotency<WebhookEndpoint>,
): Promise<WebhookEndpoint> {
  const { workspaceId, url, events, batchId, description, enabled } = request
  const format = webhooks.formats.get(request.format)
  if (format === undefined)
    throw invalid('format', `must be one of ${[...webhooks.formats.keys()].join(', ')}`)
  checkUrl(webhooks, url)
  checkEvents(format, events)
  const agentId = await findAgentId(store, workspaceId, request.agentRef)
  if (batchId !== null && (await store.getBatch(workspaceId, batchId)) === null)
    throw new Refusal('not-found', 'batch_not_found', `Batch ${batchId} not found.`)
  const there = await store.listWebhookEndpoints(workspaceId, { limit: maxEndpointsPerWorkspace })
  if (there.length >= maxEndpointsPerWorkspace)
    throw new Refusal(
      'conflict',
      'too_many_webhook_endpoints',
      `A workspace has at most ${maxEndpointsPerWorkspace} webhook endpoints.`,
    )
  const endpoint = {
    workspaceId,
    url,
    format: format.name,
    events,
    agentId,
    batchId,
    description,
    enabled,
    secret: checkedSecret(format, request.secret),
    wantsAnswers: wantsAnswers(format, events),
    createdAt: clock.now(),
  }
  return store.createWebhookEndpoint(endpoint, idempotency)
}

export type EndpointChanges = Partial<Pick<WebhookEndpoint, 'url' | 'events' | 'description' | 'enabled'>>

/** Refusals `invalid_webhook_*`, `webhook_endpoint_not_found`. */
export async function updateEndpoint(
  { store, clock, webhooks }: ControlDeps,
  endpoint: WebhookEndpoint,
  changes: EndpointChanges,
): Promise<WebhookEndpoint> {
  const format = formatOf(webhooks, endpoint)
  if (changes.url !== undefined) checkUrl(webhooks, changes.url)
  if (changes.events !== undefined) checkEvents(format, changes.events)
  const events = changes.events === undefined ? endpoint.events : changes.events
  const patch = { ...changes, wantsAnswers: wantsAnswers(format, events) }
  const updated = await store.updateWebhookEndpoint(endpoint.workspaceId, endpoint.id, patch, clock.now())
  webhooks.wake()
  return existing(updated, endpoint.id)
}

/** The old secret signs beside the new one for `secretOverlapMs`, where the format's header has room for two. */
export async function rotateSecret(
  { store, clock, webhooks }: ControlDeps,
  { workspaceId, id, format }: WebhookEndpoint,
  secret: string | null,
): Promise<WebhookEndpoint> {
  const now = clock.now()
  const next = checkedSecret(formatOf(webhooks, { format }), secret)
  const rotated = await store.rotateWebhookSecret(workspaceId, id, next, now + secretOverlapMs, now)
  return existing(rotated, id)
}

/** Refusal `delivery_not_found`. */
export async function redeliver(
  { store, clock, webhooks }: ControlDeps,
  { workspaceId, id }: WebhookEndpoint,
  deliveryId: number,
): Promise<Delivery> {
  const again = await store.redeliver(workspaceId, id, deliveryId, clock.now())
  if (again === null) throw deliveryNotFound(deliveryId)
  webhooks.wake()
  return again
}

/** Sends a test event now, whatever the endpoint is told otherwise; it leaves no delivery behind. */
export async function testEndpoint(
  { clock, webhooks }: ControlDeps,
  endpoint: WebhookEndpoint,
): Promise<WebhookAnswer & { messageId: string; delivered: boolean }> {
  const format = formatOf(webhooks, endpoint)
  const { name, present } = format.test
  const id = `evt_test_${randomUUID()}`
  const body = present(id, clock.now())
  const answer = await post({ send: webhooks.send, clock }, format, endpoint, { id, name, body })
  return { messageId: id, delivered: isDelivered(answer.status), ...answer }
}

/** Refusal `webhook_endpoint_not_found`. */
export async function findEndpoint(
  { store }: Pick<ControlDeps, 'store'>,
  workspaceId: number,
  id: number,
): Promise<WebhookEndpoint> {
  return existing(await store.findWebhookEndpoint(workspaceId, id), id)
}

export function endpointNotFound(ref: number | string): Refusal {
  return new Refusal('not-found', 'webhook_endpoint_not_found', `Webhook endpoint ${ref} not found.`)
}

export function deliveryNotFound(ref: number | string): Refusal {
  return new Refusal('not-found', 'delivery_not_found', `Delivery ${ref} not found.`)
}

function existing(endpoint: WebhookEndpoint | null, id: number): WebhookEndpoint {
  if (endpoint === null) throw endpointNotFound(id)
  return endpoint
}

function formatOf({ formats }: WebhookDesk, { format }: Pick<WebhookEndpoint, 'format'>): WebhookFormat {
  const found = formats.get(format)
  if (found === undefined) throw invalid('format', `${format} is not known to this server`)
  return found
}

function wantsAnswers(format: WebhookFormat, events: readonly string[] | null): boolean {
  return format.answerName !== null && (events ?? format.eventsByDefault).includes(format.answerName)
}

async function findAgentId(store: Store, workspaceId: number, ref: string | null): Promise<number | null> {
  if (ref === null) return null
  const agent = await store.findAgent(workspaceId, ref)
  if (agent === null) throw new Refusal('not-found', 'agent_not_found', `Agent ${ref} not found.`)
  return agent.id
}

function checkUrl({ allowPrivate }: WebhookDesk, url: string): void {
  const problem = targetProblem(url, allowPrivate)
  if (problem !== null) throw invalid('url', problem)
}

function checkEvents({ eventNames }: WebhookFormat, events: readonly string[] | null): void {
  const unknown = events?.find(name => !eventNames.includes(name))
  if (unknown !== undefined)
    throw invalid('events', `\`${unknown}\` is none of this format's events: ${eventNames.join(', ')}`)
}

function checkedSecret(format: WebhookFormat, secret: string | null): string {
  if (secret === null) return format.newSecret()
  const problem = format.secretProblem(secret)
  if (problem !== null) throw invalid('secret', problem)
  return secret
}

function invalid(field: string, message: string): Refusal {
  const errors = [{ field, message }]
  return new Refusal('invalid', `invalid_webhook_${field}`, `\`${field}\`: ${message}`, { errors })
}

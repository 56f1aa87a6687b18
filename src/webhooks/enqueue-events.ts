// From the outbox to deliveries: each endpoint has a place in it, moved together with the deliveries that it makes.
import type { OutboxEvent } from '../domain/event.ts'
import type { Store } from '../store/store.ts'
import type { NewDelivery, WebhookEndpoint } from '../store/webhook-records.ts'
import type { WebhookFormat, WebhookFormats } from './webhook-format.ts'

/** Deliveries made in one transaction at most. */
const pageEvents = 250
/** An endpoint with so many waiting is given no more: the rest stays in the outbox, where it costs nothing. */
const maxWaitingDeliveries = 10_000
/** A place that moved past events of others only is written down after so many: it would cost a write for each of their commits. */
const lazyEvents = 10_000
/** Agents of batches that are remembered; a batch's agent never changes. */
const maxKnownBatches = 10_000

export interface Advance {
  /** How many are enabled. */
  endpoints: number
  /** Another page follows at once. */
  more: boolean
  /** Some endpoint has as many waiting as it may: its next page comes when some are delivered. */
  held: boolean
}

export class EventQueue {
  readonly #store: Store
  readonly #formats: WebhookFormats
  readonly #maxWaiting: number
  /** How far an endpoint was looked through, where that is further than what is written down. */
  readonly #seen = new Map<number, number>()
  readonly #agents = new Map<number, number | null>()

  constructor(store: Store, formats: WebhookFormats, maxWaiting = maxWaitingDeliveries) {
    this.#store = store
    this.#formats = formats
    this.#maxWaiting = maxWaiting
  }

  /** One page for each enabled endpoint. */
  async advance(now: number): Promise<Advance> {
    const endpoints = await this.#store.listEnabledEndpoints()
    const found: Advance = { endpoints: endpoints.length, more: false, held: false }
    if (endpoints.length === 0) {
      this.#seen.clear()
      return found
    }
    const head = await this.#store.outboxHead()
    for (const endpoint of endpoints) {
      const seen = Math.max(endpoint.position, this.#seen.get(endpoint.id) ?? 0)
      if (seen >= head) continue
      if (endpoint.waiting >= this.#maxWaiting) found.held = true
      else if (await this.#page(endpoint, seen, now)) found.more = true
    }
    return found
  }

  async #page(endpoint: WebhookEndpoint, after: number, now: number): Promise<boolean> {
    const format = this.#formats.get(endpoint.format)
    if (format === undefined) return false
    const filter = {
      workspaceId: endpoint.workspaceId,
      types: format.types,
      ...(endpoint.batchId === null ? {} : { batchId: endpoint.batchId }),
    }
    const page = await this.#store.readOutbox(filter, { after, limit: pageEvents })
    const deliveries: NewDelivery[] = []
    for (const event of page.events) deliveries.push(...(await this.#deliveriesOf(event, endpoint, format)))
    const { position: to, atEnd } = page
    if (deliveries.length === 0 && to - endpoint.position < lazyEvents) {
      this.#seen.set(endpoint.id, to)
      return !atEnd
    }
    const { id, position: from } = endpoint
    if (await this.#store.enqueueDeliveries(id, { from, to, deliveries }, now)) this.#seen.set(id, to)
    // Another node was quicker: what it wrote is read at the next look.
    else this.#seen.delete(id)
    return !atEnd
  }

  async #deliveriesOf(
    event: OutboxEvent,
    { events, agentId }: WebhookEndpoint,
    format: WebhookFormat,
  ): Promise<NewDelivery[]> {
    const chosen = events ?? format.eventsByDefault
    const names = format.namesOf(event).filter(name => chosen.includes(name))
    if (names.length === 0 || (agentId !== null && (await this.#agentOf(event)) !== agentId)) return []
    const { id: eventId, batchId, at: eventAt } = event
    return names.map(name => ({ eventId, batchId, eventAt, name }))
  }

  async #agentOf({ workspaceId, batchId, data }: OutboxEvent): Promise<number | null> {
    if (batchId === null) return typeof data.agentId === 'number' ? data.agentId : null
    const known = this.#agents.get(batchId)
    if (known !== undefined) return known
    const agentId = (await this.#store.getBatch(workspaceId, batchId))?.agentId ?? null
    if (this.#agents.size >= maxKnownBatches) this.#agents.clear()
    this.#agents.set(batchId, agentId)
    return agentId
  }
}

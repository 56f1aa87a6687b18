// A store with calls that end when told, and a deliverer on virtual time whose receiver is a function.
import type { TestContext } from 'node:test'
import type { Disposition } from '../../src/domain/outcome.ts'
import { VirtualClock } from '../../src/runtime/virtual-clock.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import type { WebhookEndpoint } from '../../src/store/webhook-records.ts'
import { createEndpoint, type NewEndpointRequest } from '../../src/webhooks/control-endpoint.ts'
import type { Webhooks } from '../../src/webhooks/open-webhooks.ts'
import type { Send, WebhookAnswer, WebhookRequest } from '../../src/webhooks/sender.ts'
import { furnish, outcomeOf, start, type Workbench } from '../store/workbench.ts'
import { webhooksFor } from './webhook-desk.ts'

export interface Sent extends WebhookRequest {
  /** Seconds from the beginning. */
  at: number
  json: { type?: string; data: Record<string, unknown> }
}

export interface DeliveryHouse extends Workbench {
  clock: VirtualClock
  webhooks: Webhooks
  sent: Sent[]
  addEndpoint(changes?: Partial<NewEndpointRequest>): Promise<WebhookEndpoint>
  endpoint(id: number): Promise<WebhookEndpoint>
  /** So many people of a batch are called, and their calls end so. */
  callEverybody(count: number, how?: Disposition): Promise<number>
  /** Commits are announced to nobody any more. */
  silence(): void
  pass(seconds: number): Promise<void>
  deliveries(endpointId: number): ReturnType<Workbench['store']['listDeliveries']>
}

export const answered = (status: number | null, more: Partial<WebhookAnswer> = {}): WebhookAnswer => ({
  status,
  durationMs: 5,
  error: status === null ? 'ECONNREFUSED' : null,
  response: null,
  retryAfter: null,
  ...more,
})

/** `answer`: the receiver's, to one request; later than at once by a promise. */
export async function openHouse(
  t: TestContext,
  answer: (sent: Sent) => WebhookAnswer | Promise<WebhookAnswer>,
  { alone = true, ...options }: { maxWaiting?: number; alone?: boolean } = {},
): Promise<DeliveryHouse> {
  const clock = new VirtualClock(start)
  const store = await openSqliteStore({ path: ':memory:', schedule: queueMicrotask })
  // Called after commits only while this is true.
  let announces = true
  const { onEvents } = store
  store.onEvents = listener => onEvents(() => announces && listener())
  const bench = await furnish(store)
  const sent: Sent[] = []
  const send: Send = async request => {
    const made = { ...request, at: (clock.now() - start) / 1_000, json: JSON.parse(request.body) }
    sent.push(made)
    return answer(made)
  }
  const webhooks = webhooksFor(store, { clock, sender: { send, close() {} }, ...options })
  webhooks.start({ nodeId: 'node-1', publicUrl: 'https://calls.example.com', alone })
  t.after(async () => {
    await Promise.all([webhooks.stop(), clock.run({ until: clock.now() + 5_000 })])
    await store.close()
  })
  return {
    ...bench,
    clock,
    webhooks,
    sent,
    addEndpoint: changes =>
      createEndpoint(
        { store, clock, webhooks },
        { ...newEndpoint(bench.workspace.id), events: ['attempt.ended'], ...changes },
      ),
    endpoint: async id => (await store.findWebhookEndpoint(bench.workspace.id, id))!,
    async callEverybody(count, how = 'answered') {
      const { id } = await bench.import(count)
      const now = clock.now()
      const reached = how === 'answered' || how === 'voicemail'
      const ending = { outcome: outcomeOf(how), answeredAt: reached ? now - 4_200 : null, endedAt: now }
      await bench.end(await bench.call({ now }), ending)
      return id
    },
    silence() {
      announces = false
    },
    pass: async seconds => void (await clock.run({ until: clock.now() + seconds * 1_000 })),
    deliveries: endpointId => store.listDeliveries(bench.workspace.id, endpointId, {}, { limit: 1_000 }),
  }
}

/** Ours, for everything. */
export function newEndpoint(workspaceId: number, url = 'http://127.0.0.1:1/hook'): NewEndpointRequest {
  return {
    workspaceId,
    url,
    format: 'outdial',
    events: null,
    agentRef: null,
    batchId: null,
    description: null,
    enabled: true,
    secret: null,
  }
}

// Somebody who is told of everything by webhook: slow, away, or unable to say that it has heard.
import { outdialWebhook } from '../../src/http/api/outdial-webhook.ts'
import type { Clock } from '../../src/runtime/clock.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { waitFor } from '../../src/runtime/wait.ts'
import type { Store } from '../../src/store/store.ts'
import { createEndpoint } from '../../src/webhooks/control-endpoint.ts'
import { openWebhooks, type Webhooks } from '../../src/webhooks/open-webhooks.ts'
import type { WebhookAnswer, WebhookRequest } from '../../src/webhooks/sender.ts'
import type { EventLedger } from './event-ledger.ts'
import type { Story } from './story.ts'
import type { Weather } from './weather.ts'

const answer = (status: number | null): WebhookAnswer => ({
  status,
  durationMs: 0,
  error: status === null ? 'no answer' : null,
  response: null,
  retryAfter: null,
})

export class Receiver {
  readonly #story: Story
  readonly #weather: Weather
  readonly #heard = new Set<string>()
  /** Newest event of each batch that was heard. */
  readonly #newest = new Map<number, number>()

  constructor(story: Story, weather: Weather) {
    this.#story = story
    this.#weather = weather
  }

  /** Is told of what happens from now on. */
  async subscribe(store: Store, clock: Clock, workspaceId: number): Promise<void> {
    const webhooks = this.reachedFrom(store, clock)
    await createEndpoint(
      { store, clock, webhooks },
      {
        workspaceId,
        url: 'http://127.0.0.1:1/hook',
        format: 'outdial',
        events: null,
        agentRef: null,
        batchId: null,
        description: null,
        enabled: true,
        secret: null,
      },
    )
  }

  /** A node's way here; by the node's own clock, which stops with it. */
  reachedFrom(store: Store, clock: Clock): Webhooks {
    return openWebhooks({
      store,
      clock,
      logger: silentLogger,
      random: seededRandom(1),
      formats: [outdialWebhook],
      allowPrivate: true,
      sender: { send: request => this.#receive(request, clock), close: () => {} },
    })
  }

  /** Events of which it has not heard even once. */
  missing(ledger: EventLedger): number[] {
    return ledger.tellable(outdialWebhook).filter(id => !this.#heard.has(`evt_${id}`))
  }

  async #receive({ headers, body }: WebhookRequest, clock: Clock): Promise<WebhookAnswer> {
    const fate = this.#weather.ofReceiver()
    await waitFor(clock, fate.delayMs)
    if (fate.kind === 'away') return answer(null)
    this.#hear(String(headers['webhook-id']), body)
    return answer(fate.kind === 'unheard' ? null : fate.kind === 'fails' ? 503 : 200)
  }

  #hear(id: string, body: string): void {
    this.#story.figures.deliveries++
    this.#story.tell(`receiver hears ${id}`)
    const isNew = !this.#heard.has(id)
    this.#heard.add(id)
    const { batchId } = (JSON.parse(body) as { data: { batchId?: number } }).data
    if (batchId === undefined || !isNew || this.#weather.receiverFails) return
    const event = Number(id.split('_')[1])
    const newest = this.#newest.get(batchId) ?? 0
    this.#story.holds(
      'always told',
      event >= newest,
      () => `${id} of batch ${batchId} is told after ${newest}`,
    )
    this.#newest.set(batchId, event)
  }
}

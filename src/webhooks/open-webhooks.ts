// Webhooks as the server holds them: a desk for requests at once, a deliverer once the server is up.
import { randomInt } from 'node:crypto'
import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import { type Random, seededRandom } from '../runtime/random.ts'
import type { Store } from '../store/store.ts'
import type { WebhookDesk } from './control-endpoint.ts'
import { Deliverer, type DeliveryFigures } from './deliverer.ts'
import { openSender, type Sender } from './sender.ts'
import type { WebhookFormat } from './webhook-format.ts'

export interface WebhookOptions {
  store: Store
  clock: Clock
  logger: Logger
  /** Spreads tries that failed together; default: a seed of chance. */
  random?: Random
  formats: readonly WebhookFormat[]
  /** Whether endpoints may be on loopback and in private networks. */
  allowPrivate: boolean
  /** Default: HTTP, to checked addresses. */
  sender?: Sender
  /** See DelivererDeps. */
  maxWaiting?: number
}

export interface Webhooks extends WebhookDesk {
  /** Delivers from now on. `publicUrl`: where links in messages lead. `alone`: no other node is at work; default true. */
  start(options: { nodeId: string; publicUrl: string; alone?: boolean }): void
  figures(): DeliveryFigures
  stop(): Promise<void>
}

const nothingYet: DeliveryFigures = { delivered: 0, retry: 0, failed: 0, skipped: 0, inFlight: 0 }

export function openWebhooks({ formats, allowPrivate, ...deps }: WebhookOptions): Webhooks {
  const random = deps.random ?? seededRandom(randomInt(2 ** 32))
  const { send, close } = deps.sender ?? openSender({ clock: deps.clock, allowPrivate })
  const byName = new Map(formats.map(format => [format.name as string, format]))
  let deliverer: Deliverer | null = null
  return {
    formats: byName,
    send,
    allowPrivate,
    wake: () => deliverer?.wake(),
    start({ nodeId, publicUrl, alone = true }) {
      deliverer = new Deliverer({
        ...deps,
        random,
        formats: byName,
        send,
        nodeId,
        alone,
        publicUrl: () => publicUrl,
      })
    },
    figures: () => deliverer?.figures() ?? nothingYet,
    async stop() {
      await deliverer?.stop()
      close()
    },
  }
}

// Webhooks of a test's server: every format, private targets allowed, nothing delivered before `start`.
import { outdialWebhook } from '../../src/http/api/outdial-webhook.ts'
import { dialnexaWebhook } from '../../src/http/dialects/dialnexa/webhook.ts'
import { formantWebhook } from '../../src/http/dialects/formant/webhook.ts'
import { talkifaiWebhook } from '../../src/http/dialects/talkifai/webhook.ts'
import { realClock } from '../../src/runtime/clock.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import type { Store } from '../../src/store/store.ts'
import { openWebhooks, type WebhookOptions, type Webhooks } from '../../src/webhooks/open-webhooks.ts'

export const everyFormat = [outdialWebhook, formantWebhook, dialnexaWebhook, talkifaiWebhook]

export function webhooksFor(store: Store, changes: Partial<WebhookOptions> = {}): Webhooks {
  return openWebhooks({
    store,
    clock: realClock,
    logger: silentLogger,
    random: seededRandom(1),
    formats: everyFormat,
    allowPrivate: true,
    ...changes,
  })
}

// The deliverer: wakes when something has happened or a try is due, moves events from the outbox into deliveries, and
// tries so many of them at once as its bounds allow. It shares nothing with calling but the store.
import type { Clock, Timer } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Random } from '../runtime/random.ts'
import type { Store } from '../store/store.ts'
import type { ClaimedDelivery, TriedDelivery } from '../store/webhook-records.ts'
import { EventQueue } from './enqueue-events.ts'
import type { Send } from './sender.ts'
import { tryDelivery } from './try-delivery.ts'
import type { WebhookFormats } from './webhook-format.ts'

/** Tries under way at once: in all, for one endpoint, and for one whose last try failed. */
export const maxInFlight = 64
export const maxInFlightPerEndpoint = 8
export const maxInFlightPerFailingEndpoint = 1
/** What happens within it is looked at together, ms. */
const gatherMs = 20
/** Longer than any try, name lookup included: whoever is gone so long has its deliveries taken over. */
export const leaseMs = 60_000
/** After the store failed it is asked again after this. */
const retryMs = 1_000
/** The log is kept for a week, and tidied once an hour. */
export const keptDeliveryMs = 7 * 24 * 3_600_000
const pruneEveryMs = 3_600_000
const pruneChunkRows = 1_000
/** How long tries under way may take at the end. */
const stopGraceMs = 2_000

export interface DelivererDeps {
  store: Store
  clock: Clock
  logger: Logger
  random: Random
  formats: WebhookFormats
  send: Send
  /** Where our API is reached from outside, without a slash at the end. */
  publicUrl(): string
  /** New at each start. */
  nodeId: string
  /** Deliveries that one endpoint may have waiting; default 10,000. */
  maxWaiting?: number
}

/** Tries and what followed, since the start. */
export interface DeliveryFigures {
  delivered: number
  retry: number
  failed: number
  skipped: number
  inFlight: number
}

export class Deliverer {
  readonly #deps: DelivererDeps
  readonly #queue: EventQueue
  readonly #counts = { delivered: 0, retry: 0, failed: 0, skipped: 0 }
  readonly #inFlight = new Set<Promise<void>>()
  readonly #unsubscribe: () => void
  #tried: TriedDelivery[] = []
  #gathering: Timer | null = null
  #wakeUp: Timer | null = null
  #pruning: Timer | null = null
  #working: Promise<void> | null = null
  #again = false
  #stopped = false

  constructor(deps: DelivererDeps) {
    this.#deps = deps
    this.#queue = new EventQueue(deps.store, deps.formats, deps.maxWaiting)
    this.#unsubscribe = deps.store.onEvents(() => this.wake())
    this.#pruneLater()
    this.wake()
  }

  /** Something may be due: an event, an endpoint that was enabled, a redelivery. */
  wake(): void {
    if (this.#stopped || this.#gathering !== null) return
    this.#gathering = this.#deps.clock.at(this.#deps.clock.now() + gatherMs, () => {
      this.#gathering = null
      this.#work()
    })
  }

  figures(): DeliveryFigures {
    return { ...this.#counts, inFlight: this.#inFlight.size }
  }

  /** Begins no more tries; what those under way come to is recorded for a moment yet. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#unsubscribe()
    for (const timer of [this.#gathering, this.#wakeUp, this.#pruning]) timer?.cancel()
    const { promise: enough, resolve } = Promise.withResolvers<void>()
    const timer = this.#deps.clock.at(this.#deps.clock.now() + stopGraceMs, resolve)
    await Promise.race([Promise.all(this.#inFlight), enough])
    timer.cancel()
    await this.#working
    await this.#record().catch(() => {})
  }

  #work(): void {
    this.#again = true
    this.#working ??= this.#round()
      .catch(error => this.#failed(error))
      .finally(() => {
        this.#working = null
        if (this.#again && !this.#stopped) this.#work()
      })
  }

  async #round(): Promise<void> {
    while (this.#again) {
      this.#again = false
      await this.#record()
      if (this.#stopped) return
      if (await this.#queue.advance(this.#deps.clock.now())) this.#again = true
      await this.#claim()
    }
  }

  async #claim(): Promise<void> {
    const { store, clock, nodeId } = this.#deps
    const limit = maxInFlight - this.#inFlight.size
    if (limit <= 0) return
    const { claimed, wakeAt } = await store.claimDeliveries({
      nodeId,
      now: clock.now(),
      limit,
      perEndpoint: maxInFlightPerEndpoint,
      perFailingEndpoint: maxInFlightPerFailingEndpoint,
      leaseMs,
    })
    for (const one of claimed) this.#begin(one)
    this.#wakeUp?.cancel()
    this.#wakeUp = wakeAt === null || this.#stopped ? null : clock.at(wakeAt, () => this.#work())
  }

  #begin(claimed: ClaimedDelivery): void {
    const done = tryDelivery(this.#deps, claimed).then(tried => {
      this.#inFlight.delete(done)
      this.#counts[tried.next.kind]++
      // Those that end in one turn of the event loop are recorded together.
      if (this.#tried.push(tried) === 1 && !this.#stopped) setImmediate(() => this.#work())
    })
    this.#inFlight.add(done)
  }

  async #record(): Promise<void> {
    const tried = this.#tried
    if (tried.length === 0) return
    this.#tried = []
    try {
      await this.#deps.store.recordDeliveries(tried, this.#deps.nodeId, this.#deps.clock.now())
    } catch (error) {
      this.#tried = [...tried, ...this.#tried]
      throw error
    }
  }

  #failed(error: unknown): void {
    this.#again = false
    this.#deps.logger.error({ err: error }, 'The store failed while webhooks were delivered')
    if (this.#stopped) return
    this.#wakeUp?.cancel()
    this.#wakeUp = this.#deps.clock.at(this.#deps.clock.now() + retryMs, () => this.#work())
  }

  #pruneLater(): void {
    const { clock } = this.#deps
    this.#pruning = clock.at(clock.now() + pruneEveryMs, () => {
      this.#pruneLater()
      void this.#prune().catch(error => this.#failed(error))
    })
  }

  async #prune(): Promise<void> {
    const { store, clock } = this.#deps
    const before = clock.now() - keptDeliveryMs
    while (!this.#stopped && (await store.pruneDeliveries(before, pruneChunkRows)) === pruneChunkRows);
  }
}

// The deliverer: wakes when something has happened or a try is due, moves events from the outbox into deliveries, and
// tries so many of them at once as its bounds allow. It shares nothing with calling but the store.
import type { Clock, Timer } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Random } from '../runtime/random.ts'
import type { Store } from '../store/store.ts'
import type { ClaimedDelivery, TriedDelivery } from '../store/webhook-records.ts'
import { type Advance, EventQueue } from './enqueue-events.ts'
import type { Send } from './sender.ts'
import { tryDelivery } from './try-delivery.ts'
import type { WebhookFormats } from './webhook-format.ts'

/** Tries under way at once: in all, for one endpoint, and for one whose last try failed. */
export const maxInFlight = 64
export const maxInFlightPerEndpoint = 8
export const maxInFlightPerFailingEndpoint = 1
/** What happens within it is looked at together, ms … */
const gatherMs = 20
/** … and looking, whatever the number of endpoints, takes a fifth of the time at most: it rests so many times longer. */
const restFactor = 4
const maxRestMs = 1_000
/** Tries that end within it are recorded together: a commit holds the event loop, and calls need it, too. */
const settleMs = 5
/** Claimed in one transaction: it holds the event loop for a tenth of a millisecond each. */
const maxClaims = 16
/** Other nodes' events are not announced here, and nodes die before they have told of them: they are looked for. */
const pollMs = 1_000
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
  /** No other node is at work on the store. */
  alone: boolean
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
  readonly #tried: TriedDelivery[] = []
  #gathering: Timer | null = null
  #settling: Timer | null = null
  #wakeUp: Timer | null = null
  #pruning: Timer | null = null
  #polling: Timer | null = null
  #working: Promise<void> | null = null
  #again = false
  /** Whether the outbox is to be looked at, and whether a delivery makes it so. */
  #looks = false
  #held = false
  #lastLookMs = 0
  #stopped = false

  constructor(deps: DelivererDeps) {
    this.#deps = deps
    this.#queue = new EventQueue(deps.store, deps.formats, deps.maxWaiting)
    this.#unsubscribe = deps.store.onEvents(() => this.wake())
    this.#pruneLater()
    this.#pollLater()
    this.wake()
  }

  /** Something may be due: an event, an endpoint that was enabled, a redelivery. */
  wake(): void {
    if (this.#stopped || this.#gathering !== null) return
    const { clock } = this.#deps
    const waitMs = Math.max(gatherMs, Math.min(this.#lastLookMs * restFactor, maxRestMs))
    this.#gathering = clock.at(clock.now() + waitMs, () => {
      this.#gathering = null
      this.#looks = true
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
    const timers = [this.#gathering, this.#settling, this.#wakeUp, this.#pruning, this.#polling]
    for (const timer of timers) timer?.cancel()
    const { promise: enough, resolve } = Promise.withResolvers<void>()
    const timer = this.#deps.clock.at(this.#deps.clock.now() + stopGraceMs, resolve)
    // A round that is under way may begin tries yet.
    await this.#working
    await Promise.race([Promise.all(this.#inFlight), enough])
    timer.cancel()
    const { store, nodeId } = this.#deps
    // What is not recorded is told again by the next life.
    if (this.#tried.length > 0)
      await store.recordDeliveries(this.#tried, nodeId, this.#deps.clock.now()).catch(() => {})
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
    while (this.#again && !this.#stopped) {
      this.#again = false
      const { endpoints } = this.#looks ? await this.#look() : { endpoints: 1 }
      if (endpoints > 0 || this.#tried.length > 0) await this.#turnOver()
    }
  }

  async #look(): Promise<Advance> {
    const { clock } = this.#deps
    const startedAt = clock.elapsed()
    const found = await this.#queue.advance(clock.now())
    this.#lastLookMs = clock.elapsed() - startedAt
    this.#held = found.held
    this.#looks = found.more
    if (found.more) this.#again = true
    return found
  }

  /** Records what came of tries and claims the next ones: one commit for both. */
  async #turnOver(): Promise<void> {
    const { store, clock, nodeId } = this.#deps
    const tried = this.#tried.splice(0)
    const limit = Math.min(maxInFlight - this.#inFlight.size, maxClaims)
    const request = {
      nodeId,
      now: clock.now(),
      limit,
      perEndpoint: maxInFlightPerEndpoint,
      perFailingEndpoint: maxInFlightPerFailingEndpoint,
      leaseMs,
      tried,
    }
    const { claimed, wakeAt } = await store.claimDeliveries(request).catch(error => {
      this.#tried.unshift(...tried)
      throw error
    })
    for (const one of claimed) this.#begin(one)
    if (limit > 0 && claimed.length === limit) this.#again = true
    this.#wakeUp?.cancel()
    this.#wakeUp = wakeAt === null || this.#stopped ? null : clock.at(wakeAt, () => this.#work())
  }

  #begin(claimed: ClaimedDelivery): void {
    const done = tryDelivery(this.#deps, claimed).then(tried => {
      this.#inFlight.delete(done)
      this.#counts[tried.next.kind]++
      this.#tried.push(tried)
      if (this.#held) this.#looks = true
      this.#settleSoon()
    })
    this.#inFlight.add(done)
  }

  #settleSoon(): void {
    if (this.#stopped || this.#settling !== null) return
    this.#settling = this.#deps.clock.at(this.#deps.clock.now() + settleMs, () => {
      this.#settling = null
      this.#work()
    })
  }

  #failed(error: unknown): void {
    this.#again = false
    this.#deps.logger.error({ err: error }, 'The store failed while webhooks were delivered')
    if (this.#stopped) return
    this.#wakeUp?.cancel()
    this.#wakeUp = this.#deps.clock.at(this.#deps.clock.now() + retryMs, () => this.#work())
  }

  #pollLater(): void {
    const { clock, alone } = this.#deps
    if (alone) return
    this.#polling = clock.at(clock.now() + pollMs, () => {
      this.#pollLater()
      this.wake()
    })
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

// That this node lives, told to the store every few seconds, with the leases that it wants to keep.
import type { Clock, Timer } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import type { TimeSample } from '../runtime/synchronised-clock.ts'
import type { Heartbeat, NodeLoad, NodeReport } from '../store/node-records.ts'
import type { Store } from '../store/store.ts'
import { type Instant, leaseMs } from './leases.ts'

/** Four of them may fail before a lease runs out. */
export const heartbeatEveryMs = 3_000

export interface NodePresenceDeps {
  store: Pick<Store, 'heartbeat' | 'removeNode'>
  clock: Clock
  logger: Logger
  node: Omit<NodeReport, 'load'>
  load(): NodeLoad
  followStoreTime?(sample: TimeSample): void
  /** Attempts to renew, and what the answer says of them; `askedAt` is from before the store was asked. */
  held?(): number[]
  onBeat?(beat: Heartbeat, renewed: number[], askedAt: Instant): void
  /** Every time, whether the store answers or not. */
  onTick?(): void
}

export class NodePresence {
  readonly #deps: NodePresenceDeps
  #timer: Timer | null = null
  #beating: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(deps: NodePresenceDeps) {
    this.#deps = deps
  }

  /** Resolves after the first heartbeat, or rejects with the store's failure. */
  async start(): Promise<void> {
    await this.#beat()
    this.#arm()
  }

  /** The node is off the list at once; what it still holds runs out or is taken over. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    await this.#beating
    await this.#deps.store.removeNode(this.#deps.node.id).catch(() => {})
  }

  #arm(): void {
    if (this.#stopped) return
    const { clock, logger, onTick } = this.#deps
    this.#timer = clock.at(clock.now() + heartbeatEveryMs, () => {
      onTick?.()
      this.#beating = this.#beat()
        .catch(error =>
          logger.error({ err: error }, 'no heartbeat: other nodes will take this node for dead'),
        )
        .finally(() => this.#arm())
    })
  }

  async #beat(): Promise<void> {
    const { store, clock, node, load, held, onBeat, followStoreTime } = this.#deps
    const askedAt: Instant = { elapsed: clock.elapsed(), wall: clock.now() }
    const attemptIds = held?.() ?? []
    const beat = await store.heartbeat({ ...node, load: load() }, attemptIds, leaseMs)
    onBeat?.(beat, attemptIds, askedAt)
    followStoreTime?.({ storeNow: beat.storeNow, askedAt: askedAt.wall, answeredAt: clock.now() })
  }
}

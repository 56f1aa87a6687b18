// What a dispatcher is handed when it starts.
import type { Carrier } from '../carrier/carrier.ts'
import type { CallRates } from '../domain/estimate.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import type { TimeSample } from '../runtime/synchronised-clock.ts'
import type { NodeReport } from '../store/node-records.ts'
import type { Store } from '../store/store.ts'

/** What a node says of itself; the rest the dispatcher knows. */
export type Presence = Pick<NodeReport, 'name' | 'role' | 'version'>

export interface DispatcherDeps {
  store: Store
  carrier: Carrier
  clock: Clock
  logger: Logger
  /** New at each start of the process. */
  nodeId: string
  rates?: CallRates
  /** null: no safety net (virtual time, where nothing can be missed). */
  sweepEveryMs?: number | null
  /** No other node can be at work on this store (its data directory is locked). Default: true. */
  alone?: boolean
  /** What others see of this node; absent: it is not listed. A node that is not alone must be. */
  presence?: Presence
  /** Told the store's time with each heartbeat. */
  followStoreTime?(sample: TimeSample): void
  /** p99 lateness of the audio of the last seconds, ms; null: none is carried. */
  pacingLatenessMs?(): number | null
}

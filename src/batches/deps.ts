// What every use case is handed: where things are kept, what time it is, how large things may be.

import type { GatewayProbe, GatewayStanding } from '../domain/gateway.ts'
import type { Trunk } from '../domain/workspace.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Store } from '../store/store.ts'

/** Limits and rates of the use cases; config.ts fills them from the environment. */
export interface BatchLimits {
  /** An identical create within this time answers with the first batch; 0: never. */
  repeatWindowMs: number
  /** Largest file our own API takes; the dialects have their vendors' limits. */
  maxUploadBytes: number
  /** Largest list our own API takes. */
  maxRows: number
  /** Expected cost of one call by the agent's architecture: the credit check of a create reads it. */
  rates: { pipelineMillicents: number; realtimeMillicents: number }
}

export interface Deps {
  store: Store
  clock: Clock
  config: BatchLimits
  logger: Logger
  /** Where recordings lie; absent: nothing is recorded. */
  recordingsDir?: string
  /** Looks up a trunk's gateways and, with `ask`, asks each whether it is there. Absent: nobody can be asked. */
  probeTrunk?(trunk: Trunk, ask: boolean): Promise<GatewayProbe[]>
  /** What calls have shown of a trunk's gateways. */
  trunkGateways?(trunk: Trunk): GatewayStanding[]
  /** What is wrong with a trunk, as the carrier that will read it says; null: nothing. */
  trunkProblem?(trunk: Pick<Trunk, 'kind' | 'settings'>): TrunkProblem | null
}

/** A field of a trunk and what is wrong with it, half a sentence. */
export interface TrunkProblem {
  field: 'kind' | 'settings'
  message: string
}

// Nodes as the store knows them, and the leases by which they hold open attempts.

/** `all` listens and calls, `api` only listens, `caller` only calls. */
export const nodeRoles = ['all', 'api', 'caller'] as const
export type NodeRole = (typeof nodeRoles)[number]

/** What a node says of itself with each heartbeat. */
export interface NodeReport {
  /** New at each start of the process. */
  id: string
  /** For people: the machine's name and the process's id. */
  name: string
  role: NodeRole
  version: string
  /** Epoch ms. */
  startedAt: number
  load: NodeLoad
}

export interface NodeLoad {
  /** Calls under way. */
  running: number
  /** Calls placed since the start. */
  placed: number
  /** Lateness of the audio that it sends, p99 of the last seconds, ms; null: it carries none. */
  pacingLatenessMs: number | null
}

export interface Node extends NodeReport {
  /** The store's time of its last heartbeat, epoch ms. */
  seenAt: number
}

export interface Heartbeat {
  /** Of the attempts that were asked for: those that this node does not hold any more. */
  lost: number[]
  /** The store's own time when it answered, epoch ms: leases go by it. */
  storeNow: number
}

export interface AdoptRequest {
  nodeId: string
  leaseMs: number
  /** Attempts that this node knows of: never its orphans, however late their leases are. */
  known: number[]
  /** No other node can be alive: what does not belong to this one is an orphan at once. */
  alone: boolean
  maxAttempts: number
}

// The part of the store port that the dispatcher calls by: claims, dials, endings, and who holds which open attempt.
import type { Agent, Trunk } from '../domain/workspace.ts'
import type {
  AttemptProgress,
  ClaimRequest,
  ClaimResult,
  EndedAttempt,
  EndedResult,
  KeptDialog,
  OrphanedAttempt,
  PlacedCall,
  PlaceVerdict,
} from './dispatch-records.ts'
import type { AdoptRequest, Heartbeat, Node, NodeReport } from './node-records.ts'

export interface DispatchStore {
  /**
   * Reserves places for recipients that are due, within every limit (workspace, trunk, caller ID, agent, batch) and
   * CPS, shared fairly among the batches. Also starts scheduled batches whose time has come.
   */
  claim(request: ClaimRequest): Promise<ClaimResult>
  /** The commit immediately before the dial: rechecks everything that may have changed and writes the Call-ID. A claim
   * whose lease ran out, or that another node took over, is `lease-lost`. */
  placeCalls(calls: PlacedCall[], nodeId: string, now: number): Promise<PlaceVerdict[]>
  /** Claims that will not be placed return unspent. */
  releaseClaims(attemptIds: number[], now: number): Promise<void>
  /**
   * For a placed call that had to wait for its CPS slot after all: whether nothing forbids it now (pause, cancel, stop,
   * suppression, a limit that was lowered, a lease that was lost). A call that is forbidden was not dialled: it ends with a put-back.
   */
  mayStillDial(attemptIds: number[], nodeId: string, now: number): Promise<boolean[]>
  recordProgress(progress: AttemptProgress[]): Promise<void>
  /** False for an attempt that `nodeId` does not hold any more: nothing may be sent for it. */
  keepDialogs(dialogs: KeptDialog[], nodeId: string): Promise<boolean[]>
  /** Completes batches whose last recipient finished. */
  endAttempts(ended: EndedAttempt[], now: number): Promise<EndedResult>
  /** Opens or closes breakers and sets the slowed rate; null leaves closed. */
  setTrunkBreaker(trunkId: number, until: number | null, reason: string | null, now: number): Promise<void>
  setTrunkSlowed(trunkId: number, callsPerSecond: number | null, now: number): Promise<void>
  setAgentBreaker(agentId: number, until: number | null, reason: string | null, now: number): Promise<void>

  // -- nodes and leases --
  /**
   * Says that the node lives, renews its leases on `attemptIds` and answers which of them it does not hold any more:
   * ended, or taken over by another node. A lease that ran out is renewed as long as nobody took it.
   */
  heartbeat(node: NodeReport, attemptIds: number[], leaseMs: number): Promise<Heartbeat>
  /**
   * Takes over open attempts that nobody holds, oldest first, at most `maxAttempts`: their lease ran out, or, `alone`,
   * they belong to another life. Each orphan goes to one node only, leased to it from then on.
   */
  adoptOrphans(request: AdoptRequest): Promise<OrphanedAttempt[]>
  /** Nodes by id, with when each was last heard of. Whoever has been silent for long is forgotten. */
  listNodes(): Promise<Node[]>
  /** A node that ends in good order. */
  removeNode(nodeId: string): Promise<void>
  /** At start: half-done imports, their reservations and half-done cancels are cleared up. Returns how many batches. */
  sweep(now: number): Promise<number>
  /** The trunk as the carrier adapters need it. */
  getTrunk(trunkId: number): Promise<Trunk | null>
  getAgent(agentId: number): Promise<Agent | null>
  /** Open attempts now, for readiness and shutdown. */
  countOpenAttempts(): Promise<number>
}

// The carrier port: who takes our calls to the telephone network. Adapters: simulated/ (in this process, or as a
// process of its own), sip/. All pass test/carrier-conformance.
import type { CallTrace } from '../domain/call-trace.ts'
import type { Conversation, MachinePolicy } from '../domain/conversation.ts'
import type { GatewayProbe, GatewayStanding } from '../domain/gateway.ts'
import type { Evidence } from '../domain/outcome.ts'
import type { Agent, Trunk } from '../domain/workspace.ts'

export interface CallRequest {
  /** Ours, unique for ever, on disk before the dial: the carrier may see it once and no more. */
  callId: string
  trunk: Trunk
  /** Caller ID, E.164. */
  from: string
  /** E.164. */
  to: string
  /** 1 for the recipient's first call. */
  ordinal: number
  agentId: number
  /** Who talks; a carrier that only plays calls needs none. */
  agent?: Agent
  variablesJson: string
  /** Absent: no. */
  record?: boolean
  /** Keep its SIP messages; absent: the trunk's settings say. */
  trace?: boolean
  /** Absent: off. */
  answeringMachine?: MachinePolicy
  /** Asked before each INVITE and each repetition: false once another node may have taken the call over. Absent: yes. */
  mayRing?(): boolean
}

/** What the dispatcher hears of a call. Never called before `dial` has returned; `ended` comes exactly once or never. */
export interface CallObserver {
  ringing(at: number): void
  answered(at: number): void
  /** Final. `evidence.endedBy` is null: what we did ourselves the dispatcher knows. */
  ended(evidence: Evidence, at: number, conversation?: Conversation): void
  /**
   * What another node needs to hang the call up, as `rescue` takes it; told before the INVITE leaves, which waits for the
   * answer. False: this node does not hold the call any more, and nothing may be sent. Absent: nobody keeps it.
   */
  dialogChanged?(dialog: string): Promise<boolean>
}

export interface Call {
  /** CANCEL while it rings, BYE once it is answered; `ended` follows. Idempotent. */
  hangUp(): void
  /** Once the call is over, or given up: its SIP messages, where they were kept. Given out once. */
  takeTrace?(): CallTrace | null
}

/**
 * What a carrier knows of a call whose node died: `never-placed` is proof that it was not dialled, `unknown` proves
 * nothing. A call that the carrier still holds is hung up by the question and over when the answer comes, for its place
 * is given to somebody else then; one that the carrier has not seen yet it must refuse from now on.
 */
export type RescueAnswer = 'never-placed' | 'unanswered' | 'answered' | 'unknown'

export interface Carrier {
  /** Places one call. Never throws: a trunk that cannot be reached ends the call with evidence. */
  dial(request: CallRequest, observer: CallObserver): Call
  /**
   * Rejects while the carrier cannot be asked: ask again. `dialogs`: what `dialogChanged` kept of each call, null where
   * it was never told; absent where nothing is kept.
   */
  rescue(trunk: Trunk, callIds: string[], dialogs?: (string | null)[]): Promise<RescueAnswer[]>
  /** Looks up a trunk's gateways, and with `ask` asks each whether it is there; absent: there is nobody to ask. */
  probe?(trunk: Trunk, ask: boolean): Promise<GatewayProbe[]>
  /** What calls have shown of a trunk's gateways so far; asks nobody. */
  gateways?(trunk: Trunk): GatewayStanding[]
  close(): Promise<void>
}

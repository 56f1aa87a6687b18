// One call from the dial to its end: what the carrier says, and what we do when it says nothing.
//
//   dialing ──ringing──▶ ringing ──answered──▶ answered ──ended──▶ over
//      └── silence 32 s, ring time-out, maximum age: hang up, then the carrier has `hangUpAnswerMs` to confirm
import type { Call, Carrier } from '../carrier/carrier.ts'
import type { CallTrace } from '../domain/call-trace.ts'
import type { Conversation } from '../domain/conversation.ts'
import { classify, type Evidence, noEvidence, type Outcome } from '../domain/outcome.ts'
import { isImmediate480 } from '../domain/refusal-burst.ts'
import type { Agent, Trunk } from '../domain/workspace.ts'
import type { Clock, Timer } from '../runtime/clock.ts'
import type { AttemptProgress, Claim } from '../store/dispatch-records.ts'
import type { NoteRefusal, RecentDials } from './recent-dials.ts'

/** RFC 3261 timer B: 64·T1. Nothing at all for so long is a failure of the carrier. */
const silenceTimeoutMs = 32_000
/** A carrier that does not confirm a hang-up within this is not waited for. */
const hangUpAnswerMs = 5_000

export interface Ending {
  outcome: Outcome
  answeredAt: number | null
  endedAt: number
  /** The call was placed on disk and then forbidden before the dial: unspent. */
  dialled: boolean
  conversation?: Conversation
  trace?: CallTrace
}

export interface RunningAttemptDeps {
  claim: Claim
  callId: string
  trunk: Trunk
  agent: Agent
  carrier: Carrier
  clock: Clock
  recentDials: RecentDials
  /** Whether this node still holds the attempt. */
  isHeld(): boolean
  /** Whether the store's word that it may be dialled is recent. */
  isPermitted(): boolean
  /** Keeps what another node needs to hang up; absent: nobody else could. */
  keepDialog?(dialog: string): Promise<boolean>
  onProgress(progress: AttemptProgress): void
  onEnded(ending: Ending): void
}

export class RunningAttempt {
  readonly #deps: RunningAttemptDeps
  #call: Call | null = null
  #timer: Timer | null = null
  #dialledAt = 0
  #noteRefusal: NoteRefusal | null = null
  #heard = false
  #answeredAt: number | null = null
  #endedBy: Evidence['endedBy'] = null
  #over = false
  #mayHaveRung = false

  constructor(deps: RunningAttemptDeps) {
    this.#deps = deps
  }

  get isAnswered(): boolean {
    return this.#answeredAt !== null
  }

  dial(): void {
    // It went back while it waited for its turn: this node could not renew its lease for a while.
    if (this.#over) return
    const { claim, callId, trunk, agent, carrier, clock, keepDialog, recentDials } = this.#deps
    this.#dialledAt = clock.now()
    this.#noteRefusal = recentDials.dialled(trunk.id, this.#dialledAt)
    this.#arm(Math.min(silenceTimeoutMs, claim.ringTimeoutMs), () => this.#notAnswered())
    this.#call = carrier.dial(
      {
        callId,
        trunk,
        from: claim.callerId,
        to: claim.number,
        ordinal: claim.ordinal,
        agentId: claim.agentId,
        agent,
        variablesJson: claim.variablesJson,
        record: claim.record,
        trace: claim.trace,
        answeringMachine: claim.answeringMachine,
        mayRing: () => this.#mayRing(),
      },
      {
        ringing: at => this.#ringing(at),
        answered: at => this.#answered(at),
        ended: (evidence, at, conversation) => this.#end(evidence, at, true, conversation),
        ...(keepDialog === undefined ? {} : { dialogChanged: keepDialog }),
      },
    )
  }

  /** This node goes away: the call is lost to us, whoever has not answered is tried again. */
  hangUp(): void {
    if (this.#call === null) this.neverDialled()
    else this.#giveUp('node-died')
  }

  neverDialled(): void {
    this.#endedBy = 'cancelled-by-us'
    this.#end(noEvidence, this.#deps.clock.now(), false)
  }

  /** The first INVITE needs a recent yes of the store; it is repeated for as long as the attempt is ours. */
  #mayRing(): boolean {
    const { isHeld, isPermitted } = this.#deps
    this.#mayHaveRung ||= isHeld() && isPermitted()
    return this.#mayHaveRung && isHeld()
  }

  #ringing(at: number): void {
    if (this.#over || this.#heard) return
    this.#heard = true
    this.#deps.onProgress({ attemptId: this.#deps.claim.attemptId, status: 'ringing', at })
    // The ring time-out counts from the dial; only the silence is over.
    if (this.#endedBy === null && this.#deps.claim.ringTimeoutMs > silenceTimeoutMs)
      this.#arm(this.#dialledAt + this.#deps.claim.ringTimeoutMs - at, () => this.#notAnswered())
  }

  #answered(at: number): void {
    if (this.#over || this.#answeredAt !== null) return
    this.#heard = true
    this.#answeredAt = at
    this.#deps.onProgress({ attemptId: this.#deps.claim.attemptId, status: 'answered', at })
    // An answer that crosses our hang-up is ended at once (field notes §1.7).
    if (this.#endedBy !== null) this.#call?.hangUp()
    else this.#arm(this.#deps.claim.maxCallMs, () => this.#giveUp('max-age'))
  }

  #notAnswered(): void {
    this.#giveUp(
      this.#heard || this.#deps.claim.ringTimeoutMs <= silenceTimeoutMs ? 'ring-timeout' : 'silence-timeout',
    )
  }

  #giveUp(reason: NonNullable<Evidence['endedBy']>): void {
    if (this.#over || this.#endedBy !== null) return
    this.#endedBy = reason
    this.#arm(hangUpAnswerMs, () => this.#end(noEvidence, this.#deps.clock.now()))
    this.#call?.hangUp()
  }

  #end(evidence: Evidence, at: number, dialled = true, conversation?: Conversation): void {
    if (this.#over) return
    this.#over = true
    this.#timer?.cancel()
    const answeredAt = this.#answeredAt ?? evidence.answeredAt
    const outcome = classify({
      ...evidence,
      ...this.#burst(evidence, at),
      answeredAt,
      endedBy: this.#endedBy,
    })
    const trace = this.#call?.takeTrace?.() ?? null
    const left = { ...(conversation && { conversation }), ...(trace && { trace }) }
    this.#deps.onEnded({ outcome, answeredAt, endedAt: at, dialled, ...left })
  }

  /** How an immediate 480 stands among the trunk's other calls. */
  #burst(evidence: Evidence, at: number): Pick<Evidence, 'burst'> {
    const afterMs = this.#heard || this.#endedBy !== null ? null : at - this.#dialledAt
    if (this.#noteRefusal === null || !isImmediate480(evidence, afterMs)) return {}
    return { burst: { ...this.#noteRefusal(), putBacks: this.#deps.claim.putBacks } }
  }

  #arm(inMs: number, task: () => void): void {
    this.#timer?.cancel()
    this.#timer = this.#deps.clock.at(this.#deps.clock.now() + inMs, task)
  }
}

// A carrier with somebody who counts at its door: which calls came in, when, and how many were open at one time.
import type { Call, CallObserver, CallRequest, Carrier, RescueAnswer } from '../../src/carrier/carrier.ts'
import type { Evidence } from '../../src/domain/outcome.ts'
import type { Trunk } from '../../src/domain/workspace.ts'
import type { Clock } from '../../src/runtime/clock.ts'

/** One call as the far end knows it. Instants are epoch ms; null: it did not happen (yet). */
export interface SeenCall {
  callId: string
  to: string
  from: string
  trunk: Trunk
  agentId: number
  /** Name of the batch, from the recipient's variables. */
  batch: string
  /** Zone of the recipient, from the same. */
  zone: string
  ordinal: number
  dialledAt: number
  answeredAt: number | null
  endedAt: number | null
  evidence: Evidence | null
}

export class WatchedCarrier implements Carrier {
  readonly calls: SeenCall[] = []
  /** Largest number of open calls by scope: `all`, `trunk:…`, `caller:…`, `agent:…`, `batch:…`, `number:…`. */
  readonly maxOpen = new Map<string, number>()
  /** Asked after each dial; a test that watches something of its own sets it. */
  onDial: (call: SeenCall) => void = () => {}
  readonly #inner: Carrier
  readonly #clock: Clock
  readonly #open = new Map<string, number>()

  constructor(inner: Carrier, clock: Clock) {
    this.#inner = inner
    this.#clock = clock
  }

  open(scope = 'all'): number {
    return this.#open.get(scope) ?? 0
  }

  /** Calls of a batch, or to a number, in the order in which they came. */
  of({ batch, to }: { batch?: string; to?: string }): SeenCall[] {
    return this.calls.filter(
      call => (batch === undefined || call.batch === batch) && (to === undefined || call.to === to),
    )
  }

  dial(request: CallRequest, observer: CallObserver): Call {
    const call = this.#note(request)
    for (const scope of scopesOf(call)) this.#count(scope, 1)
    this.onDial(call)
    return this.#inner.dial(request, {
      ringing: at => observer.ringing(at),
      answered: at => {
        call.answeredAt = at
        observer.answered(at)
      },
      ended: (evidence, at) => {
        this.#ended(call, evidence, at)
        observer.ended(evidence, at)
      },
    })
  }

  rescue(trunk: Trunk, callIds: string[]): Promise<RescueAnswer[]> {
    return this.#inner.rescue(trunk, callIds)
  }

  close(): Promise<void> {
    return this.#inner.close()
  }

  #note({ callId, to, from, trunk, agentId, ordinal, variablesJson }: CallRequest): SeenCall {
    const { batch, zone } = JSON.parse(variablesJson) as { batch: string; zone: string }
    const dialledAt = this.#clock.now()
    const yet = { answeredAt: null, endedAt: null, evidence: null }
    const call = { callId, to, from, trunk, agentId, batch, zone, ordinal, dialledAt, ...yet }
    this.calls.push(call)
    return call
  }

  #ended(call: SeenCall, evidence: Evidence, at: number): void {
    if (call.endedAt !== null) return
    call.endedAt = at
    call.evidence = evidence
    call.answeredAt ??= evidence.answeredAt
    for (const scope of scopesOf(call)) this.#count(scope, -1)
  }

  #count(scope: string, change: number): void {
    const open = this.open(scope) + change
    this.#open.set(scope, open)
    if (open > (this.maxOpen.get(scope) ?? 0)) this.maxOpen.set(scope, open)
  }
}

function scopesOf({ trunk, from, agentId, batch, to }: SeenCall): string[] {
  return ['all', `trunk:${trunk.id}`, `caller:${from}`, `agent:${agentId}`, `batch:${batch}`, `number:${to}`]
}

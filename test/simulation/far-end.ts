// The telephone network as this life meets it: every INVITE passes here, whichever node sent it, and is counted.
import type { Call, CallObserver, CallRequest, Carrier, RescueAnswer } from '../../src/carrier/carrier.ts'
import { refusalEvidence } from '../../src/carrier/simulated/refusal.ts'
import { unplaced } from '../../src/domain/outcome.ts'
import type { Trunk } from '../../src/domain/workspace.ts'
import type { Clock } from '../../src/runtime/clock.ts'
import { waitFor } from '../../src/runtime/wait.ts'
import { planCall, type Temper } from './call-plan.ts'
import type { Chance } from './chance.ts'
import { type Dialler, FarCall } from './far-call.ts'
import type { Story } from './story.ts'
import type { Weather } from './weather.ts'

/** How long the dispatcher asks a carrier that does not answer before it gives its calls up. */
const quarantineMs = 60_000
const slowestRescueMs = 20_000

/** The store's last word on a call: the commit that let it be dialled. */
export interface Permission extends Omit<Dialler, 'nodeId' | 'orderedAt'> {
  /** See `Story.nextOrder`. */
  order: number
}

/** The node that dials, as far as the far end is concerned. */
export interface Caller {
  id: string
  /** In our own process: its calls end with it, and nobody else knows of them. */
  inProcess: boolean
  mayHaveDied(when: 'before' | 'after'): boolean
}

export interface FarEndDeps {
  clock: Clock
  chance: Chance
  weather: Weather
  story: Story
  permissionOf(callId: string): Permission | undefined
  /** At the very moment when an INVITE arrives, before it is counted. */
  onInvite(call: FarCall, permission: Permission): void
}

export class FarEnd {
  readonly calls: FarCall[] = []
  readonly tempers = new Map<number, Temper>()
  readonly #deps: FarEndDeps
  readonly #seen = new Map<string, FarCall>()
  readonly #withdrawn = new Set<string>()
  readonly #firstRefusedAt = new Map<string, number>()
  readonly #open = new Map<string, number>()

  constructor(deps: FarEndDeps) {
    this.#deps = deps
  }

  /** Calls that are up and that nobody said were over. */
  open(scope: string): number {
    return this.#open.get(scope) ?? 0
  }

  /** Calls that are really up. */
  up(): number {
    return this.calls.filter(call => !call.isOver).length
  }

  /** This network as one node reaches it. */
  lineOf(caller: Caller): Carrier {
    return {
      dial: (request, observer) => this.#dial(caller, request, observer),
      rescue: (trunk, callIds) => this.#rescue(caller, trunk, callIds),
      close: async () => {},
    }
  }

  processDied({ id, inProcess }: Caller): void {
    if (!inProcess) return
    for (const call of this.calls) if (call.dialler.nodeId === id) call.cut()
  }

  #dial(caller: Caller, request: CallRequest, observer: CallObserver): Call {
    const { clock } = this.#deps
    if (caller.mayHaveDied('before')) return { hangUp() {} }
    let call: FarCall | null = null
    let over = false
    const orderedAt = clock.now()
    const refuse = (why: string) => {
      over = true
      clock.at(clock.now(), () => observer.ended(unplaced(why), clock.now()))
    }
    const invite = () => {
      if (over) return
      if (request.mayRing?.() === false) refuse('the lease ran out')
      else call = this.#invite(caller, request, observer, orderedAt)
    }
    // As a SIP trunk does: what another node needs to hang it up is on disk before the INVITE leaves.
    const kept =
      request.trunk.kind === 'sip' ? observer.dialogChanged?.(`dialog ${request.callId}`) : undefined
    if (kept === undefined) invite()
    else void kept.then(isOurs => (isOurs ? invite() : over || refuse('another node holds the call')))
    caller.mayHaveDied('after')
    return {
      hangUp: () => {
        if (caller.mayHaveDied('before')) return
        if (call !== null) call.hangUp()
        else if (!over) refuse('hung up before the INVITE')
        caller.mayHaveDied('after')
      },
    }
  }

  #invite(caller: Caller, request: CallRequest, observer: CallObserver, orderedAt: number): FarCall | null {
    const { clock, chance, weather, story, permissionOf, onInvite } = this.#deps
    const { callId, to, trunk, from } = request
    story.tell(`${caller.id} INVITE ${callId} to ${to} from ${from} over trunk ${trunk.id}`)
    story.figures.dials++
    const permission = permissionOf(callId)
    if (
      !story.holds(
        'never twice',
        permission !== undefined,
        () => `${callId} was dialled before it was on disk`,
      )
    )
      return null
    story.holds('never twice', !this.#seen.has(callId), () => `${callId} was dialled twice`)
    const wasWithdrawn = this.#withdrawn.has(callId)
    story.holds('never twice', !wasWithdrawn, () => `${callId} was dialled after another node had settled it`)
    const plan = planCall(chance, this.tempers.get(trunk.id) ?? 'mixed', weather)
    if (plan.isSpoiled) story.figures.carrierLies++
    const dialler = { ...permission!, nodeId: caller.id, orderedAt }
    const call = new FarCall(request, dialler, plan, clock, observer)
    onInvite(call, permission!)
    this.#count(call)
    this.calls.push(call)
    this.#seen.set(callId, call)
    return call
  }

  #count(call: FarCall): void {
    const scopes = scopesOf(call)
    for (const scope of scopes) this.#open.set(scope, this.open(scope) + 1)
    call.onReleased = () => {
      for (const scope of scopes) this.#open.set(scope, this.open(scope) - 1)
    }
  }

  async #rescue(caller: Caller, _trunk: Trunk, callIds: string[]): Promise<RescueAnswer[]> {
    const { clock, chance, weather, story } = this.#deps
    if (caller.mayHaveDied('before')) return never()
    story.figures.rescues++
    if (weather.rescueFails()) {
      for (const callId of callIds) this.#refuseToSay(callId)
      story.tell(`${caller.id} is told nothing of ${callIds.join(' ')}`)
      throw refusalError()
    }
    const answers = callIds.map(callId => this.#answerOf(caller, callId))
    story.tell(`${caller.id} is told of ${callIds.map((id, at) => `${id} ${answers[at]}`).join(', ')}`)
    await waitFor(clock, weather.lies() ? chance.int(0, slowestRescueMs) : 0)
    return caller.mayHaveDied('after') ? never() : answers
  }

  /** Whoever refuses to say anything for as long as the quarantine lasts has to live with what comes of it. */
  #refuseToSay(callId: string): void {
    const { clock } = this.#deps
    const call = this.#seen.get(callId)
    if (call === undefined) return
    const first = this.#firstRefusedAt.get(callId)
    if (first === undefined) {
      this.#firstRefusedAt.set(callId, clock.now())
      clock.at(clock.now() + quarantineMs - 1, () => this.#deny(call))
    } else if (clock.now() >= first + quarantineMs - 1) this.#deny(call)
  }

  #deny(call: FarCall): void {
    call.answerDenied = true
    call.release()
  }

  #answerOf(caller: Caller, callId: string): RescueAnswer {
    const call = this.#seen.get(callId)
    if (call === undefined) {
      this.#withdrawn.add(callId)
      return caller.inProcess ? 'unknown' : 'never-placed'
    }
    // Proof that it was not placed is the one thing that no carrier makes up here: nothing could be done about it.
    if (caller.inProcess || this.#deps.weather.lies()) {
      this.#deny(call)
      return 'unknown'
    }
    call.cut()
    return call.answeredAt === null ? 'unanswered' : 'answered'
  }
}

const never = () => new Promise<never>(() => {})
const refusalError = () => new Error(refusalEvidence(503, 'the carrier does not answer').phrase ?? '')

function scopesOf({ request: { trunk, from, to, agentId }, dialler: { batch } }: FarCall): string[] {
  return [
    'workspace',
    `trunk:${trunk.id}`,
    `caller:${from}`,
    `agent:${agentId}`,
    `batch:${batch}`,
    `number:${to}`,
  ]
}

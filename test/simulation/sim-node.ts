// One node of this life: the real dispatcher behind a store and a carrier between which and it anything may happen.
import { type Dispatcher, startDispatcher } from '../../src/dispatcher/dispatcher.ts'
import type { Clock } from '../../src/runtime/clock.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import { SynchronisedClock } from '../../src/runtime/synchronised-clock.ts'
import { waitFor } from '../../src/runtime/wait.ts'
import type { Claim } from '../../src/store/dispatch-records.ts'
import type { Store } from '../../src/store/store.ts'
import type { Webhooks } from '../../src/webhooks/open-webhooks.ts'
import { interpose, type StoreMethod } from '../dispatcher/interposed-store.ts'
import { MortalNode } from '../dispatcher/mortal-node.ts'
import type { Chance } from './chance.ts'
import type { Caller, FarEnd, Permission } from './far-end.ts'
import type { Receiver } from './receiver.ts'
import type { Story } from './story.ts'
import type { Weather } from './weather.ts'

const longestSleepMs = 60_000

/** Alone on its store, or one of several. */
export interface NodeKind {
  alone: boolean
  inProcess: boolean
  /** Whether the safety net is out. */
  sweeps: boolean
}

export interface SimNodeDeps {
  clock: Clock
  chance: Chance
  weather: Weather
  story: Story
  store: Store
  farEnd: FarEnd
  /** null: nobody is told by webhook. */
  receiver: Receiver | null
  /** Tells what the store allowed, at the instant of the commit. */
  permit(callId: string, permission: Permission): void
  describe(attemptId: number): { batch: string; zone: string; slotAt: number }
  /** Who holds each open attempt, and until when. */
  leases(): ReadonlyMap<number, { nodeId: string; until: number }>
  isAwake(nodeId: string): boolean
}

/** A machine's two clocks: the wall clock may be wrong and jump, the monotonic one stands still while it is suspended. */
class MachineClock implements Clock {
  errorMs: number
  suspendedMs = 0
  readonly #true: Clock

  constructor(clock: Clock, errorMs: number) {
    this.#true = clock
    this.errorMs = errorMs
  }

  now(): number {
    return this.#true.now() + this.errorMs
  }

  elapsed(): number {
    return this.#true.elapsed() - this.suspendedMs
  }

  at(atMs: number, task: () => void) {
    return this.#true.at(atMs - this.errorMs, task)
  }
}

export class SimNode implements Caller {
  readonly id: string
  readonly inProcess: boolean
  readonly alone: boolean
  readonly dispatcher: Dispatcher
  /** When it last died, slept, or could not reach the store as it should, epoch ms. */
  troubledAt: number
  /** It was told to stop in good order. */
  isStopping = false
  readonly #mortal: MortalNode
  readonly #deps: SimNodeDeps
  readonly #machine: MachineClock
  readonly #webhooks: Webhooks | null
  readonly #clock: Clock
  #asleepSince: number | null = null
  /** The question that reaches the store now: when it was put, and by how much the node's clock was wrong then. */
  #asked = { askedAt: 0, clockErrorMs: 0 }

  constructor(id: string, kind: NodeKind, deps: SimNodeDeps) {
    const { clock, chance, story, farEnd } = deps
    this.id = id
    this.alone = kind.alone
    this.inProcess = kind.inProcess
    this.#deps = deps
    this.troubledAt = clock.now()
    const errorMs = kind.alone ? 0 : chance.pick([0, 0, 40, -700, 3_600_000, -18_000_000])
    this.#machine = new MachineClock(clock, errorMs)
    this.#mortal = new MortalNode({
      clock: this.#machine,
      carrier: farEnd.lineOf(this),
      store: this.#faulty(this.#watched()),
    })
    const { world } = this.#mortal
    const follower = new SynchronisedClock(world.clock)
    this.#clock = kind.alone ? world.clock : follower
    story.tell(`${id} starts${kind.alone ? ' alone' : ''}, its clock off by ${errorMs} ms`)
    this.dispatcher = startDispatcher({
      ...world,
      clock: this.#clock,
      nodeId: id,
      logger: silentLogger,
      alone: kind.alone,
      ...(kind.sweeps ? {} : { sweepEveryMs: null }),
      ...(kind.alone
        ? {}
        : {
            presence: { name: 'test', role: 'all', version: '0' } as const,
            followStoreTime: sample => void follower.follow(sample),
          }),
    })
    this.#webhooks = deps.receiver?.reachedFrom(world.store, this.#clock) ?? null
    this.#webhooks?.start({ nodeId: id, publicUrl: 'https://calls.example.com', alone: kind.alone })
  }

  get isAlive(): boolean {
    return this.#mortal.alive
  }

  get isAwake(): boolean {
    return this.isAlive && this.#asleepSince === null
  }

  /** By how much it believes it to be later than it is. */
  get clockErrorMs(): number {
    return this.#clock.now() - this.#deps.clock.now()
  }

  kill(): void {
    if (!this.isAlive) return
    const { story, farEnd } = this.#deps
    story.tell(`${this.id} dies`)
    story.figures.crashes++
    this.#trouble()
    this.#mortal.kill()
    farEnd.processDied(this)
  }

  /** As by SIGSTOP, or as a machine that is suspended. It wakes by itself. */
  sleep(): void {
    if (!this.isAwake) return
    const { story, clock, chance } = this.#deps
    const forMs = chance.int(1, chance.pick([500, 5_000, longestSleepMs]))
    story.tell(`${this.id} sleeps for ${forMs} ms`)
    story.figures.sleeps++
    this.#trouble()
    this.#asleepSince = clock.now()
    this.#mortal.sleep()
    clock.at(clock.now() + forMs, () => this.wake())
  }

  wake(): void {
    if (!this.isAlive || this.#asleepSince === null) return
    const { story, clock, chance } = this.#deps
    story.tell(`${this.id} wakes`)
    if (chance.happens(0.3)) this.#machine.suspendedMs += clock.now() - this.#asleepSince
    this.#asleepSince = null
    this.#trouble()
    this.#mortal.wake()
  }

  /** Somebody, or something, sets its wall clock. */
  jump(byMs: number): void {
    this.#deps.story.tell(`${this.id}'s clock jumps by ${byMs} ms`)
    this.#deps.story.figures.clockJumps++
    this.#trouble()
    this.#machine.errorMs += byMs
  }

  async stop(graceMs: number): Promise<void> {
    this.#deps.story.tell(`${this.id} is told to stop within ${graceMs} ms`)
    this.isStopping = true
    await Promise.all([this.dispatcher.stop({ graceMs }), this.#webhooks?.stop()])
  }

  mayHaveDied(when: 'before' | 'after'): boolean {
    if (this.isAlive && this.#deps.weather.ofCarrier() === when) this.kill()
    return !this.isAlive
  }

  #trouble(): void {
    this.troubledAt = this.#deps.clock.now()
  }

  /** Directly before the store: what is noted here is noted as it is committed. */
  #watched(): Store {
    const { store, story, clock, permit, describe, leases, isAwake } = this.#deps
    const slotErrors = new Map<number, number>()
    const note = (callId: string, attemptId: number, asked: Pick<Permission, 'askedAt' | 'clockErrorMs'>) =>
      permit(callId, {
        attemptId,
        order: story.nextOrder(),
        slotErrorMs: slotErrors.get(attemptId) ?? 0,
        ...asked,
        ...describe(attemptId),
      })
    return {
      ...store,
      claim: async request => {
        const { clockErrorMs } = this.#asked
        const result = await store.claim(request)
        for (const { attemptId } of result.claims) slotErrors.set(attemptId, clockErrorMs)
        if (!this.alone) for (const claim of result.claims) shareSlot(claim)
        return result
      },
      adoptOrphans: async request => {
        const before = this.alone ? null : leases()
        const orphans = await store.adoptOrphans(request)
        for (const { attemptId } of orphans) {
          const held = before?.get(attemptId)
          if (held === undefined || held.nodeId === this.id) continue
          const mayHave = held.until <= clock.now() || !isAwake(held.nodeId)
          const what = () => `${this.id} takes attempt ${attemptId} from ${held.nodeId}, which holds it`
          story.holds('never lost', mayHave, what)
        }
        return orphans
      },
      placeCalls: async (calls, nodeId, now) => {
        const asked = this.#asked
        const verdicts = await store.placeCalls(calls, nodeId, now)
        for (const [index, { attemptId, callId }] of calls.entries()) {
          story.tell(`${this.id} may dial ${callId}: ${verdicts[index]}`)
          if (verdicts[index] === 'placed') note(callId, attemptId, asked)
        }
        return verdicts
      },
      mayStillDial: async (attemptIds, nodeId, now) => {
        const asked = this.#asked
        const answers = await store.mayStillDial(attemptIds, nodeId, now)
        for (const [index, attemptId] of attemptIds.entries())
          if (answers[index]) note(`${nodeId}-${attemptId}`, attemptId, asked)
        return answers
      },
    }
  }

  #faulty(store: Store): Store {
    return interpose(store, (method, proceed) => this.#around(method, proceed))
  }

  async #around(method: StoreMethod, proceed: () => Promise<unknown>): Promise<unknown> {
    const { weather, clock, story } = this.#deps
    const asked = { askedAt: clock.now(), clockErrorMs: this.clockErrorMs }
    const fate = weather.ofStore(method)
    if (fate.delayMs > 0) await waitFor(clock, fate.delayMs)
    if (fate.end?.when === 'before') this.#end(fate.end.how)
    if (fate.fails) {
      story.figures.storeFailures++
      this.#trouble()
      story.tell(`${this.id} ${method}: the store fails`)
      throw new Error(`${method}: database or disk is full`)
    }
    // Only a process that still runs can ask; one that sleeps asks when it wakes.
    if (!this.isAlive) return new Promise(() => {})
    this.#asked = asked
    const result = await proceed()
    story.tell(`${this.id} ${method}`)
    if (fate.end?.when === 'after') this.#end(fate.end.how)
    if (fate.answerDelayMs > 0) await waitFor(clock, fate.answerDelayMs)
    if (fate.loses) {
      story.figures.lostAcks++
      this.#trouble()
      story.tell(`${this.id} ${method}: done, but it hears of a failure`)
      throw new Error(`${method}: the connection was lost`)
    }
    return result
  }

  #end(how: 'dies' | 'sleeps'): void {
    if (how === 'dies') this.kill()
    else if (!this.alone) this.sleep()
  }
}

/** As the adapter of a database that nodes share does: a slot is missed, not used late, for the next may be another's. */
function shareSlot(claim: Claim): void {
  const spacings = [claim.trunkSpacingMs, claim.batchSpacingMs].filter(spacingMs => spacingMs > 0)
  if (spacings.length > 0) claim.dialBefore = claim.slotAt + Math.min(...spacings)
}

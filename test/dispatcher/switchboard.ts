// A workspace that calls on virtual time: the real dispatcher, a real store in memory, a carrier that is watched.
import type { Carrier } from '../../src/carrier/carrier.ts'
import { SimulatedCarrier } from '../../src/carrier/simulated/simulated-carrier.ts'
import { type Dispatcher, startDispatcher } from '../../src/dispatcher/dispatcher.ts'
import type { DispatcherDeps } from '../../src/dispatcher/dispatcher-deps.ts'
import type { Batch, NewBatch } from '../../src/domain/batch.ts'
import { finishedBatchStatuses } from '../../src/domain/batch.ts'
import type { TrunkKind } from '../../src/domain/workspace.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import { SynchronisedClock } from '../../src/runtime/synchronised-clock.ts'
import { VirtualClock } from '../../src/runtime/virtual-clock.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import type { AcceptedRow, Store } from '../../src/store/store.ts'
import { type DeathBed, MortalNode, type World } from './mortal-node.ts'
import { newBatch } from './new-batch.ts'
import { assertPromises } from './promises.ts'
import { skewed } from './skewed-clock.ts'
import { WatchedCarrier } from './watched-carrier.ts'

/** Monday, 5 January 2026, 10:00 UTC. */
export const startAt = Date.UTC(2026, 0, 5, 10)
/** No journey takes longer than this, ms. */
const maxJourneyMs = 7 * 24 * 3_600_000
const chunkRows = 1_000

/** An answered call is set up in 10 ms, rings for a second and is talked on for nine. */
export const telephones = {
  answerRate: 1,
  ringMs: [1_000, 1_000],
  ringOutMs: [20_000, 20_000],
  talkMs: [8_990, 8_990],
}
export const callMs = 10_000

export interface Line {
  trunkId: number
  phoneNumberId: number
  agentId: number
}

export interface LineOptions {
  kind?: TrunkKind
  trunkMax?: number
  callerMax?: number
  callerMaxPerDay?: number
  agentMax?: number
  callsPerSecond?: number
  settings?: Record<string, unknown>
  /** Share the trunk or the agent of another line. */
  trunkId?: number
  agentId?: number
}

export interface BatchOptions extends Partial<NewBatch> {
  people: readonly string[]
  line: Line
  zone?: string
  /** The zone of the person at this index, where they differ. */
  zoneOf?: (index: number) => string
}

export interface SwitchboardOptions {
  clock?: VirtualClock
  /** Default: the simulated carrier, as a process of its own that outlives ours. */
  carrier?: (clock: VirtualClock) => Carrier
  maxConcurrentCalls?: number
  seed?: number
  /** Put between the dispatcher and the store. */
  wrapStore?: (store: Store, clock: VirtualClock) => Store
  /** File of the store; default: in memory. */
  path?: string
}

/** Numbers whose last two digits are `ending`: see the table of the simulated carrier. */
export function people(count: number, ending = 90, from = 0): string[] {
  return Array.from({ length: count }, (_, index) => `+1${2020000000 + (from + index) * 100 + ending}`)
}

/** A test, or whoever else closes what was opened. */
export interface Closer {
  after(close: () => Promise<void>): unknown
}

export async function openSwitchboard(t: Closer, options: SwitchboardOptions = {}) {
  const board = new Switchboard(options)
  await board.open(options)
  t.after(() => board.close())
  return board
}

export class Switchboard {
  readonly clock: VirtualClock
  readonly carrier: WatchedCarrier
  store!: Store
  workspaceId = 0
  /** Largest number of open calls that each scope allows, by the carrier's name for it. */
  readonly limits = new Map<string, number>()
  readonly batches = new Map<string, { id: number; workspaceId: number; window: NewBatch['window'] }>()
  readonly dispatchers: Dispatcher[] = []
  readonly #wrapStore: (store: Store) => Store
  readonly #live = new Set<string>()
  /** Cancelled while calls were under way: live until these have ended. */
  readonly #cancelled = new Set<string>()

  constructor({ clock = new VirtualClock(startAt), carrier, seed = 7, wrapStore }: SwitchboardOptions) {
    this.clock = clock
    const inner = carrier?.(clock) ?? new SimulatedCarrier({ clock, seed, remembersAll: true })
    this.carrier = new WatchedCarrier(inner, clock)
    this.#wrapStore = store => wrapStore?.(store, clock) ?? store
  }

  async open({ maxConcurrentCalls = 1_000, path = ':memory:' }: SwitchboardOptions): Promise<void> {
    await this.reopen(path)
    const now = this.clock.now()
    this.workspaceId = (await this.store.createWorkspace('test', now)).id
    await this.limitWorkspace(maxConcurrentCalls)
  }

  /** As a process that starts opens it; the one before is closed. */
  async reopen(path: string): Promise<void> {
    if (this.store !== undefined) await this.store.close()
    this.store = await openSqliteStore({ path, schedule: queueMicrotask, now: () => this.clock.now() })
    this.store.onWork(() => void this.#noteEnded(this.#live))
    this.store.onEvents(() => void this.#noteEnded(this.#cancelled))
  }

  async limitWorkspace(maxConcurrentCalls: number): Promise<void> {
    await this.store.updateWorkspace(this.workspaceId, { maxConcurrentCalls }, this.clock.now())
    this.limits.set('all', Math.max(maxConcurrentCalls, this.limits.get('all') ?? 0))
  }

  async addLine(options: LineOptions = {}): Promise<Line> {
    const { workspaceId, store } = this
    const createdAt = this.clock.now()
    const agentId = options.agentId ?? (await this.#addAgent(options.agentMax ?? null))
    const trunkId =
      options.trunkId ??
      (
        await store.createTrunk({
          workspaceId,
          name: 'trunk',
          kind: options.kind ?? 'simulated',
          maxConcurrentCalls: options.trunkMax ?? null,
          callsPerSecond: options.callsPerSecond ?? null,
          settings: { ...telephones, ...options.settings },
          createdAt,
        })
      ).id
    if (options.trunkMax !== undefined) this.limits.set(`trunk:${trunkId}`, options.trunkMax)
    const e164 = `+1202444${1000 + (await store.listPhoneNumbers(workspaceId, { limit: 100 })).length}`
    const number = await store.createPhoneNumber({
      workspaceId,
      e164,
      trunkId,
      agentId,
      maxConcurrentCalls: options.callerMax ?? null,
      maxCallsPerDay: options.callerMaxPerDay ?? null,
      aliases: [],
      createdAt,
    })
    if (options.callerMax !== undefined) this.limits.set(`caller:${e164}`, options.callerMax)
    return { trunkId, agentId, phoneNumberId: number.id }
  }

  async #addAgent(maxConcurrentCalls: number | null): Promise<number> {
    const { id } = await this.store.createAgent({
      workspaceId: this.workspaceId,
      name: 'agent',
      architecture: 'pipeline',
      prompt: null,
      firstMessage: null,
      connection: null,
      maxConcurrentCalls,
      aliases: [],
      createdAt: this.clock.now(),
    })
    if (maxConcurrentCalls !== null) this.limits.set(`agent:${id}`, maxConcurrentCalls)
    return id
  }

  /** Imports a batch whole; by default it runs at once. Returns its id. */
  async addBatch(name: string, options: BatchOptions): Promise<number> {
    const { people: numbers, line, zone = 'UTC', zoneOf = () => zone, ...changes } = options
    const now = this.clock.now()
    const batch: NewBatch = { ...newBatch(this.workspaceId, name, now), ...line, ...changes }
    const id = await this.store.beginImport(batch)
    const rows = numbers.map((number, index) => rowOf(name, number, zoneOf(index), index))
    for (let from = 0; from < rows.length; from += chunkRows)
      await this.store.importRows(id, rows.slice(from, from + chunkRows), [])
    await this.store.finishImport(id, { rows: rows.length }, () => {}, now)
    this.batches.set(name, { id, workspaceId: this.workspaceId, window: batch.window })
    this.#live.add(name)
    if (batch.maxConcurrentCalls !== null) this.limits.set(`batch:${name}`, batch.maxConcurrentCalls)
    return id
  }

  /** Starts calling; the sweep runs as in production unless told otherwise. */
  dial(options: { sweepEveryMs?: number | null } = {}): Dispatcher {
    const { clock, carrier } = this
    return this.#start({ clock, carrier, store: this.#wrapStore(this.store) }, options)
  }

  /** Starts a node that can be killed. */
  dialMortal(
    deathBed: DeathBed | null = null,
    options: { sweepEveryMs?: number | null } = {},
  ): { node: MortalNode; dispatcher: Dispatcher } {
    const { clock, carrier } = this
    const node = new MortalNode({ clock, carrier, store: this.#wrapStore(this.store) }, deathBed)
    return { node, dispatcher: this.#start(node.world, options) }
  }

  /**
   * Starts a node of several on this store; it can be killed, and sent to sleep. Its own clock may be off by
   * `clockErrorMs`: it follows the store's.
   */
  join(deathBed: DeathBed | null = null, clockErrorMs = 0): { node: MortalNode; dispatcher: Dispatcher } {
    const { carrier } = this
    const world = { clock: skewed(this.clock, clockErrorMs), carrier, store: this.#wrapStore(this.store) }
    const node = new MortalNode(world, deathBed)
    const clock = new SynchronisedClock(node.world.clock)
    const presence = { name: 'test', role: 'all', version: '0' } as const
    const dispatcher = this.#start(
      { ...node.world, clock },
      { alone: false, presence, followStoreTime: sample => void clock.follow(sample) },
    )
    return { node, dispatcher }
  }

  #start(world: World, options: Partial<DispatcherDeps> = {}): Dispatcher {
    const nodeId = `node-${this.dispatchers.length + 1}`
    const dispatcher = startDispatcher({ ...world, nodeId, logger: silentLogger, ...options })
    this.dispatchers.push(dispatcher)
    return dispatcher
  }

  async pass(ms: number): Promise<void> {
    await this.clock.run({ until: this.clock.now() + ms })
  }

  /** Until every batch has ended. */
  async finish(): Promise<void> {
    await this.until(() => this.#live.size === 0)
  }

  /** Until every batch has ended, or `done`. */
  async untilFinishedOr(done: () => boolean, maxMs = maxJourneyMs): Promise<void> {
    await this.until(() => this.#live.size === 0 || done(), maxMs)
  }

  async until(done: () => boolean, maxMs = maxJourneyMs): Promise<void> {
    const until = this.clock.now() + maxMs
    await this.clock.run({ until, done })
    if (!done()) throw new Error('the journey did not come to its end')
  }

  async batch(name: string): Promise<Batch> {
    const { id, workspaceId } = this.batches.get(name)!
    return (await this.store.getBatch(workspaceId, id))!
  }

  /** How many recipients of a batch stand where; standings with nobody are absent. */
  async standings(name: string): Promise<Record<string, number>> {
    const { counts } = (await this.batch(name)).progress
    return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0))
  }

  /** Types of the events of the workspace so far, oldest first, but for those of single attempts. */
  async eventTypes(): Promise<string[]> {
    const events = await this.store.listEvents(this.workspaceId, { limit: 100_000 })
    return events.map(({ type }) => type as string).filter(type => !type.startsWith('attempt.'))
  }

  async close(): Promise<void> {
    await assertPromises(this)
    await this.store.close()
  }

  async #noteEnded(names: ReadonlySet<string>): Promise<void> {
    for (const name of names) {
      const { status, progress } = await this.batch(name)
      if (!finishedBatchStatuses.has(status)) continue
      if (progress.counts.calling > 0) this.#cancelled.add(name)
      else for (const set of [this.#live, this.#cancelled]) set.delete(name)
    }
  }
}

function rowOf(batch: string, number: string, zone: string, index: number): AcceptedRow {
  return { rowNumber: index + 2, number, zone, variablesJson: JSON.stringify({ batch, zone }) }
}

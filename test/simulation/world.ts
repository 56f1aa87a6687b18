// The world of one life: its clock, its database, its telephone network, its nodes, and the checks after every step.

import type { Deps } from '../../src/batches/deps.ts'
import { finishedBatchStatuses } from '../../src/domain/batch.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import type { VirtualClock } from '../../src/runtime/virtual-clock.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import type { Store } from '../../src/store/store.ts'
import { Books } from './books.ts'
import { Chance } from './chance.ts'
import { DialChecks } from './dial-checks.ts'
import { EventLedger } from './event-ledger.ts'
import { FarEnd, type Permission } from './far-end.ts'
import { Orders } from './orders.ts'
import { Receiver } from './receiver.ts'
import { SimNode } from './sim-node.ts'
import type { Story } from './story.ts'
import { Weather } from './weather.ts'

/** A stop waits for the store, for calls and for their hang-up, as long as that may take. */
const stopTakesMs = 10_000
/** While a life comes to its end by itself. */
const checkEveryMs = 2 * 3_600_000
/** What a node suffered is over when its leases are renewed and what it lost meanwhile is settled. */
const excuseMs = 2 * 60_000

export interface WorldOptions {
  seed: number
  clock: VirtualClock
  /** One node that is alone on its store, or several. */
  alone: boolean
  isLong: boolean
  /** The carrier lives and dies with the node. */
  inProcess: boolean
  /** Somebody is told of everything by webhook. */
  isTold: boolean
}

let databases = 0

export class World {
  readonly options: WorldOptions
  readonly clock: VirtualClock
  readonly story: Story
  readonly weather: Weather
  readonly orders: Orders
  readonly farEnd: FarEnd
  readonly receiver: Receiver
  ledger!: EventLedger
  store!: Store
  workspaceId = 0
  readonly #chance: Chance
  readonly #nodes: SimNode[] = []
  readonly #permissions = new Map<string, Permission>()
  /** Shared by name within this process, so that a store can be opened on what another one has left. */
  readonly #path = `file:life-${++databases}?mode=memory&cache=shared`
  #books!: Books
  #dials!: DialChecks

  constructor(options: WorldOptions, story: Story) {
    const { seed, clock } = options
    this.options = options
    this.clock = clock
    this.story = story
    this.#chance = new Chance(seed + 0xbad)
    this.weather = new Weather(new Chance(seed + 0xf00), options.alone)
    this.receiver = new Receiver(story, this.weather)
    this.orders = new Orders(this.story, this.#chance.int(1, 12))
    this.farEnd = new FarEnd({
      clock,
      chance: new Chance(seed + 0xfa4),
      weather: this.weather,
      story: this.story,
      permissionOf: callId => this.#permissions.get(callId),
      onInvite: (call, permission) => this.#dials.check(call, permission),
    })
  }

  async open(): Promise<void> {
    await this.#openStore()
    this.#books = new Books(this.#path, this.story)
    this.ledger = new EventLedger(this.#books.db, this.story)
    this.ledger.onLost = attemptId => this.#checkLost(attemptId)
    const nodeOf = (id: string) => this.#nodes.find(node => node.id === id)
    this.#dials = new DialChecks({
      story: this.story,
      orders: this.orders,
      ledger: this.ledger,
      farEnd: this.farEnd,
      isStopping: id => nodeOf(id)?.isStopping === true,
    })
    this.workspaceId = (await this.store.createWorkspace('simulation', this.clock.now())).id
    const maxConcurrentCalls = this.orders.limitOf('workspace', 0)!
    if (this.options.isTold) await this.receiver.subscribe(this.store, this.clock, this.workspaceId)
    await this.store.updateWorkspace(this.workspaceId, { maxConcurrentCalls }, this.clock.now())
  }

  /** What the use cases are handed. */
  get deps(): Deps {
    return {
      store: this.store,
      clock: this.clock,
      logger: silentLogger,
      config: {
        repeatWindowMs: 60_000,
        maxUploadBytes: 1_000_000,
        maxRows: 10_000,
        rates: { pipelineMillicents: 3_500, realtimeMillicents: 7_000 },
      },
    }
  }

  living(): SimNode[] {
    return this.#nodes.filter(node => node.isAlive && !node.isStopping)
  }

  /** A node that is alone opens the store anew, on what its last life committed. */
  async start(alone = this.options.alone, sweeps = !(alone && this.options.isLong)): Promise<void> {
    if (alone) await this.#openStore()
    const { clock, story, weather, store, farEnd, receiver } = this
    const id = `n${this.#nodes.length + 1}`
    const node = new SimNode(
      id,
      { alone, inProcess: this.options.inProcess, sweeps },
      {
        clock,
        chance: this.#chance,
        weather,
        story,
        store,
        farEnd,
        receiver: this.options.isTold ? receiver : null,
        permit: (callId, permission) => this.#permissions.set(callId, permission),
        describe: attemptId => this.#books.describe(attemptId),
        leases: () => this.#books.leases(),
        isAwake: nodeId => this.#nodes.find(node => node.id === nodeId)?.isAwake === true,
      },
    )
    this.#nodes.push(node)
  }

  /** In good order; whatever is left of it after that is killed, as a service manager does. */
  async stop(node: SimNode, graceMs: number): Promise<void> {
    const stopped = node.stop(graceMs)
    stopped.catch(error => this.story.broke('never lost', `a stop failed: ${error}`))
    await this.pass(graceMs + stopTakesMs)
    node.kill()
  }

  async pass(ms: number): Promise<void> {
    await this.clock.run({ until: this.clock.now() + ms, done: () => this.story.violation !== null })
  }

  async check(): Promise<void> {
    if (this.story.violation !== null) return
    const now = this.clock.now()
    this.ledger.check()
    this.#books.check(now)
    this.#checkAges()
    for (const { name, id } of this.orders.batches.values()) {
      const batch = await this.store.getBatch(this.workspaceId, id)
      if (batch === null) continue
      const recounted = JSON.stringify(await this.store.recount(id))
      const counted = JSON.stringify(batch.progress)
      this.story.holds(
        'never lost',
        counted === recounted,
        () => `${name} counts ${counted}, has ${recounted}`,
      )
    }
  }

  #checkAges(): void {
    this.#books.checkAges(this.clock.now(), id => this.#troubledAt(id))
  }

  /** A call is lost only with its node: when that died, slept, was stopped or could not reach the store. */
  #checkLost(attemptId: number): void {
    const call = this.farEnd.calls.findLast(({ dialler }) => dialler.attemptId === attemptId)
    const node = this.#nodes.find(({ id }) => id === call?.dialler.nodeId)
    if (node === undefined || !node.isAwake || node.isStopping) return
    const isExcused = this.clock.now() - node.troubledAt < excuseMs
    this.story.holds('never lost', isExcused, () => `attempt ${attemptId} is lost, though ${node.id} lives`)
  }

  /** Until when a node has an excuse. */
  #troubledAt(id: string): number {
    const node = this.#nodes.find(each => each.id === id)
    return node?.isAwake === true && !node.isStopping ? node.troubledAt : this.clock.now()
  }

  /** No more faults: what is broken stays broken, but nothing else breaks. */
  becomeFair(): void {
    this.story.tell('the world is fair from here on')
    this.weather.clear()
    for (const node of this.#nodes) node.wake()
  }

  /** All nodes die; one that is alone takes over what they left. */
  async startAloneAtLast(): Promise<void> {
    for (const node of this.living()) if (!this.options.alone) node.kill()
    if (this.living().length === 0) await this.start(true, false)
  }

  /** `resume`: somebody looks after a batch that has stopped by itself. */
  async untilFinished(maxMs: number, resume: () => Promise<void>): Promise<void> {
    const until = this.clock.now() + maxMs
    let finished = await this.#isFinished()
    let checkedAt = this.clock.now()
    while (!finished && this.clock.now() < until && this.story.violation === null) {
      let told = false
      const unsubscribe = this.store.onEvents(() => {
        told = true
      })
      await this.clock.run({ until, done: () => told || this.story.violation !== null })
      unsubscribe()
      this.ledger.read()
      this.#checkAges()
      if (this.ledger.selfPaused.size > 0) await resume()
      if (this.clock.now() - checkedAt > checkEveryMs) {
        checkedAt = this.clock.now()
        await this.check()
      }
      finished = await this.#isFinished()
    }
    this.story.holds('always finished', finished, () => 'a batch that was left alone did not come to its end')
  }

  /** A receiver that was away is told later, by and by. */
  async untilTold(maxMs: number): Promise<void> {
    const until = this.clock.now() + maxMs
    while (this.clock.now() < until && this.#untold().length > 0) await this.pass(3_600_000)
  }

  #untold(): number[] {
    return this.options.isTold ? this.receiver.missing(this.ledger) : []
  }

  async checkEnd(): Promise<void> {
    const missing = this.#untold()
    this.story.holds(
      'always told',
      missing.length === 0,
      () => `the receiver never heard of ${missing.join(' ')}`,
    )
    await this.store.sweep(this.clock.now())
    this.#books.checkNothingHalfDone()
    const open = await this.store.countOpenAttempts()
    this.story.holds('always finished', open === 0, () => `${open} attempts are open at the end`)
    this.story.holds(
      'always finished',
      this.farEnd.up() === 0,
      () => `${this.farEnd.up()} calls are up at the end`,
    )
    for (const { id, alone, dispatcher } of this.#nodes) {
      const found = dispatcher.figures().sweepFound
      const what = () => `only the safety net of ${id} found ${found} that were due`
      // Of several, one learns late of what another one knew when it died: the safety net is there for that.
      this.story.holds('always finished', found === 0 || !alone, what)
    }
  }

  async close(): Promise<void> {
    this.story.figures.answers = this.farEnd.calls.filter(({ answeredAt }) => answeredAt !== null).length
    for (const node of this.#nodes) node.kill()
    this.#books?.close()
    await this.store?.close()
  }

  async #openStore(): Promise<void> {
    const before = this.store
    this.store = await openSqliteStore({
      path: this.#path,
      schedule: queueMicrotask,
      now: () => this.clock.now(),
    })
    this.store.onEvents(() => this.ledger?.read())
    await before?.close()
    await this.store.sweep(this.clock.now())
  }

  async #isFinished(): Promise<boolean> {
    for (const { id } of this.orders.batches.values()) {
      const batch = await this.store.getBatch(this.workspaceId, id)
      if (batch === null) continue
      if (!finishedBatchStatuses.has(batch.status) || batch.progress.counts.calling > 0) return false
    }
    return true
  }
}

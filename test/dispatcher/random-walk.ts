// One random life of a workspace: lists, limits, people in charge who change their minds, and nodes that die.
import assert from 'node:assert/strict'
import type { Dispatcher } from '../../src/dispatcher/dispatcher.ts'
import { VirtualClock } from '../../src/runtime/virtual-clock.ts'
import { Chance } from './chance.ts'
import { FailingStore, type StoreMethod } from './interposed-store.ts'
import type { DeathBed, MortalNode } from './mortal-node.ts'
import { assertCounts, assertNeverTwice, minSpacing } from './promises.ts'
import { type Closer, type Line, openSwitchboard, people, type Switchboard } from './switchboard.ts'
import type { SeenCall } from './watched-carrier.ts'

const second = 1_000
const minute = 60 * second
const steps = 40
/** Narrow windows and patient retries can take weeks. */
const maxLifeMs = 60 * 24 * 60 * minute
/** Winter, and a few hours around both changes of the clocks in New York. */
const starts = ['2026-01-05T10:00Z', '2026-03-08T05:40Z', '2026-11-01T04:40Z'].map(text => Date.parse(text))
const zones = ['UTC', 'America/New_York', 'Asia/Kolkata', 'Europe/Berlin|Europe/London']
const deathMethods: StoreMethod[] = ['claim', 'placeCalls', 'recordProgress', 'endAttempts', 'releaseClaims']

/** What a full disk may refuse; the answer of a claim is never lost, since a claim that nobody knows of waits for a restart. */
const failingMethods: StoreMethod[] = [
  ...deathMethods,
  'mayStillDial',
  'setTrunkBreaker',
  'setAgentBreaker',
  'setTrunkSlowed',
  'getTrunk',
  'adoptOrphans',
]
const losable: StoreMethod[] = ['placeCalls', 'recordProgress', 'endAttempts']

interface Rates {
  callsPerSecond: number | null
}

export class RandomWalk {
  readonly #chance: Chance
  /** Half of the walks have windows and broken trunks, which take days, and no sweep, which would be most of their work. */
  readonly #isLong: boolean
  readonly #trunks = new Map<number, Rates>()
  readonly #rates = new Map<string, Rates>()
  readonly #lines: Line[] = []
  readonly #held = new Set<string>()
  readonly #open = new Set<string>()
  readonly #suppressed = new Set<string>()
  #maxConcurrentCalls = 0
  #stopped = false
  #mayDial = true
  #board!: Switchboard
  #node!: MortalNode
  #failing!: FailingStore
  #dispatcher!: Dispatcher
  #violation: string | null = null

  constructor(seed: number) {
    this.#chance = new Chance(seed)
    this.#isLong = seed % 2 === 1
  }

  async run(closer: Closer): Promise<void> {
    await this.#setUp(closer)
    for (let step = 0; step < steps; step++) {
      await this.#act()
      await this.#pass()
      await this.#check()
    }
    await this.#letAllFinish()
  }

  async #setUp(closer: Closer): Promise<void> {
    this.#maxConcurrentCalls = this.#chance.int(1, 12)
    const clock = new VirtualClock(this.#chance.pick(starts) + this.#chance.int(0, 40 * minute))
    this.#board = await openSwitchboard(closer, {
      clock,
      maxConcurrentCalls: this.#maxConcurrentCalls,
      seed: this.#chance.int(1, 1e6),
      wrapStore: store => {
        this.#failing = new FailingStore(store)
        return this.#failing.store
      },
    })
    this.#board.carrier.onDial = call => this.#watch(call)
    for (let line = this.#chance.int(1, 3); line > 0; line--) await this.#addLine()
    for (let batch = this.#chance.int(1, 3); batch > 0; batch--) await this.#addBatch()
    this.#start()
  }

  async #addLine(): Promise<void> {
    const callsPerSecond = this.#chance.pick([null, null, 0.5, 3, 10])
    const line = await this.#board.addLine({
      settings: this.#chance.telephones(),
      ...this.#chance.maybe(() => ({ trunkMax: this.#chance.int(1, 8) })),
      ...this.#chance.maybe(() => ({ callerMax: this.#chance.int(1, 8) })),
      ...this.#chance.maybe(() => ({ agentMax: this.#chance.int(1, 8) })),
      ...(callsPerSecond === null ? {} : { callsPerSecond }),
    })
    this.#trunks.set(line.trunkId, { callsPerSecond })
    this.#lines.push(line)
  }

  async #addBatch(): Promise<void> {
    const { batches, clock } = this.#board
    const name = `batch ${batches.size}`
    const callsPerSecond = this.#chance.pick([null, null, null, 1, 4])
    const open = this.#chance.happens(0.2)
    const zone = this.#chance.pick(zones)
    await this.#board.addBatch(name, {
      people: this.#chance.people(this.#isLong),
      line: this.#chance.pick(this.#lines),
      zone: this.#isLong ? zone : 'UTC',
      callsPerSecond,
      open,
      maxConcurrentCalls: this.#chance.pick([null, 1, 3, 6]),
      retry: this.#chance.retry(),
      window: this.#isLong ? this.#chance.window() : null,
      ringTimeoutMs: this.#chance.int(5, 60) * second,
      maxCallMs: this.#chance.int(5, 60) * second,
      scheduledAt: this.#chance.pick([null, null, clock.now() + this.#chance.int(1, 10 * minute)]),
    })
    if (open) this.#open.add(name)
    this.#rates.set(name, { callsPerSecond })
  }

  #start(): void {
    const bed: DeathBed | null = this.#chance.happens(0.4)
      ? {
          method: this.#chance.pick(deathMethods),
          when: this.#chance.pick(['before', 'after']),
          nth: this.#chance.int(1, 30),
        }
      : null
    const { node, dispatcher } = this.#board.dialMortal(bed, this.#isLong ? { sweepEveryMs: null } : {})
    this.#node = node
    this.#dispatcher = dispatcher
  }

  // ---- what may happen ----

  async #act(): Promise<void> {
    if (!this.#node.alive) this.#start()
    const { store, workspaceId, clock } = this.#board
    const name = this.#chance.pick([...this.#board.batches.keys()])
    const { id } = this.#board.batches.get(name)!
    const now = clock.now()
    const refused = () => null
    switch (this.#chance.int(0, 14)) {
      case 0:
        if (await store.pauseBatch(workspaceId, id, 'user', now).catch(refused)) this.#held.add(name)
        return
      case 1:
      case 2:
        this.#held.delete(name)
        await store.resumeBatch(workspaceId, id, now).catch(refused)
        return
      case 3:
        if (!this.#chance.happens(0.3)) return
        if (await store.cancelBatch(workspaceId, id, now).catch(refused)) this.#held.add(name)
        return
      case 4:
        return this.#suppressSomebody()
      case 5:
        await store.setWorkspaceStopped(workspaceId, true, now)
        this.#stopped = true
        return
      case 6:
      case 7:
        this.#stopped = false
        await store.setWorkspaceStopped(workspaceId, false, now)
        return
      case 8:
        this.#maxConcurrentCalls = this.#chance.int(1, 12)
        return this.#board.limitWorkspace(this.#maxConcurrentCalls)
      case 9:
        this.#node.kill()
        return
      case 10:
        return this.#restart()
      case 11:
        if (this.#board.batches.size < 6) await this.#addBatch()
        return
      case 12:
        return this.#addOrClose(name)
      case 13:
        this.#failing.fail(this.#chance.pick(failingMethods))
        if (this.#chance.happens(0.5)) this.#failing.loseNextAnswer(this.#chance.pick(losable))
        return
      default:
        this.#failing.heal()
    }
  }

  async #suppressSomebody(): Promise<void> {
    const { store, workspaceId, clock, carrier } = this.#board
    const number = carrier.calls.at(-this.#chance.int(1, 5))?.to ?? people(1, 90)[0]!
    await store.suppress(workspaceId, [number], 'asked for it', clock.now())
    this.#suppressed.add(number)
  }

  async #restart(): Promise<void> {
    const graceMs = this.#chance.pick([0, second, minute])
    const stopped = this.#dispatcher.stop({ graceMs })
    this.#mayDial = false
    await this.#board.pass(graceMs + 10 * second)
    // A stop waits for the store, as long as that may take.
    this.#failing.heal()
    await this.#board.pass(10 * second)
    if (this.#node.alive) await stopped
    this.#mayDial = true
    // Nobody is left who could do anything, whatever timers remain.
    this.#node.kill()
    this.#start()
  }

  async #addOrClose(name: string): Promise<void> {
    const { store, workspaceId, clock, batches } = this.#board
    if (!this.#open.has(name)) return
    const { id } = batches.get(name)!
    const variablesJson = JSON.stringify({ batch: name, zone: 'UTC' })
    const rows = this.#chance.people(this.#isLong).map((number, index) => ({
      rowNumber: index + 1,
      number,
      zone: 'UTC',
      variablesJson,
    }))
    const ignore = () => null
    if (this.#chance.happens(0.7))
      await store.addRecipients(workspaceId, id, rows, [], rows.length, clock.now()).catch(ignore)
    else await store.closeBatch(workspaceId, id, clock.now()).catch(ignore)
  }

  async #pass(): Promise<void> {
    const ms = this.#chance.pick([0, 1, 50, 300, 2 * second, 9 * second, 30 * second, 3 * minute])
    await this.#board.pass(Math.round((ms * this.#chance.int(0, 100)) / 100))
  }

  async #letAllFinish(): Promise<void> {
    const { store, workspaceId, clock, batches, carrier } = this.#board
    this.#stopped = false
    this.#held.clear()
    this.#failing.heal()
    if (!this.#node.alive) this.#start()
    const now = clock.now()
    await store.setWorkspaceStopped(workspaceId, false, now)
    for (const { id } of batches.values()) {
      await store.resumeBatch(workspaceId, id, now).catch(() => null)
      await store.closeBatch(workspaceId, id, now).catch(() => null)
    }
    while (!(await this.#isFinished())) {
      await this.#board.untilFinishedOr(() => !this.#node.alive, maxLifeMs)
      if (!this.#node.alive) this.#start()
    }
    await this.#check()
    assert.equal(await store.countOpenAttempts(), 0)
    assert.equal(carrier.open(), 0)
    for (const name of batches.keys()) {
      const { queued, waiting, calling } = await this.#board.standings(name)
      assert.deepEqual([queued, waiting, calling], [undefined, undefined, undefined], name)
    }
  }

  async #isFinished(): Promise<boolean> {
    const statuses = await Promise.all([...this.#board.batches.keys()].map(name => this.#board.batch(name)))
    return statuses.every(
      ({ status, progress }) =>
        (status === 'completed' || status === 'cancelled') && progress.counts.calling === 0,
    )
  }

  // ---- what must hold ----

  /** At the very moment of a dial; told later, since a carrier never throws. */
  #watch({ batch, to }: SeenCall): void {
    const { carrier } = this.#board
    if (carrier.open() > this.#maxConcurrentCalls)
      this.#violation ??= `${carrier.open()} calls where ${this.#maxConcurrentCalls} are allowed`
    if (this.#held.has(batch)) this.#violation ??= `${batch} dialled while paused or cancelled`
    if (this.#stopped) this.#violation ??= 'dialled during the emergency stop'
    if (this.#suppressed.has(to)) this.#violation ??= 'dialled a suppressed number'
    if (!this.#mayDial) this.#violation ??= 'dialled after a stop'
  }

  async #check(): Promise<void> {
    assert.equal(this.#violation, null)
    const { carrier, batches } = this.#board
    assertNeverTwice(carrier)
    for (const [trunkId, { callsPerSecond }] of this.#trunks) {
      const calls = carrier.calls.filter(call => call.trunk.id === trunkId)
      if (callsPerSecond !== null) assert.ok(minSpacing(calls) >= 1_000 / callsPerSecond, 'rate of the trunk')
    }
    for (const name of batches.keys()) {
      const { callsPerSecond } = this.#rates.get(name)!
      const calls = carrier.of({ batch: name })
      if (callsPerSecond !== null) assert.ok(minSpacing(calls) >= 1_000 / callsPerSecond, 'rate of the batch')
      await assertCounts(this.#board, name)
    }
  }
}

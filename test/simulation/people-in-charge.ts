// The people who use the product, through its use cases: they make lists, change their minds, and stop everything.
import { addRecipients } from '../../src/batches/add-recipients.ts'
import {
  cancelBatch,
  closeBatch,
  deleteBatch,
  pauseBatch,
  rescheduleBatch,
  resumeBatch,
  startBatch,
} from '../../src/batches/control-batch.ts'
import { releaseWorkspace, stopWorkspace, updateWorkspace } from '../../src/batches/control-workspace.ts'
import { type CreateBatchRequest, createBatch } from '../../src/batches/create-batch.ts'
import { createTrunk } from '../../src/batches/create-trunk.ts'
import { suppressNumbers, unsuppressNumber } from '../../src/batches/suppress-number.ts'
import type { Batch } from '../../src/domain/batch.ts'
import { Refusal } from '../../src/domain/refusal.ts'
import type { TrunkKind, Workspace } from '../../src/domain/workspace.ts'
import { slowTempers, tempers } from './call-plan.ts'
import type { Chance } from './chance.ts'
import { createAndDie, losingFinish } from './failed-creates.ts'
import { contactsOf, drawBatch, type Line } from './lists.ts'
import type { OrderedBatch } from './orders.ts'
import type { World } from './world.ts'

const maxBatches = 6
/** The process dies before or after the commit that makes a list whole, or does not hear of that commit. */
const badCreates = ['dies before', 'dies after', 'loses'] as const

export class PeopleInCharge {
  readonly #chance: Chance
  readonly #world: World
  readonly #lines: Line[] = []
  #lists = 0

  constructor(chance: Chance, world: World) {
    this.#chance = chance
    this.#world = world
  }

  async setUp(): Promise<void> {
    for (let line = this.#chance.int(1, 3); line > 0; line--) await this.#addLine()
    for (let batch = this.#chance.int(1, 3); batch > 0; batch--) await this.#create()
  }

  /** One order; a refusal is an answer too. */
  async act(): Promise<void> {
    const { story, orders } = this.#world
    story.figures.orders++
    try {
      if (orders.batches.size === 0) await this.#create()
      else await this.#order(this.#chance.pick([...orders.batches.values()]))
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      story.tell(`refused: ${error.code}`)
    }
    this.#world.ledger.read()
  }

  /** Nothing is held back any more. */
  async letGo(): Promise<void> {
    const { orders, deps, workspaceId } = this.#world
    orders.stop(false)
    await releaseWorkspace(deps, workspaceId)
    orders.setWindow(null)
    await this.#updateWorkspace({ window: null })
    for (const { id, name } of orders.batches.values()) {
      orders.hold(name, false)
      for (const release of [startBatch, resumeBatch, closeBatch]) {
        await release(deps, workspaceId, id).catch(() => null)
        this.#world.ledger.read()
      }
    }
  }

  async #order(batch: OrderedBatch): Promise<void> {
    const { orders, deps, workspaceId, story, clock, ledger } = this.#world
    const { id, name } = batch
    const chance = this.#chance
    const choice = chance.int(0, 18)
    story.tell(`order ${choice} for ${name}`)
    switch (choice) {
      case 0:
      case 1:
        await pauseBatch(deps, workspaceId, id)
        return orders.hold(name, true)
      case 2:
      case 3:
      case 4:
        await resumeBatch(deps, workspaceId, id)
        return orders.hold(name, false)
      case 5:
        if (!chance.happens(0.4)) return
        await cancelBatch(deps, workspaceId, id)
        return orders.hold(name, true)
      case 6:
        return this.#suppress()
      case 7: {
        const number = chance.pick([...ledger.suppressed.keys(), '+12025550100'])
        return unsuppressNumber(deps, await this.#workspace(), number)
      }
      case 8:
        await stopWorkspace(deps, workspaceId)
        return orders.stop(true)
      case 9:
      case 10:
        // Allowed from the moment of the commit, which comes before the answer.
        orders.stop(false)
        await releaseWorkspace(deps, workspaceId)
        return
      case 11:
      case 12: {
        const maxConcurrentCalls = chance.int(1, 12)
        await this.#updateWorkspace({ maxConcurrentCalls })
        return orders.limit(maxConcurrentCalls)
      }
      case 13:
        if (!this.#world.options.isLong) return
        return this.#setWindow()
      case 14:
        if (orders.batches.size < maxBatches) await this.#create()
        return
      case 15:
        return this.#add(batch)
      case 16:
        await closeBatch(deps, workspaceId, id)
        return
      case 17:
        if (chance.happens(0.5)) {
          const request = { scheduledAt: clock.now() + chance.int(1, 120_000), timezone: 'UTC' }
          await rescheduleBatch(deps, workspaceId, id, request)
        } else await startBatch(deps, workspaceId, id)
        return orders.hold(name, false)
      default:
        if (!chance.happens(0.2)) return
        await deleteBatch(deps, workspaceId, id)
        ledger.read()
        ledger.forget(id)
    }
  }

  async #suppress(): Promise<void> {
    const { farEnd, deps } = this.#world
    const last = farEnd.calls.at(-this.#chance.int(1, 5))?.request.to
    const numbers = [last ?? this.#chance.pick(contactsOf(this.#chance, 'UTC')).phone]
    await suppressNumbers(deps, { workspace: await this.#workspace(), numbers, reason: 'asked for it' })
  }

  async #setWindow(): Promise<void> {
    const { orders } = this.#world
    const window = this.#chance.window()
    await this.#updateWorkspace({ window })
    orders.setWindow(window)
  }

  async #add({ id, name }: OrderedBatch): Promise<void> {
    const { deps } = this.#world
    const { source, list } = drawBatch(this.#chance, name, this.#world.options.isLong)
    await addRecipients(deps, { workspace: await this.#workspace(), batchId: id, source, list })
  }

  async #addLine(): Promise<void> {
    const { deps, store, workspaceId, orders, farEnd, options, clock } = this.#world
    const chance = this.#chance
    const createdAt = clock.now()
    const callsPerSecond = chance.pick([null, null, 0.5, 3, 10])
    const [trunkMax, callerMax, agentMax] = [0, 0, 0].map(() =>
      chance.happens(0.4) ? chance.int(1, 8) : null,
    )
    const kind: TrunkKind = options.isLong && !options.inProcess && chance.happens(0.4) ? 'sip' : 'simulated'
    const shared = this.#lines.length > 0 && chance.happens(0.2) ? chance.pick(this.#lines) : null
    const trunkId =
      shared?.trunkId ??
      (
        await createTrunk(deps, {
          workspaceId,
          name: 'trunk',
          kind,
          maxConcurrentCalls: trunkMax ?? null,
          callsPerSecond,
          settings: {},
        })
      ).id
    const agent = await store.createAgent({
      workspaceId,
      name: 'agent',
      architecture: 'pipeline',
      prompt: null,
      firstMessage: 'Hello.',
      connection: null,
      maxConcurrentCalls: agentMax ?? null,
      aliases: [],
      createdAt,
    })
    const e164 = `+1202555${9000 + this.#lines.length}`
    await store.createPhoneNumber({
      workspaceId,
      e164,
      trunkId,
      agentId: agent.id,
      maxConcurrentCalls: callerMax ?? null,
      aliases: [],
      createdAt,
    })
    if (shared === null) {
      if (trunkMax !== null) orders.limits.set(`trunk:${trunkId}`, trunkMax!)
      if (callsPerSecond !== null) orders.trunkRates.set(trunkId, callsPerSecond)
      farEnd.tempers.set(trunkId, chance.pick(options.isLong ? slowTempers : tempers))
    }
    if (callerMax !== null) orders.limits.set(`caller:${e164}`, callerMax!)
    if (agentMax !== null) orders.limits.set(`agent:${agent.id}`, agentMax!)
    this.#lines.push({ trunkId, e164, kind: shared?.kind ?? kind })
  }

  async #create(): Promise<void> {
    const { orders, clock, options } = this.#world
    const chance = this.#chance
    const name = `batch-${++this.#lists}`
    const line = chance.pick(this.#lines)
    const request = {
      ...drawBatch(chance, name, options.isLong),
      workspace: await this.#workspace(),
      phoneNumberRef: line.e164,
      scheduledAt: chance.pick([null, null, clock.now() + chance.int(1, 600_000)]),
    }
    const held = request.startAs === 'draft'
    const { window, callsPerSecond, maxConcurrentCalls, open } = request
    // Known before it is made: it may be called from the moment of the commit.
    const batch: OrderedBatch = {
      id: 0,
      name,
      trunkKind: line.kind,
      window,
      callsPerSecond,
      maxConcurrentCalls,
      open,
      held,
    }
    orders.made(batch)
    try {
      const created = await this.#send(request)
      if (created === null) orders.batches.delete(name)
      else batch.id = created.id
    } catch (error) {
      orders.batches.delete(name)
      throw error
    }
  }

  /** Sends a list once or twice, to a process that may die of it; null: nothing came of it. */
  async #send(request: CreateBatchRequest): Promise<Batch | null> {
    const { deps, weather, story } = this.#world
    const fate = weather.isFoul
      ? this.#chance.pick(['well', 'well', 'well', 'twice', 'twice', ...badCreates])
      : 'well'
    story.tell(`a list is sent: ${fate}`)
    if (fate === 'well') return (await createBatch(deps, request)).batch
    if (fate === 'dies before') {
      await createAndDie(deps, request, false)
      return null
    }
    const first =
      fate === 'dies after'
        ? await createAndDie(deps, request, true)
        : (await createBatch(fate === 'twice' ? deps : { ...deps, store: losingFinish(deps.store) }, request))
            .batch
    const again = await createBatch(deps, request)
    const isSame = again.repeated && (first === null || again.batch.id === first.id)
    story.holds('never twice', isSame, () => `${request.name} was sent twice and made two batches`)
    return again.batch
  }

  async #updateWorkspace(patch: Parameters<typeof updateWorkspace>[2]): Promise<void> {
    await updateWorkspace(this.#world.deps, await this.#workspace(), patch)
  }

  async #workspace(): Promise<Workspace> {
    return (await this.#world.store.getWorkspace(this.#world.workspaceId))!
  }
}

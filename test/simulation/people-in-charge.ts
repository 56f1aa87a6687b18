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
import { createBatch } from '../../src/batches/create-batch.ts'
import { createTrunk } from '../../src/batches/create-trunk.ts'
import { suppressNumbers, unsuppressNumber } from '../../src/batches/suppress-number.ts'
import { Refusal } from '../../src/domain/refusal.ts'
import type { TrunkKind, Workspace } from '../../src/domain/workspace.ts'
import type { Chance } from '../dispatcher/chance.ts'
import { slowTempers, tempers } from './call-plan.ts'
import { contactsOf, drawBatch, type Line } from './lists.ts'
import type { OrderedBatch } from './orders.ts'
import type { World } from './world.ts'

const maxBatches = 6

export class PeopleInCharge {
  readonly #chance: Chance
  readonly #world: World
  readonly #lines: Line[] = []

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
      await this.#order(this.#chance.pick([...orders.batches.values()]))
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
          maxConcurrentCalls: trunkMax!,
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
      maxConcurrentCalls: agentMax!,
      aliases: [],
      createdAt,
    })
    const e164 = `+1202555${9000 + this.#lines.length}`
    await store.createPhoneNumber({
      workspaceId,
      e164,
      trunkId,
      agentId: agent.id,
      maxConcurrentCalls: callerMax!,
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
    const { deps, orders, story, clock, options } = this.#world
    const chance = this.#chance
    const name = `batch-${orders.batches.size + 1}`
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
      batch.id = (await createBatch(deps, request)).batch.id
      if (!chance.happens(0.3)) return
      const again = await createBatch(deps, request)
      const isSame = again.repeated && again.batch.id === batch.id
      story.holds('never twice', isSame, () => `${name} was sent twice and made two batches`)
    } catch (error) {
      orders.batches.delete(name)
      throw error
    }
  }

  async #updateWorkspace(patch: Parameters<typeof updateWorkspace>[2]): Promise<void> {
    await updateWorkspace(this.#world.deps, await this.#workspace(), patch)
  }

  async #workspace(): Promise<Workspace> {
    return (await this.#world.store.getWorkspace(this.#world.workspaceId))!
  }
}

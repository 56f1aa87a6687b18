// What a random walk may ask of a store.
import type { Claim, EndedAttempt } from '../../src/store/dispatch-records.ts'
import type { AcceptedRow, RejectedRow } from '../../src/store/store.ts'
import { node, outcomeOf, person, type Workbench } from './workbench.ts'

export interface World {
  bench: Workbench
  now: number
  /** Batches that were not deleted. */
  batches: number[]
  claims: Claim[]
  calls: Claim[]
  maxOpen: number
}

/** One thing that is asked; each move reads its choices out of `pick` and `count`. */
export interface Ask {
  kind: keyof typeof moves
  pick: number
  count: number
  delayMs: number
}

type Move = (world: World, ask: Ask) => Promise<unknown>

/** Few numbers, so that batches meet over them. */
const numbers = 12
const maxBatches = 5
const numberOf = (index: number) => `+1202${5_550_300 + (index % numbers)}`

const onBatch =
  (move: (world: World, batchId: number, ask: Ask) => Promise<unknown>): Move =>
  async (world, ask) => {
    const batchId = world.batches[ask.pick % Math.max(1, world.batches.length)]
    if (batchId !== undefined) await move(world, batchId, ask)
  }

const workspaceOf = ({ bench }: World) => bench.workspace.id

export const moves = {
  async import(world: World, ask: Ask) {
    if (world.batches.length >= maxBatches) return
    const { accepted, rejected } = rowsOf(ask)
    const scheduledAt = ask.pick % 3 === 0 ? world.now + ask.delayMs : null
    const batch = await world.bench.import(
      accepted,
      {
        open: ask.pick % 2 === 0,
        startAs: ask.pick % 5 === 0 ? 'draft' : 'running',
        scheduledAt,
        maxConcurrentCalls: ask.pick % 4 === 0 ? 2 : null,
        createdAt: world.now,
      },
      rejected,
    )
    world.batches.push(batch.id)
  },
  async refusedImport({ bench, now }: World, ask: Ask) {
    const { accepted, rejected } = rowsOf(ask)
    const batchId = await bench.store.beginImport(bench.newBatch({ createdAt: now }))
    await bench.store.importRows(batchId, accepted, rejected)
    await bench.store.discardImport(batchId)
  },
  add: onBatch((world, batchId, ask) => {
    const { accepted, rejected } = rowsOf(ask)
    const rows = accepted.length + rejected.length
    return world.bench.store.addRecipients(workspaceOf(world), batchId, accepted, rejected, rows, world.now)
  }),
  start: onBatch((world, id) => world.bench.store.startBatch(workspaceOf(world), id, world.now)),
  pause: onBatch((world, id) => world.bench.store.pauseBatch(workspaceOf(world), id, 'user', world.now)),
  resume: onBatch((world, id) => world.bench.store.resumeBatch(workspaceOf(world), id, world.now)),
  close: onBatch((world, id) => world.bench.store.closeBatch(workspaceOf(world), id, world.now)),
  reschedule: onBatch((world, id, { delayMs }) =>
    world.bench.store.rescheduleBatch(workspaceOf(world), id, world.now + delayMs, 'UTC', world.now),
  ),
  cancel: onBatch(async (world, id, { pick }) => {
    // Rarely: a cancelled batch has little more to show.
    if (pick % 4 === 0) await world.bench.store.cancelBatch(workspaceOf(world), id, world.now)
  }),
  remove: onBatch(async (world, id) => {
    if (await world.bench.store.deleteBatch(workspaceOf(world), id, world.now))
      world.batches = world.batches.filter(batch => batch !== id)
  }),
  async wait(world: World, { delayMs }: Ask) {
    world.now += delayMs
  },
  claim,
  claimAgain: claim,
  place,
  placeAgain: place,
  end,
  endAgain: end,
  async release(world: World, { count }: Ask) {
    const claims = world.claims.splice(0, count)
    await world.bench.store.releaseClaims(
      claims.map(({ attemptId }) => attemptId),
      world.now,
    )
  },
  async progress({ bench, calls, now }: World, { pick, count }: Ask) {
    const status = pick % 2 === 0 ? 'ringing' : 'answered'
    await bench.store.recordProgress(
      calls.slice(0, count).map(({ attemptId }) => ({ attemptId, status, at: now })),
    )
  },
  suppress: (world: World, { pick }: Ask) =>
    world.bench.store.suppress(workspaceOf(world), [numberOf(pick)], 'asked', world.now),
  unsuppress: (world: World, { pick }: Ask) =>
    world.bench.store.unsuppress(workspaceOf(world), numberOf(pick), world.now),
  stop: (world: World, { pick }: Ask) =>
    world.bench.store.setWorkspaceStopped(workspaceOf(world), pick % 3 === 0, world.now),
  async limit(world: World, { count }: Ask) {
    await world.bench.store.updateWorkspace(workspaceOf(world), { maxConcurrentCalls: count }, world.now)
    world.maxOpen = count
  },
  trunkBreaker: ({ bench, now }: World, { pick, delayMs }: Ask) =>
    bench.store.setTrunkBreaker(bench.trunk.id, pick % 2 === 0 ? null : now + delayMs, 'sip 403', now),
  sweep: ({ bench, now }: World) => bench.store.sweep(now),
} satisfies Record<string, Move>

async function claim(world: World, { count }: Ask): Promise<void> {
  const { claims } = await world.bench.claim({ now: world.now, maxClaims: count })
  world.claims.push(...claims)
}

async function place(world: World, { count }: Ask): Promise<void> {
  const claims = world.claims.splice(0, count)
  const calls = claims.map(({ attemptId }) => ({ attemptId, callId: `call-${attemptId}` }))
  const verdicts = await world.bench.store.placeCalls(calls, node, world.now)
  world.calls.push(...claims.filter((_, index) => verdicts[index] === 'placed'))
}

/** Ends some calls, each in a way of its own; now and then one of them twice. */
async function end(world: World, { pick, count, delayMs }: Ask): Promise<void> {
  const calls = world.calls.splice(0, count)
  const ended = calls.map((call, index) => endOf(call, pick + index, world.now, delayMs))
  await world.bench.store.endAttempts(pick % 3 === 0 ? [...ended, ...ended.slice(0, 1)] : ended, world.now)
}

const dispositions = ['answered', 'voicemail', 'busy', 'no-answer', 'unreachable', 'carrier-failure'] as const

function endOf({ attemptId }: Claim, pick: number, now: number, delayMs: number): EndedAttempt {
  const disposition = dispositions[pick % dispositions.length]!
  const nexts: EndedAttempt['next'][] = [
    { kind: 'finish' },
    { kind: 'retry', dueAt: now + delayMs },
    { kind: 'put-back', dueAt: now + delayMs, throttled: pick % 2 === 0 },
  ]
  return {
    attemptId,
    outcome: outcomeOf(disposition),
    answeredAt: disposition === 'answered' || pick % 4 === 0 ? now - 100 : null,
    endedAt: now,
    costMillicents: pick % 7,
    next: nexts[pick % nexts.length]!,
    suppress: pick % 11 === 0,
  }
}

function rowsOf({ pick, count }: Ask): { accepted: AcceptedRow[]; rejected: RejectedRow[] } {
  const zones = ['UTC', 'Asia/Kolkata']
  const accepted = Array.from({ length: pick % 13 === 0 ? 0 : count }, (_, index) =>
    person(index + 1, { number: numberOf(pick + index * (pick % 2)), zone: zones[index % 2]! }),
  )
  const rejected: RejectedRow[] =
    pick % 3 === 0
      ? [{ rowNumber: accepted.length + 1, status: 'invalid', code: 'invalid_phone', value: 'x' }]
      : []
  return { accepted, rejected }
}

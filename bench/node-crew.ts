// Nodes as processes on one database, and the batches that they call.
import { noRetries } from '../src/domain/retry.ts'
import { openPostgresStore } from '../src/store/postgres/postgres-store.ts'
import type { Store } from '../src/store/store.ts'
import { BenchProcess, until, withProcesses } from './bench-process.ts'
import { type BatchSeed, type SeededBatch, seedBatch } from './seed-batch.ts'
import type { SlotChange } from './slot-watch.ts'

/** What a node has seen since it was asked last. */
export interface NodeSight {
  /** Since it started. */
  placed: number
  sweepFound: number
  storeFailure: string | null
  maxRssBytes: number
  /** How long each claim took that brought somebody, ms. */
  claimsMs: number[]
  slots: SlotChange[]
}

/** Numbers of a workspace's batches do not meet: each begins so far above the one before. */
const numbersApart = 10
/** Open at any time: what is measured is that it is looked at. */
const alwaysOpen = [{ days: [1, 2, 3, 4, 5, 6, 7], from: '00:00', to: '24:00' }]
const lookEveryMs = 25

/** Starts `count` nodes and waits until all of them call. `watching`: with every dial and end. */
export async function withNodes<T>(
  address: string,
  count: number,
  work: (nodes: readonly BenchProcess[]) => Promise<T>,
  watching?: 'slots',
): Promise<T> {
  const args = watching === undefined ? [address] : [address, watching]
  return withProcesses(
    count,
    () => new BenchProcess('node-process.ts', args),
    async nodes => {
      await Promise.all(nodes.map(node => node.ask('open')))
      return work(nodes)
    },
  )
}

export function lookAt(nodes: readonly BenchProcess[]): Promise<NodeSight[]> {
  return Promise.all(nodes.map(node => node.ask<NodeSight>('sight')))
}

export async function onStore<T>(url: string, work: (store: Store) => Promise<T>): Promise<T> {
  const store = await openPostgresStore({ url })
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

export interface Plan {
  workspaces: number
  batchesEach: number
  /** In all. */
  recipients: number
  /** Limits of each. */
  maxWorkspaceCalls: number
  maxBatchCalls: number
  trunkSettings: BatchSeed['trunkSettings']
}

/** Draft batches with every limit set (workspace, trunk, batch) and a window that is looked at; each has its own trunk. */
export async function seedPlan(store: Store, plan: Plan): Promise<SeededBatch[]> {
  const { workspaces, batchesEach, maxWorkspaceCalls, maxBatchCalls, trunkSettings } = plan
  const recipients = plan.recipients / (workspaces * batchesEach)
  if (!Number.isInteger(recipients)) throw new Error('the batches cannot be of one size')
  const batches: SeededBatch[] = []
  for (let index = 0; index < workspaces * batchesEach; index++) {
    const first = batches[index - (index % batchesEach)]
    const seeded = await seedBatch(store, {
      recipients,
      trunkSettings,
      maxConcurrentCalls: maxWorkspaceCalls,
      maxBatchCalls,
      maxTrunkCalls: maxBatchCalls,
      window: alwaysOpen,
      retry: noRetries,
      startAs: 'draft',
      firstNumber: 2_000_000 + (index % batchesEach) * firstNumbersApart(recipients),
      ...(first === undefined ? {} : { workspaceId: first.workspaceId }),
    })
    batches.push(seeded)
  }
  return batches
}

/** Starts them and waits until the last has completed; answers how long that took, seconds. */
export async function timeBatches(store: Store, batches: readonly SeededBatch[]): Promise<number> {
  const since = performance.now()
  for (const { workspaceId, batchId } of batches) await store.startBatch(workspaceId, batchId, Date.now())
  const left = new Set(batches)
  await until(lookEveryMs, async () => {
    for (const each of left) {
      const batch = await store.getBatch(each.workspaceId, each.batchId)
      if (batch?.status === 'completed') left.delete(each)
      else if (batch?.status !== 'running') throw new Error(`a batch is ${batch?.status}`)
      else break
    }
    return left.size === 0
  })
  return (performance.now() - since) / 1_000
}

/** What makes a run worthless: calls that are missing or too many, a store that failed. */
export function assertWhole(sights: readonly NodeSight[], calls: number): void {
  const placed = sights.reduce((sum, sight) => sum + sight.placed, 0)
  if (placed !== calls) throw new Error(`${placed} calls were placed, not ${calls}`)
  const failure = sights.find(sight => sight.storeFailure !== null)
  if (failure !== undefined) throw new Error(`a store failed: ${failure.storeFailure}`)
}

/**
 * `the safety net found 0`; more fails the benchmark of one node, once it has printed what it measured. One of several finds
 * places that another one has just freed and is about to fill: nothing was lost, as the longest wake-up shows.
 */
export function printSweep(sights: readonly NodeSight[]): string {
  const found = sights.reduce((sum, sight) => sum + sight.sweepFound, 0)
  if (found > 0 && sights.length === 1) process.exitCode = 1
  return `the safety net found ${found}`
}

/** The seed uses 80 of each hundred numbers. */
function firstNumbersApart(recipients: number): number {
  return Math.ceil(recipients / 80) * 100 + numbersApart * 100
}

// How long is the event loop blocked at most, while calls are placed and while a file of 10 MB is uploaded?
//
// The whole product in this process; the client in a thread of its own. The yardstick, in the same run: the same loop with
// nothing to do. The aim is 50 ms: a call's end, a hang-up or a health check never waits longer for its turn.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { App } from '../src/app.ts'
import { noRetries } from '../src/domain/retry.ts'
import { median } from './figures.ts'
import { apiKey, withApp } from './open-app.ts'
import { type SeededBatch, seedBatch } from './seed-batch.ts'
import { upload } from './upload-thread.ts'

const rows = 200_000
const rounds = Number(process.argv[2] ?? 3)
const watchMs = 3_000

const loads = {
  'nothing to call': null,
  '500 calls a second, 1 s each': { talkMs: [1_000, 1_000], ringMs: [0, 0], slots: 500 },
  'zero-length calls, as fast as they go': { zeroLength: true, slots: 2_000 },
} as const
type Load = keyof typeof loads

/** ms; [while calling, while calling and taking an upload, how long the upload took] */
const results = new Map<Load, { alone: number[]; uploading: number[]; uploadMs: number[] }>()
for (const load of Object.keys(loads) as Load[]) results.set(load, { alone: [], uploading: [], uploadMs: [] })

for (let round = 1; round <= rounds; round++) {
  for (const [load, result] of results) {
    const { alone, uploading, uploadMs } = await withApp(app => measure(app, load))
    result.alone.push(alone)
    result.uploading.push(uploading)
    result.uploadMs.push(uploadMs)
    console.log(
      `round ${round}: ${load}: blocked at most ${alone.toFixed(1)} ms; with an upload of 10 MB ` +
        `${uploading.toFixed(1)} ms (stored after ${Math.round(uploadMs)} ms)`,
    )
  }
}
for (const [load, { alone, uploading, uploadMs }] of results)
  console.log(
    `median: ${load}: blocked at most ${median(alone).toFixed(1)} ms, with an upload ${median(uploading).toFixed(1)} ms ` +
      `(worst ${Math.max(...uploading).toFixed(1)} ms), upload stored after ${Math.round(median(uploadMs))} ms`,
  )

async function measure(app: App, load: Load) {
  const seeded = await start(app, load)
  const alone = await longestBlock(() => new Promise(resolve => setTimeout(resolve, watchMs)))
  const agents = await app.deps.store.listAgents(app.workspaceId, { limit: 1 })
  const csv = makeList()
  let uploadMs = 0
  const uploading = await longestBlock(async () => {
    uploadMs = await upload({ url: app.url, apiKey, name: 'upload', agentId: agents[0]!.id, csv })
  })
  const batch = await app.deps.store.getBatch(app.workspaceId, seeded.batchId)
  if (load !== 'nothing to call' && batch?.status !== 'running')
    throw new Error(`the batch is ${batch?.status}: nothing was dialled beside the upload`)
  return { alone, uploading, uploadMs }
}

/** A batch that lasts longer than the measurement. */
async function start({ deps, workspaceId }: App, load: Load): Promise<SeededBatch> {
  const { slots = 1, ...trunkSettings } = loads[load] ?? {}
  return seedBatch(deps.store, {
    workspaceId,
    recipients: load === 'nothing to call' ? 1 : 150_000,
    trunkSettings: { ...trunkSettings, answerRate: 1 },
    maxConcurrentCalls: slots,
    retry: noRetries,
    startAs: load === 'nothing to call' ? 'draft' : 'running',
  })
}

async function longestBlock(work: () => Promise<unknown>): Promise<number> {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  await work()
  delay.disable()
  return delay.max / 1_000_000
}

/** 50 bytes a row: a number and three variables. */
function makeList(): Uint8Array<ArrayBuffer> {
  const lines = ['phone,name,city,amount']
  for (let n = 0; n < rows; n++) lines.push(`+91987${1_000_000 + n * 7},Name Surname ${n},Some City,${n * 3}`)
  return new TextEncoder().encode(`${lines.join('\n')}\n`)
}

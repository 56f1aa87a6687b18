// How much later is a list of 10 people called because a list of 50,000 is being called already? Concurrency 20.
//
// The yardstick, in the same run: the same 10 people alone.
import { noRetries } from '../src/domain/retry.ts'
import { completed, type DispatchRun, withDispatcher } from './dispatch-run.ts'
import { median } from './figures.ts'
import { seedBatch } from './seed-batch.ts'

const slots = 20
const large = 50_000
const small = 10
const rounds = Number(process.argv[2] ?? 5)
/** Between 200 and 400 ms a call, so that slots become free one by one as they do in life. */
const trunkSettings = { ringMs: [50, 100], talkMs: [140, 290], answerRate: 1 }

const alone: number[] = []
const beside: number[] = []
for (let round = 1; round <= rounds; round++) {
  alone.push(await withDispatcher(slots, async run => timeOfSmall(run)))
  beside.push(
    await withDispatcher(slots, async run => {
      const { workspaceId } = await seed(run, large, 3_000_000)
      const dialled = () => run.watch.seen().dials
      await until(run, () => run.dispatcher.figures().placed >= 5 * slots)
      const before = dialled()
      const ms = await timeOfSmall(run, workspaceId)
      if (dialled() - before <= small) throw new Error('the large batch was not being called')
      return ms
    }),
  )
  console.log(
    `round ${round}: ${small} people alone ${Math.round(alone.at(-1) ?? 0)} ms, ` +
      `beside ${large} ${Math.round(beside.at(-1) ?? 0)} ms`,
  )
}
const difference = median(beside) - median(alone)
console.log(
  `median: alone ${Math.round(median(alone))} ms, beside ${large} people ${Math.round(median(beside))} ms: ` +
    `${Math.round(difference)} ms later, ratio ${(median(beside) / median(alone)).toFixed(2)}`,
)

/** From the start of the small batch to its completion, ms. */
async function timeOfSmall(run: DispatchRun, workspaceId?: number): Promise<number> {
  const seeded = await seed(run, small, 9_000_000, workspaceId, 'draft')
  const since = performance.now()
  await run.store.startBatch(seeded.workspaceId, seeded.batchId, Date.now())
  await completed(run.store, seeded)
  return performance.now() - since
}

function seed(
  { store }: DispatchRun,
  recipients: number,
  firstNumber: number,
  workspaceId?: number,
  startAs: 'running' | 'draft' = 'running',
) {
  return seedBatch(store, {
    recipients,
    trunkSettings,
    maxConcurrentCalls: slots,
    retry: noRetries,
    startAs,
    firstNumber,
    ...(workspaceId === undefined ? {} : { workspaceId }),
  })
}

/** Resolves when `condition` holds; looks again after every event. */
function until({ store }: DispatchRun, condition: () => boolean): Promise<void> {
  return new Promise(resolve => {
    const unsubscribe = store.onEvents(() => {
      if (!condition()) return
      unsubscribe()
      resolve()
    })
  })
}

// How soon is a freed slot dialled again on PostgreSQL, by one node and by whichever of several is next? From the carrier's
// word that a call has ended to the next dial, by one clock for all processes of the machine.
//
// In between lie the ending's commit, the claim's and the one that writes the Call-ID. The yardstick, in the same run: two
// bare commits of one row each on the same server. Aims: p99 under 20 ms on one node, under 100 ms across nodes, and nothing
// for the safety net to find.
import { timeTwoCommits } from './bare-sql.ts'
import { printSpread, spreadOf } from './figures.ts'
import { assertWhole, lookAt, onStore, printSweep, seedPlan, timeBatches, withNodes } from './node-crew.ts'
import { type Postgres, withPostgres } from './postgres-cluster.ts'
import { SlotWatch } from './slot-watch.ts'

const bareCommits = 500
/** A process and its connections that have just started are not what is asked about: these show in no figure. */
const warmUpCalls = 500
const crews = [1, 2, 4]
const cases = [
  { slots: 1, calls: 1_000, talkMs: [10, 30] },
  { slots: 20, calls: 2_000, talkMs: [50, 150] },
  { slots: 200, calls: 4_000, talkMs: [500, 1_500] },
]

await withPostgres(async postgres => {
  const bare = spreadOf(await timeTwoCommits(await postgres.newDatabase(), bareCommits))
  console.log(`two bare commits: ${printSpread(bare)}`)
  for (const nodes of crews)
    for (const each of cases) {
      const { wakeUpsMs, maxOpen, sweep } = await watch(postgres, nodes, each)
      if (maxOpen > each.slots) throw new Error(`${maxOpen} calls at a time on ${each.slots} slots`)
      const spread = spreadOf(wakeUpsMs.slice(warmUpCalls))
      console.log(
        `${nodes} nodes, ${each.slots} slots, ${wakeUpsMs.length - warmUpCalls} times freed: next dial after ${printSpread(spread)}; ` +
          `p50 is ${(spread.p50 / bare.p50).toFixed(1)} times two bare commits; ${sweep}`,
      )
    }
})

async function watch(postgres: Postgres, nodes: number, { slots, calls, talkMs }: (typeof cases)[number]) {
  const url = await postgres.newDatabase()
  return onStore(url, async store => {
    const batches = await seedPlan(store, {
      workspaces: 1,
      batchesEach: 1,
      recipients: calls,
      maxWorkspaceCalls: slots,
      maxBatchCalls: slots,
      trunkSettings: { ringMs: [0, 0], talkMs, answerRate: 1 },
    })
    const work = async (crew: Parameters<typeof lookAt>[0]) => {
      await timeBatches(store, batches)
      const sights = await lookAt(crew)
      assertWhole(sights, calls)
      const seen = new SlotWatch(slots)
      const changes = sights.flatMap(sight => sight.slots).sort((one, other) => one.atMs - other.atMs)
      for (const change of changes) seen.see(change)
      return { ...seen.seen(), sweep: printSweep(sights) }
    }
    return withNodes(url, nodes, work, 'slots')
  })
}

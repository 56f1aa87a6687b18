// A batch of 1,000,000 people on PostgreSQL called by four nodes as fast as they go: is the last claim as quick as the first,
// and how much memory does a node take? node bench/million-postgres.ts [people] [nodes]
//
// The yardstick of a claim is the claim itself in the first tenth of the batch. The aims: the same p99 in the last one, and
// no node above 350 MB.
import type { BenchProcess } from './bench-process.ts'
import { costOf, printCost } from './database-cost.ts'
import { printSpread, spreadOf } from './figures.ts'
import { assertWhole, lookAt, onStore, printSweep, seedPlan, timeBatches, withNodes } from './node-crew.ts'
import { onClient, withPostgres } from './postgres-cluster.ts'

const people = Number(process.argv[2] ?? 1_000_000)
const nodes = Number(process.argv[3] ?? 4)
const tenths = 10
const lookEveryMs = 250
const mb = 1024 * 1024

const tables = `SELECT relname AS name, n_dead_tup::float8 AS dead, n_live_tup::float8 AS live,
    n_tup_upd::float8 AS updated, n_tup_hot_upd::float8 AS hot, pg_total_relation_size(relid)::float8 AS bytes
  FROM pg_stat_user_tables WHERE n_tup_ins + n_tup_upd > $1 ORDER BY bytes DESC`

await withPostgres(async postgres => {
  const url = await postgres.newDatabase()
  const plan = {
    workspaces: 1,
    batchesEach: 1,
    recipients: people,
    maxWorkspaceCalls: 2_000,
    maxBatchCalls: 2_000,
    trunkSettings: { zeroLength: true, answerRate: 1 },
  }
  // The tables, so that what they take is not counted.
  await onStore(url, async () => {})
  const since = performance.now()
  const { result: batches, cost: importCost } = await costOf(url, () =>
    onStore(url, store => seedPlan(store, plan)),
  )
  const importSeconds = (performance.now() - since) / 1_000
  console.log(
    `${people} people stored: ${importSeconds.toFixed(0)} s, ${Math.round(people / importSeconds)}/s`,
  )
  console.log(`each person stored: ${printCost(importCost, people)}`)
  const { cost } = await costOf(url, () =>
    onStore(url, store =>
      withNodes(url, nodes, async crew => {
        const watch = watchClaims(crew)
        const seconds = await timeBatches(store, batches)
        const { byTenth, sights } = await watch.end()
        assertWhole(sights, people)
        console.log(
          `called: ${seconds.toFixed(0)} s, ${Math.round(people / seconds)}/s by ${nodes} nodes; ${printSweep(sights)}`,
        )
        printClaims(byTenth)
        const memory = sights.map(({ maxRssBytes }) => Math.round(maxRssBytes / mb))
        console.log(`memory of each node at most: ${memory.join(', ')} MB`)
      }),
    ),
  )
  console.log(`each call: ${printCost(cost, people)}`)
  await onClient(url, async client => {
    for (const { name, dead, live, updated, hot, bytes } of (await client.query(tables, [people / 100])).rows)
      console.log(
        `${name}: ${Math.round(bytes / mb)} MB, ${dead} dead of ${dead + live} rows, ` +
          `${updated} updates${updated > 0 ? `, ${Math.round((100 * hot) / updated)}% HOT` : ''}`,
      )
  })
})

/** Asks the nodes while they call: each claim belongs to the tenth of the batch in which it was heard of. */
function watchClaims(crew: readonly BenchProcess[]) {
  const byTenth: number[][] = Array.from({ length: tenths }, () => [])
  let sights = lookAt(crew)
  const look = async () => {
    sights = lookAt(crew)
    const seen = await sights
    const placed = seen.reduce((sum, sight) => sum + sight.placed, 0)
    const tenth = Math.min(tenths - 1, Math.floor((placed / people) * tenths))
    byTenth[tenth]!.push(...seen.flatMap(sight => sight.claimsMs))
  }
  let looking: Promise<void> = Promise.resolve()
  const timer = setInterval(() => {
    looking = looking.then(look)
  }, lookEveryMs)
  return {
    async end() {
      clearInterval(timer)
      await looking
      await look()
      const last = await sights
      return { byTenth, sights: last }
    },
  }
}

function printClaims(byTenth: readonly number[][]): void {
  const spreads = byTenth.map(claims => spreadOf(claims))
  for (const [index, spread] of spreads.entries())
    console.log(`claims in tenth ${index + 1}: ${byTenth[index]!.length}, ${printSpread(spread)}`)
  const [first, last] = [spreads[0]!, spreads[tenths - 1]!]
  console.log(
    `last tenth ÷ first: p50 ${(last.p50 / first.p50).toFixed(2)}, p99 ${(last.p99 / first.p99).toFixed(2)}`,
  )
}

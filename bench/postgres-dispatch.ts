// How many whole call life cycles a second do one and four nodes carry on PostgreSQL, and how many jobs of the same number
// do job queues? node bench/postgres-dispatch.ts [calls]. Needs: npm ci --prefix bench/queues, PostgreSQL, Redis.
//
// The product: real processes; claim, place, end; ten batches each with workspace, trunk and batch limits, a calling window
// and fair turns. The queues, set as each one's documentation sets it for many short jobs and filled beforehand like our import:
// once with handlers that do nothing, so that no outcome is written anywhere, and once with handlers that write down what a
// call must leave behind, before the dial and after its end (queues/call-book.ts), which is our work. The yardstick: the bare
// statements of the product's transitions. All on servers that call fsync.
import { commitsPerSecond, timeBareSql } from './bare-sql.ts'
import { costOf, printCost } from './database-cost.ts'
import { assertWhole, lookAt, onStore, printSweep, seedPlan, timeBatches, withNodes } from './node-crew.ts'
import { type Postgres, withPostgres } from './postgres-cluster.ts'
import { needQueues, timeQueue } from './queue-run.ts'
import { withRedis } from './redis-server.ts'

const calls = Number(process.argv[2] ?? 50_000)
const batches = 10
const crews = [1, 4] as const
const commitsForMs = 3_000

interface Row {
  name: string
  perSecond: Map<number, number>
}

needQueues()
const rows: Row[] = []
await withPostgres(async postgres => {
  for (const connections of [1, 16])
    console.log(
      `commits of one row, ${connections} at a time: ` +
        `${Math.round(await commitsPerSecond(await postgres.newDatabase(), connections, commitsForMs))}/s`,
    )
  await measure('bare statements', async crew => timeBareSql(await postgres.newDatabase(), calls, crew))
  await measure('Outdial, one workspace', crew => timeProduct(postgres, crew, 1))
  await measure('Outdial, five workspaces', crew => timeProduct(postgres, crew, 5))
  await measure('pg-boss', async crew => timeQueue('pg-boss', await postgres.newDatabase(), calls, crew))
  await measure('Graphile Worker', async crew =>
    timeQueue('graphile-worker', await postgres.newDatabase(), calls, crew),
  )
  await measure('pg-boss, calls written down', async crew =>
    timeQueue('pg-boss', await postgres.newDatabase(), calls, crew, await postgres.newDatabase()),
  )
  await measure('Graphile Worker, calls written down', async crew =>
    timeQueue('graphile-worker', await postgres.newDatabase(), calls, crew, await postgres.newDatabase()),
  )
  await measure('BullMQ (fsync always), calls written down', async crew =>
    withRedis('always', async url => timeQueue('bullmq', url, calls, crew, await postgres.newDatabase())),
  )
})
for (const appendfsync of ['everysec', 'always'] as const)
  await measure(`BullMQ, Redis with fsync ${appendfsync}`, crew =>
    withRedis(appendfsync, url => timeQueue('bullmq', url, calls, crew)),
  )
printTable()

async function measure(name: string, time: (crew: number) => Promise<number>): Promise<void> {
  const perSecond = new Map<number, number>()
  for (const crew of crews) perSecond.set(crew, calls / (await time(crew)))
  rows.push({ name, perSecond })
  console.log(`${name}: ${crews.map(crew => `${Math.round(perSecond.get(crew)!)}/s by ${crew}`).join(', ')}`)
}

async function timeProduct(postgres: Postgres, nodes: number, workspaces: number): Promise<number> {
  const url = await postgres.newDatabase()
  const plan = {
    workspaces,
    batchesEach: batches / workspaces,
    recipients: calls,
    maxWorkspaceCalls: 2_000,
    maxBatchCalls: 500,
    trunkSettings: { zeroLength: true, answerRate: 1 },
  }
  const seeded = await onStore(url, store => seedPlan(store, plan))
  const { result, cost } = await costOf(url, () =>
    onStore(url, store =>
      withNodes(url, nodes, async crew => {
        const seconds = await timeBatches(store, seeded)
        const sights = await lookAt(crew)
        assertWhole(sights, calls)
        return { seconds, sweep: printSweep(sights) }
      }),
    ),
  )
  console.log(
    `  ${nodes} nodes, ${workspaces} workspaces, each call: ${printCost(cost, calls)}; ${result.sweep}`,
  )
  return result.seconds
}

/** Each beside the product of the same number of processes: above 1, the product is ahead. */
function printTable(): void {
  const product = rows.find(({ name }) => name.startsWith('Outdial'))!.perSecond
  const cells = rows.map(({ name, perSecond }) => [
    name,
    ...crews.map(crew => `${Math.round(perSecond.get(crew)!)}`),
    ...crews.map(crew => (product.get(crew)! / perSecond.get(crew)!).toFixed(2)),
  ])
  const head = ['', '1 process, /s', '4 processes, /s', 'Outdial ÷ it, 1', 'Outdial ÷ it, 4']
  const widths = head.map((title, column) => Math.max(title.length, ...cells.map(row => row[column]!.length)))
  for (const row of [head, ...cells])
    console.log(row.map((cell, column) => cell.padEnd(widths[column]!)).join('  '))
}

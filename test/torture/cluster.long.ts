// Promises 1 to 3 and 6 on one PostgreSQL and three nodes, which are killed, sent to sleep and cut off a hundred times
// while they call, and whose database dies as well. A carrier that outlives them all writes down what it was asked for.
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type PostgresCluster, startPostgres } from '../../bench/postgres-cluster.ts'
import { realClock } from '../../src/runtime/clock.ts'
import { type Random, seededRandom } from '../../src/runtime/random.ts'
import { waitFor } from '../../src/runtime/wait.ts'
import { BreakableLink } from '../carrier/breakable-link.ts'
import { skipWithoutPostgres } from '../store/postgres-server.ts'
import { readCarrierLog, startCarrier } from './carrier-child.ts'
import { type ServerProcess, startServer } from './server-process.ts'
import { assertKept, createBatch } from './torture-batch.ts'

const nodes = 3
/** Each kills, stops or cuts off one node, or the database. */
const blows = Number(process.env.OUTDIAL_TEST_BLOWS ?? 100)
const pauseMs = { min: 200, max: 2_500 }
/** Longer than a lease (15 s) in some of the cases: then others take over. */
const sleepMs = { min: 50, max: 25_000 }
const cutMs = { min: 100, max: 20_000 }
const seed = Number(process.env.OUTDIAL_TEST_SEED ?? Math.floor(Math.random() * 2 ** 32))
/** So many that the batch is still under way at the last blow, or nearly. */
const people = Number(process.env.OUTDIAL_TEST_PEOPLE ?? 4_000)
const batch = { people, concurrency: 60, callsPerSecond: 40, seed }
const lookAgainMs = 250
const timeoutMs = 30 * 60_000

test(`a batch of ${batch.people} on three nodes survives ${blows} blows`, {
  skip: skipWithoutPostgres,
  timeout: timeoutMs,
}, async t => {
  t.diagnostic(`seed ${seed} (OUTDIAL_TEST_SEED=${seed} replays the choice of blows, not their timing)`)
  const house = await openHouse(t)
  const batchId = await createBatch(house.nodes[0]!.server, house.carrier, batch)
  const struck = await strike(house)
  t.diagnostic(JSON.stringify(struck))
  const [node] = house.nodes as [Node]
  for (;;) {
    const { status, counts } = await node.server.send('GET', `/api/v1/batches/${batchId}`)
    const sum = Object.values<number>(counts).reduce((total, count) => total + count, 0)
    assert.equal(sum, batch.people, 'the counts do not add up')
    if (status === 'completed') break
    await waitFor(realClock, lookAgainMs)
  }
  const record = await readCarrierLog(house.logPath)
  t.diagnostic(await assertKept(node.server, house.carrier, record, batchId, batch))
})

interface Node {
  server: ServerProcess
  dataDir: string
  /** Its own way to the database. */
  link: BreakableLink
}

async function openHouse(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'outdial-cluster-'))
  const carrierDir = join(folder, 'carrier')
  await mkdir(carrierDir)
  const logPath = join(carrierDir, 'carrier.log')
  const database = await startPostgres({ max_connections: '100' })
  const carrier = await startCarrier(logPath)
  const opened: Node[] = []
  for (let index = 0; index < nodes; index++)
    opened.push(await openNode(join(folder, `node-${index}`), database))
  t.after(async () => {
    for (const { server, link } of opened) {
      process.kill(server.pid, 'SIGCONT')
      await server.kill()
      await link.close()
    }
    await carrier.stop()
    await database.stop()
    await rm(folder, { recursive: true, force: true })
  })
  return { database, carrier, logPath, nodes: opened }
}

type House = Awaited<ReturnType<typeof openHouse>>

async function openNode(dataDir: string, database: PostgresCluster): Promise<Node> {
  await mkdir(dataDir)
  const link = await BreakableLink.to(database.port)
  return { dataDir, link, server: await startNode(dataDir, link) }
}

const startNode = (dataDir: string, link: BreakableLink) =>
  startServer(dataDir, { DATABASE_URL: `postgresql://postgres@127.0.0.1:${link.port}/postgres` })

/** Blow after blow; afterwards all nodes and the database are up. Returns how often each was dealt. */
async function strike({ nodes, database, carrier }: House): Promise<Record<string, number>> {
  const random = seededRandom(seed)
  const dealt: Record<string, number> = {}
  const healing: Promise<void>[] = []
  const resting = new Set<Node>()
  for (let blow = 1; blow <= blows; blow++) {
    await waitFor(realClock, between(random, pauseMs))
    const awake = nodes.filter(node => !resting.has(node))
    const target = awake[Math.floor(random() * awake.length)]
    const kind = kindOf(random(), target, awake.length)
    dealt[kind] = (dealt[kind] ?? 0) + 1
    if (kind === 'database') await database.crash().then(() => database.start())
    else if (kind === 'kill') await restart(target!)
    else healing.push(rest(target!, kind, random, resting))
  }
  await Promise.all(healing)
  dealt.dials = (await carrier.seen()).dials
  return dealt
}

/** Half of the blows kill; the last node that is awake is only ever killed, and comes back at once. */
function kindOf(
  chance: number,
  target: Node | undefined,
  awake: number,
): 'kill' | 'sleep' | 'cut' | 'database' {
  if (chance < 0.06 || target === undefined) return 'database'
  if (chance < 0.6 || awake === 1) return 'kill'
  return chance < 0.8 ? 'sleep' : 'cut'
}

async function restart(node: Node): Promise<void> {
  await node.server.kill()
  node.server = await startNode(node.dataDir, node.link)
}

/** Out of the game for a while, beside the next blows. */
async function rest(node: Node, kind: 'sleep' | 'cut', random: Random, resting: Set<Node>): Promise<void> {
  resting.add(node)
  if (kind === 'sleep') {
    process.kill(node.server.pid, 'SIGSTOP')
    await waitFor(realClock, between(random, sleepMs))
    process.kill(node.server.pid, 'SIGCONT')
  } else {
    const until = realClock.now() + between(random, cutMs)
    node.link.refuses = true
    node.link.cut()
    await waitFor(realClock, until - realClock.now())
    node.link.refuses = false
  }
  resting.delete(node)
}

function between(random: Random, { min, max }: { min: number; max: number }): number {
  return min + Math.floor(random() * (max - min))
}

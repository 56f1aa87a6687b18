// How long do reads take with 1,000,000 recipients stored, at rest and beside 1,000 calls a second?
//
// The real server as a process of its own, asked over HTTP one request after the other. Two yardsticks in the same run: a
// health check (what HTTP itself costs) and a bare recount of the batch by SQL (what the counters save). Aim: p99 under
// 10 ms.
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { apiKey, type ServerProcess, startServer } from '../test/torture/server-process.ts'
import { median, printSpread, type Spread, spreadOf } from './figures.ts'
import { type MillionPeople, withMillionPeople } from './million-people.ts'

const requests = Number(process.argv[2] ?? 300)
/** Pages far down a filtered list are walked to: they take long, and nobody opens them by the hundred. */
const requestsFarDown = 20
const concurrency = 1_000

const health = 'health check'
const routesOf = (id: number): Record<string, string> => ({
  [health]: '/healthz',
  'Formant: metrics': `/formant/v1/batch-calls/${id}/metrics`,
  'Formant: list of batches': '/formant/v1/batch-calls?limit=100',
  'TalkifAI: job, first 50 contacts': `/talkifai/batch/jobs/batch_${id}`,
  'TalkifAI: contacts, page 10,000': `/talkifai/batch/jobs/batch_${id}?contactsPage=10000`,
  'TalkifAI: completed contacts': `/talkifai/batch/jobs/batch_${id}?contactStatus=completed`,
  'TalkifAI: completed contacts, page 1,000': `/talkifai/batch/jobs/batch_${id}?contactStatus=completed&contactsPage=1000`,
  'TalkifAI: pending contacts, page 10,000': `/talkifai/batch/jobs/batch_${id}?contactStatus=pending&contactsPage=10000`,
  'own API: batches': '/api/v1/batches?limit=50',
  'own API: recipients from the middle': `/api/v1/batches/${id}/recipients?limit=50&cursor=500000`,
  'own API: answered recipients': `/api/v1/batches/${id}/recipients?limit=50&standing=answered&cursor=50000`,
  'own API: attempts': `/api/v1/batches/${id}/attempts?limit=50&cursor=50000`,
})

await withMillionPeople(async made => {
  const recountMs = recount(made)
  console.log(`yardstick: bare recount of the batch by SQL: ${recountMs.toFixed(1)} ms`)
  const server = await startServer(made.dataDir)
  try {
    console.log('at rest:')
    await measureAll(server, made.batchId, recountMs)
    await server.send('PATCH', '/api/v1/workspace', { maxConcurrentCalls: concurrency })
    const before = await attemptsOf(server, made.batchId)
    await server.send('POST', `/api/v1/batches/${made.batchId}/resume`)
    const since = performance.now()
    console.log(`beside ${concurrency} calls at a time, 1 s each:`)
    await measureAll(server, made.batchId, recountMs)
    const placed = (await attemptsOf(server, made.batchId)) - before
    console.log(`meanwhile ${Math.round((placed * 1_000) / (performance.now() - since))} calls/s were placed`)
    await server.send('POST', `/api/v1/batches/${made.batchId}/pause`)
  } finally {
    await server.kill()
  }
})

async function measureAll(server: ServerProcess, batchId: number, recountMs: number): Promise<void> {
  let floor: Spread | null = null
  for (const [name, path] of Object.entries(routesOf(batchId))) {
    const isWalkedTo = path.includes('contactStatus=') && path.includes('contactsPage=')
    const spread = await measure(`${server.url}${path}`, isWalkedTo ? requestsFarDown : requests)
    floor ??= spread
    const ratios =
      name === health
        ? ''
        : `; p50 is ${(spread.p50 / floor.p50).toFixed(1)} health checks, ${(spread.p50 / recountMs).toFixed(3)} recounts`
    console.log(`  ${name}: ${printSpread(spread)}${ratios}`)
  }
}

async function measure(url: string, requests: number): Promise<Spread> {
  const headers = { authorization: `Bearer ${apiKey}` }
  const times: number[] = []
  for (let request = -10; request < requests; request++) {
    const since = performance.now()
    const answer = await fetch(url, { headers })
    await answer.arrayBuffer()
    if (answer.status !== 200) throw new Error(`${url}: ${answer.status}`)
    if (request >= 0) times.push(performance.now() - since)
  }
  return spreadOf(times)
}

async function attemptsOf(server: ServerProcess, batchId: number): Promise<number> {
  return (await server.send('GET', `/api/v1/batches/${batchId}`)).attempts
}

function recount({ dataDir, batchId }: MillionPeople): number {
  const db = new DatabaseSync(join(dataDir, 'outdial.db'), { readOnly: true })
  const count = db.prepare('SELECT standing, count(*) FROM recipients WHERE batch_id = ? GROUP BY standing')
  const times = Array.from({ length: 5 }, () => {
    const since = performance.now()
    count.all(batchId)
    return performance.now() - since
  })
  db.close()
  return median(times)
}

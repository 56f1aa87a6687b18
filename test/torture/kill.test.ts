// Promises 1 to 3 and 6 under the worst that can happen: the server dies five times in the middle of a batch.
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { standings } from '../../src/domain/recipient.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { type CarrierChild, readCarrierLog, startCarrier } from './carrier-child.ts'
import { Changes } from './changes.ts'
import { type ServerProcess, startServer } from './server-process.ts'

const people = 2_000
const kills = 5
const concurrency = 200
const maxAttempts = 4
/** Dials between a start and the next kill: so few that the batch is still under way at the last one. */
const dialsBeforeKill = { min: 200, max: 450 }
/** And so many turns of the event loop later, up to some 10 ms: a kill must not keep step with the commits. */
const turnsBeforeKill = { min: 0, max: 3_000 }
const timeoutMs = 120_000

/** Nothing here ends a call for good but an answer: who never answered must have been rung `maxAttempts` times. */
const telephones = {
  ...{ answerRate: 0.6, voicemailRate: 0.1, busyRate: 0.15, noAnswerRate: 0.15 },
  ...{ declinedRate: 0, unreachableRate: 0, failureRate: 0 },
  // Some talks outlive the server's absence: a carrier that still holds them must be asked to hang up.
  ...{ ringMs: [20, 120], ringOutMs: [100, 200], talkMs: [50, 1_500], forcedEndings: false },
}
const retry = { maxAttempts, delaysMs: { busy: [100], 'no-answer': [200], lost: [100] } }

interface Recipient {
  number: string
  standing: string
  status: string
  attempts: number
}

const seed = Number(process.env.OUTDIAL_TEST_SEED ?? Math.floor(Math.random() * 2 ** 32))

test(`a batch of ${people} survives ${kills} kill -9: nobody is called twice, nobody is lost`, {
  timeout: timeoutMs,
}, async t => {
  t.diagnostic(`seed ${seed} (OUTDIAL_TEST_SEED=${seed} replays the choice of moments)`)
  const house = await openHouse(t)
  const batchId = await createBatch(house.server(), house.carrier)
  await killAgainAndAgain(t, house)
  await completed(house, batchId)

  const record = await readCarrierLog(house.logPath)
  const seen = await house.carrier.seen()
  const { server } = house
  const recipients: Recipient[] = await readAll(server(), `/api/v1/batches/${batchId}/recipients`)
  const attempts: { callId: string }[] = await readAll(server(), `/api/v1/batches/${batchId}/attempts`)
  const batch = await server().send('GET', `/api/v1/batches/${batchId}`)
  t.diagnostic(
    `${record.callIds.length} dials, ${record.answered.size} answered, ${batch.counts.lost} lost for good, ` +
      `${record.refused} late dials refused, at most ${seen.maxConcurrent} calls at a time`,
  )

  // Never twice.
  assert.equal(new Set(record.callIds).size, record.callIds.length, 'a Call-ID was dialled twice')
  assert.equal(seen.duplicateCallIds, 0)
  assert.deepEqual(record.dialledAfterAnswer, [], 'somebody who had answered was dialled again')
  // Never over.
  assert.ok(seen.maxConcurrent <= concurrency, `${seen.maxConcurrent} calls at a time`)
  // Never lost, always finished.
  assert.equal(recipients.length, people)
  assert.equal(new Set(recipients.map(({ number }) => number)).size, people)
  const wrong = recipients.filter(recipient => !isExplained(recipient, record.answered))
  assert.deepEqual(wrong, [], 'somebody was not called until they answered or their attempts were used up')
  // What the API says is what the carrier saw, to the single call.
  assert.deepEqual(
    new Map(recipients.map(({ number, attempts }) => [number, attempts])),
    new Map(recipients.map(({ number }) => [number, record.dials.get(number) ?? 0])),
  )
  assert.deepEqual(attempts.map(({ callId }) => callId).sort(), [...record.callIds].sort())
  assert.equal(batch.attempts, record.callIds.length)
  for (const standing of standings)
    assert.equal(batch.counts[standing], recipients.filter(one => one.standing === standing).length, standing)
})

/** Answered people stand at an outcome of their talk; all others were rung as often as the batch allows. */
function isExplained({ number, status, standing, attempts }: Recipient, answered: Set<string>): boolean {
  if (status !== 'finished') return false
  return answered.has(number)
    ? ['answered', 'voicemail', 'lost'].includes(standing)
    : ['busy', 'no-answer', 'lost'].includes(standing) && attempts === maxAttempts
}

interface House {
  carrier: CarrierChild
  logPath: string
  changes: Changes
  server(): ServerProcess
  /** Kills the server and starts another one on the same data. */
  restart(): Promise<void>
}

async function openHouse(t: TestContext): Promise<House> {
  const folder = await mkdtemp(join(tmpdir(), 'outdial-kill-'))
  const [dataDir, carrierDir] = [join(folder, 'data'), join(folder, 'carrier')]
  for (const each of [dataDir, carrierDir]) await mkdir(each)
  const logPath = join(carrierDir, 'carrier.log')
  const carrier = await startCarrier(logPath)
  let server = await startServer(dataDir)
  const changes = new Changes(dataDir, carrierDir)
  t.after(async () => {
    changes.close()
    await server.kill()
    await carrier.stop()
    await rm(folder, { recursive: true, force: true })
  })
  return {
    carrier,
    logPath,
    changes,
    server: () => server,
    async restart() {
      await server.kill()
      server = await startServer(dataDir)
    },
  }
}

async function createBatch(server: ServerProcess, { address }: CarrierChild): Promise<number> {
  await server.send('PATCH', '/api/v1/workspace', { maxConcurrentCalls: 2 * concurrency })
  const trunk = await server.send('POST', '/api/v1/trunks', {
    name: 'far away',
    settings: { ...telephones, seed, address },
  })
  const agent = await server.send('POST', '/api/v1/agents', { name: 'Ada' })
  await server.send('POST', '/api/v1/phone-numbers', {
    e164: '+12025550100',
    agentId: agent.id,
    trunkId: trunk.id,
  })
  const recipients = Array.from({ length: people }, (_, index) => ({
    phone: `+1202${5_560_000 + index}`,
    name: `Person ${index}`,
  }))
  const settings = { name: 'torture', agentId: agent.id, maxConcurrentCalls: concurrency, retry }
  const batch = await server.send('POST', '/api/v1/batches', { ...settings, recipients })
  assert.equal(batch.totalRecipients, people)
  return batch.id
}

/** At random moments, between any two writes of the server and of the carrier. */
async function killAgainAndAgain(
  t: TestContext,
  { carrier, changes, restart, server }: House,
): Promise<void> {
  const random = seededRandom(seed)
  const between = ({ min, max }: { min: number; max: number }) => min + Math.floor(random() * (max - min))
  for (let kill = 1; kill <= kills; kill++) {
    const target = (await carrier.seen()).dials + between(dialsBeforeKill)
    await changes.until(async () => (await carrier.seen()).dials >= target)
    for (let turns = between(turnsBeforeKill); turns > 0; turns--) await setImmediate()
    await restart()
    await changes.until(async () => openWhenKilled(server()) !== null)
    const { dials } = await carrier.seen()
    t.diagnostic(`kill ${kill} near dial ${dials}: ${openWhenKilled(server())} attempts were open`)
  }
}

/** How many attempts the server found open when it started. */
function openWhenKilled({ log }: ServerProcess): number | null {
  const line = log.find(({ msg }) => String(msg).startsWith('settling calls'))
  return line === undefined ? null : Number(line.attempts)
}

/** Resolves when the batch is over; whatever is read meanwhile must add up. */
async function completed({ changes, server }: House, batchId: number): Promise<void> {
  await changes.until(async () => {
    const { counts, status } = await server().send('GET', `/api/v1/batches/${batchId}`)
    const sum = Object.values<number>(counts).reduce((total, count) => total + count, 0)
    assert.equal(sum, people, 'the counts do not add up')
    return status === 'completed'
  })
}

async function readAll<Item>(server: ServerProcess, path: string): Promise<Item[]> {
  const all: Item[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const page: { data: Item[]; nextCursor: string | null } = await server.send(
      'GET',
      `${path}?limit=500${cursor === '' ? '' : `&cursor=${cursor}`}`,
    )
    all.push(...page.data)
    cursor = page.nextCursor
  }
  return all
}

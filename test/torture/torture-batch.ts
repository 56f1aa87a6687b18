// The batch that a torture test calls, and what must hold between what the API says of it and what the carrier saw.
import assert from 'node:assert/strict'
import { standings } from '../../src/domain/recipient.ts'
import type { CarrierChild, CarrierRecord } from './carrier-child.ts'
import type { ServerProcess } from './server-process.ts'

/** Nothing here ends a call for good but an answer: who never answered must have been rung `maxAttempts` times. */
export const telephones = {
  ...{ answerRate: 0.6, voicemailRate: 0.1, busyRate: 0.15, noAnswerRate: 0.15 },
  ...{ declinedRate: 0, unreachableRate: 0, failureRate: 0 },
  // Some talks outlive the server's absence: a carrier that still holds them must be asked to hang up.
  ...{ ringMs: [20, 120], ringOutMs: [100, 200], talkMs: [50, 1_500], forcedEndings: false },
}
export const maxAttempts = 4
const retry = { maxAttempts, delaysMs: { busy: [100], 'no-answer': [200], lost: [100] } }

export interface TortureBatch {
  people: number
  /** Calls of the batch at one time. */
  concurrency: number
  /** Of the trunk; absent: no limit. */
  callsPerSecond?: number
  /** Of the telephones. */
  seed: number
}

export interface Recipient {
  number: string
  standing: string
  status: string
  attempts: number
}

export async function createBatch(
  server: ServerProcess,
  { address }: CarrierChild,
  { people, concurrency, callsPerSecond, seed }: TortureBatch,
): Promise<number> {
  await server.send('PATCH', '/api/v1/workspace', { maxConcurrentCalls: 2 * concurrency })
  const trunk = await server.send('POST', '/api/v1/trunks', {
    name: 'far away',
    ...(callsPerSecond === undefined ? {} : { callsPerSecond }),
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

/** Holds the carrier's log against the API, to the single call. Returns a line of figures. */
export async function assertKept(
  server: ServerProcess,
  carrier: CarrierChild,
  record: CarrierRecord,
  batchId: number,
  { people, concurrency, callsPerSecond = Number.POSITIVE_INFINITY }: TortureBatch,
): Promise<string> {
  const seen = await carrier.seen()
  const recipients: Recipient[] = await readAll(server, `/api/v1/batches/${batchId}/recipients`)
  const attempts: { callId: string }[] = await readAll(server, `/api/v1/batches/${batchId}/attempts`)
  const batch = await server.send('GET', `/api/v1/batches/${batchId}`)

  // Never twice.
  assert.equal(new Set(record.callIds).size, record.callIds.length, 'a Call-ID was dialled twice')
  assert.equal(seen.duplicateCallIds, 0)
  assert.deepEqual(record.dialledAfterAnswer, [], 'somebody who had answered was dialled again')
  // Never over.
  assert.ok(seen.maxConcurrent <= concurrency, `${seen.maxConcurrent} calls at a time`)
  // By the carrier's clock: what left in time may arrive a little closer together, so that one more fits into a second.
  const perSecond = seen.maxCallsPerSecond
  assert.ok(perSecond <= callsPerSecond + 1, `${perSecond} calls in a second`)
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
  return (
    `${record.callIds.length} dials, ${record.answered.size} answered, ${batch.counts.lost} lost for good, ` +
    `${record.refused} late dials refused, at most ${seen.maxConcurrent} calls at a time, ` +
    `${seen.maxCallsPerSecond} in a second`
  )
}

/** Answered people stand at an outcome of their talk; all others were rung as often as the batch allows. */
function isExplained({ number, status, standing, attempts }: Recipient, answered: Set<string>): boolean {
  if (status !== 'finished') return false
  return answered.has(number)
    ? ['answered', 'voicemail', 'lost'].includes(standing)
    : ['busy', 'no-answer', 'lost'].includes(standing) && attempts === maxAttempts
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

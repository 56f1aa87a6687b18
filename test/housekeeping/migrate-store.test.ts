// A store moves from SQLite to PostgreSQL: all of it or nothing, both held, and the calls go on where they were.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import type { Store } from '../../src/store/store.ts'
import { reasonOf, run } from '../cli/running-app.ts'
import { inspect, newDatabase, skipWithoutPostgres } from '../store/postgres-server.ts'
import { assertCounted, furnish, outcomeOf, start, type Workbench, workbench } from '../store/workbench.ts'

const options = { skip: skipWithoutPostgres }
const page = { limit: 10_000 }
const line = { packetsSent: 0, packetsReceived: 0, packetsLost: 0, jitterMs: 0, firstAudioAfterMs: null }

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'outdial-move-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const openData = (dataDir: string) => openSqliteStore({ path: join(dataDir, 'outdial.db') })

/** A store with something in every table, calls under way among it. */
async function lived(dataDir: string): Promise<Workbench> {
  mkdirSync(dataDir, { recursive: true })
  const bench = await furnish(await openData(dataDir), {
    maxConcurrentCalls: 4,
    agent: { aliases: ['ann'] },
  })
  const { store, workspace } = bench
  await store.createApiKey(workspace.id, 'first', 'od_aaaa', new Uint8Array(32).fill(7), start)
  await store.suppress(workspace.id, ['+12005559999'], 'asked us', start)
  await store.reserveIdempotencyKey(workspace.id, 'once', 'same', start)
  await store.writeAudit({
    workspaceId: workspace.id,
    at: start,
    apiKeyId: 1,
    apiKeyPrefix: 'od_aaaa',
    action: 'POST /x',
    subject: null,
  })
  const rejected = { rowNumber: 99, status: 'invalid', code: 'invalid_phone', value: 'no\0ne' } as const
  await bench.import(8, {}, [rejected])
  const [answered, busy] = await bench.call()
  const conversation = { transcript: [], results: { a: 1 }, recordingFile: null, recordingBytes: null, line }
  await bench.end([answered!], { conversation, answeredAt: start })
  await bench.end([busy!], { outcome: outcomeOf('busy'), next: { kind: 'retry', dueAt: start + 5_000 } })
  const deleted = await bench.import(1, { startAs: 'draft' })
  await store.deleteBatch(workspace.id, deleted.id, start)
  return bench
}

async function shown(store: Store, { workspace, agent, trunk, phoneNumber }: Workbench) {
  const bench = workbench(store, workspace, agent, trunk, phoneNumber)
  const { batches } = await store.listBatches(workspace.id, {}, { offset: 0, limit: 100 })
  const [first] = batches
  return {
    batches,
    workspace: await store.getWorkspace(workspace.id),
    agents: await store.listAgents(workspace.id, page),
    trunks: await store.listTrunks(workspace.id, page),
    keys: await store.listApiKeys(workspace.id),
    audit: await store.listAudit(workspace.id, page),
    recipients: await store.listRecipients(workspace.id, first!.id, {}, page),
    rows: JSON.stringify(await store.listIngestRows(workspace.id, first!.id, {}, page)).replaceAll(
      '\\u0000',
      '\ufffd',
    ),
    attempts: await store.listAttempts(workspace.id, {}, page),
    events: await store.listEvents(workspace.id, page),
    suppressions: await store.listSuppressions(workspace.id, page),
    open: (await bench.openAttempts()).map(({ attemptId, status, callId }) => [attemptId, status, callId]),
  }
}

test(
  'everything arrives, both stores are held, and after the acceptance the calls go on',
  options,
  async t => {
    const dataDir = join(folderFor(t), 'data')
    const before = await lived(dataDir)
    const was = await shown(before.store, before)
    await before.store.close()
    const url = await newDatabase()
    const moved = await run(['migrate-store', '--from', dataDir, '--to', url])
    assert.equal(moved.failure, null)
    assert.match(moved.out, /^\d+ rows moved; every counter equals a count of them\.$/)

    const left = await openData(dataDir)
    assert.equal((await left.getHold())?.reason, 'move')
    await left.close()
    const store = await openPostgresStore({ url })
    t.after(() => store.close())
    assert.equal((await store.getHold())?.reason, 'move')
    assert.deepEqual(await shown(store, before), was)
    const { workspace, agent, trunk, phoneNumber } = before
    const bench = workbench(store, workspace, agent, trunk, phoneNumber)
    const batchId = was.batches[0]!.id
    await assertCounted(bench, batchId)
    assert.notEqual(await store.findApiKey(new Uint8Array(32).fill(7)), null)
    assert.equal((await bench.claim()).claims.length, 0)

    await store.liftHold()
    const known = was.attempts.map(({ id }) => id)
    const { claims } = await bench.claim({ now: start + 10_000 })
    assert.ok(claims.length > 0 && claims.every(({ attemptId }) => attemptId > Math.max(...known)))
    const next = await bench.import(1)
    assert.equal(next.id, batchId + 2, 'the id of a deleted batch is never another’s')
    const agentAfter = await store.createAgent({ ...agent, name: 'Bo', aliases: [] })
    assert.equal(agentAfter.id, agent.id + 1)
  },
)

test(
  'a database that holds a store is refused, and the one that would have moved stays as it was',
  options,
  async t => {
    const dataDir = join(folderFor(t), 'data')
    await (await lived(dataDir)).store.close()
    const url = await newDatabase()
    const other = await openPostgresStore({ url })
    await other.createWorkspace('theirs', start)
    await other.close()
    const refused = await run(['migrate-store', '--from', dataDir, '--to', url])
    assert.equal(reasonOf(refused), 'failed')
    assert.match(refused.failure!.message, /^Nothing was moved: the database holds a store already/)
    const left = await openData(dataDir)
    assert.equal(await left.getHold(), null)
    await left.close()
  },
)

test(
  'a move that finds a wrong counter moves nothing, and is made again when that is mended',
  options,
  async t => {
    const dataDir = join(folderFor(t), 'data')
    await (await lived(dataDir)).store.close()
    const url = await newDatabase()
    const count = (change: string) => {
      const db = new DatabaseSync(join(dataDir, 'outdial.db'))
      db.exec(`UPDATE batch_progress SET queued = queued ${change}`)
      db.close()
    }
    count('+ 1')
    const refused = await run(['migrate-store', '--from', dataDir, '--to', url])
    assert.match(refused.failure!.message, /the counters of batch \d+ do not equal a count of its rows/)
    const { rowCount } = await inspect(url, client => client.query('SELECT FROM recipients'))
    assert.equal(rowCount, 0)
    count('- 1')
    assert.equal((await run(['migrate-store', '--from', dataDir, '--to', url])).failure, null)
  },
)

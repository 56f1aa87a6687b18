// How long from an upload on disk to recipients in the store, and does anything else wait meanwhile?
//
// The product: 200,000 rows (10 MB of CSV) read in the worker, screened (number, destination, zone, duplicate) and stored
// in 500s with their report. The yardstick, in the same run: papaparse over the same file and one bulk insert of the
// rows as they are into a bare SQLite table, on the main thread. Both on SQLite with WAL and synchronous=FULL.
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { DatabaseSync } from 'node:sqlite'
import Papa from 'papaparse'
import { noRetries } from '../src/domain/retry.ts'
import { ingestList, type ListRules } from '../src/ingest/ingest.ts'
import { openSqliteStore } from '../src/store/sqlite/sqlite-store.ts'
import type { Store } from '../src/store/store.ts'
import { seedBatch } from './seed-batch.ts'

const rows = Number(process.argv[2] ?? 200_000)
const rounds = Number(process.argv[3] ?? 3)

const rules: ListRules = {
  formats: ['csv'],
  phoneColumns: ['phone'],
  numbers: 'readable',
  region: 'IN',
  destinations: null,
  zoneColumns: ['timezone'],
  fallbackZone: 'UTC',
  mode: 'lenient',
  refuseBadContact: false,
  maxBytes: 100_000_000,
  maxRows: 1_000_000,
}

const middle = (values: number[]) =>
  values.sort((one, other) => one - other)[values.length >> 1] ?? Number.NaN

const folder = await mkdtemp(join(tmpdir(), 'outdial-bench-'))
try {
  const list = join(folder, 'contacts.csv')
  writeFileSync(list, makeList(rows))
  console.log(`${rows} rows, ${(statSync(list).size / 1_000_000).toFixed(1)} MB of CSV`)
  const results: { productMs: number; bareMs: number; blockedMs: number }[] = []
  for (let round = 1; round <= rounds; round++) {
    const bareMs = bareInsert(list, join(folder, `bare-${round}.db`))
    const { productMs, blockedMs } = await wholeProduct(list, join(folder, `outdial-${round}.db`))
    results.push({ productMs, bareMs, blockedMs })
    console.log(
      `round ${round}: upload to stored ${Math.round(productMs)} ms, papaparse and bulk insert ${Math.round(bareMs)} ms, ` +
        `ratio ${(productMs / bareMs).toFixed(2)}, event loop blocked at most ${blockedMs.toFixed(1)} ms`,
    )
  }
  console.log(
    `median: ${Math.round(middle(results.map(({ productMs }) => productMs)))} ms, ` +
      `${middle(results.map(({ productMs, bareMs }) => productMs / bareMs)).toFixed(2)} times the yardstick, ` +
      `blocked at most ${Math.max(...results.map(({ blockedMs }) => blockedMs)).toFixed(1)} ms`,
  )
} finally {
  await rm(folder, { recursive: true })
}

/** 50 bytes a row: an Indian mobile number and three variables. */
function makeList(rows: number): string {
  const lines = ['phone,name,city,amount']
  for (let n = 0; n < rows; n++) lines.push(`+91987${1_000_000 + n * 7},Name Surname ${n},Some City,${n * 3}`)
  return `${lines.join('\n')}\n`
}

function bareInsert(list: string, path: string): number {
  const since = performance.now()
  const database = new DatabaseSync(path)
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  database.exec(
    'CREATE TABLE people (id INTEGER PRIMARY KEY, number TEXT NOT NULL, variables TEXT NOT NULL) STRICT',
  )
  const insert = database.prepare('INSERT INTO people (number, variables) VALUES (?, ?)')
  database.exec('BEGIN')
  Papa.parse<Record<string, string>>(readFileSync(list, 'utf8'), {
    header: true,
    skipEmptyLines: true,
    step: ({ data: { phone = '', ...variables } }) => {
      insert.run(phone, JSON.stringify(variables))
    },
  })
  database.exec('COMMIT')
  database.close()
  return performance.now() - since
}

async function wholeProduct(list: string, path: string) {
  const store = await openSqliteStore({ path })
  const { workspaceId, batchId } = await beginImport(store)
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const since = performance.now()
  const source = {
    kind: 'file' as const,
    path: list,
    fileName: 'contacts.csv',
    bytes: statSync(list).size,
    sha256: '',
  }
  const summary = await ingestList(source, rules, {
    take: (accepted, rejected) => store.importRows(batchId, accepted, rejected),
  })
  const batch = await store.finishImport(batchId, { rows: summary.rows }, () => {}, Date.now())
  const productMs = performance.now() - since
  delay.disable()
  const stored = (await store.getBatch(workspaceId, batchId))?.ingest.accepted
  if (stored !== rows || batch.totalRecipients !== rows)
    throw new Error(`${stored} of ${rows} rows were stored`)
  await store.close()
  return { productMs, blockedMs: delay.max / 1_000_000 }
}

async function beginImport(store: Store): Promise<{ workspaceId: number; batchId: number }> {
  const { workspaceId } = await seedBatch(store, {
    recipients: 0,
    trunkSettings: {},
    maxConcurrentCalls: 1,
    retry: noRetries,
    startAs: 'draft',
  })
  const [agent] = await store.listAgents(workspaceId, { limit: 1 })
  const [number] = await store.listPhoneNumbers(workspaceId, { limit: 1 })
  if (agent === undefined || number === undefined) throw new Error('the store was not seeded')
  const batchId = await store.beginImport({
    workspaceId,
    agentId: agent.id,
    phoneNumberId: number.id,
    name: 'ingest',
    description: null,
    dialect: 'outdial',
    sentAgentId: String(agent.id),
    sentPhoneNumberId: null,
    open: false,
    timezone: 'UTC',
    scheduledAt: null,
    startAs: 'draft',
    contentHash: 'ingest',
    createdAt: Date.now(),
    maxConcurrentCalls: null,
    callsPerSecond: null,
    retry: noRetries,
    window: null,
    ringTimeoutMs: 45_000,
    maxCallMs: 3_600_000,
    record: false,
    trace: false,
    answeringMachine: 'off',
  })
  return { workspaceId, batchId }
}

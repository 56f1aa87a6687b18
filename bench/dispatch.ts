// How many whole call life cycles a second does one node carry, end to end, on SQLite with synchronous=FULL?
//
// The product: claim, place (second commit with the Call-ID), dial, end with outcome, counters and event; 50,000 calls of
// zero length. The yardstick, in the same run: the bare statements of the same transitions, 256 calls to a transaction,
// without limits, fairness, rechecks or a carrier.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { pino } from 'pino'
import { SimulatedCarrier } from '../src/carrier/simulated/simulated-carrier.ts'
import { startDispatcher } from '../src/dispatcher/dispatcher.ts'
import { noRetries } from '../src/domain/retry.ts'
import { realClock } from '../src/runtime/clock.ts'
import { openSqliteStore } from '../src/store/sqlite/sqlite-store.ts'
import { seedBatch } from './seed-batch.ts'

const calls = Number(process.argv[2] ?? 50_000)
const rounds = Number(process.argv[3] ?? 3)
const groupSize = 256

interface Measured {
  perSecond: number
}

const results: { product: number; bare: number }[] = []
for (let round = 1; round <= rounds; round++) {
  const bare = await inFolder(async folder => bareStatements(join(folder, 'bare.db')))
  const product = await inFolder(folder => wholeProduct(join(folder, 'outdial.db')))
  results.push({ product: product.perSecond, bare: bare.perSecond })
  console.log(
    `round ${round}: product ${Math.round(product.perSecond)}/s, bare statements ${Math.round(bare.perSecond)}/s, ` +
      `ratio ${(product.perSecond / bare.perSecond).toFixed(2)}`,
  )
}
const middle = (values: number[]) =>
  values.sort((one, other) => one - other)[values.length >> 1] ?? Number.NaN
console.log(
  `median: product ${Math.round(middle(results.map(result => result.product)))} life cycles/s, ` +
    `${middle(results.map(result => result.product / result.bare)).toFixed(2)} of the bare statements`,
)

async function wholeProduct(path: string): Promise<Measured> {
  const store = await openSqliteStore({ path })
  const carrier = new SimulatedCarrier({ clock: realClock, seed: 1 })
  const seeded = await seedBatch(store, {
    recipients: calls,
    trunkSettings: { zeroLength: true, answerRate: 1, seed: 1 },
    maxConcurrentCalls: 2_000,
    retry: noRetries,
    startAs: 'draft',
  })
  const dispatcher = startDispatcher({
    store,
    carrier,
    clock: realClock,
    logger: pino({ level: process.env.BENCH_LOG ?? 'silent' }),
  })
  await dispatcher.rescued
  const completed = new Promise<void>(resolve => {
    store.onWork(async () => {
      const batch = await store.getBatch(seeded.workspaceId, seeded.batchId)
      if (batch?.status === 'completed') resolve()
    })
  })
  const startedAt = performance.now()
  await store.startBatch(seeded.workspaceId, seeded.batchId, Date.now())
  await completed
  const seconds = (performance.now() - startedAt) / 1_000
  const { placed, sweepFound } = dispatcher.figures()
  if (placed !== calls) throw new Error(`${placed} calls were placed, not ${calls}`)
  if (sweepFound !== 0) throw new Error(`the safety net found ${sweepFound} calls`)
  await dispatcher.stop({ graceMs: 0 })
  await store.close()
  return { perSecond: calls / seconds }
}

function bareStatements(path: string): Measured {
  const db = new DatabaseSync(path)
  db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
    CREATE TABLE recipients (id INTEGER PRIMARY KEY, batch_id INTEGER, standing TEXT, attempts INTEGER DEFAULT 0,
      due_at INTEGER, number TEXT, variables TEXT) STRICT;
    CREATE INDEX due ON recipients (batch_id, standing, due_at);
    CREATE TABLE open_attempts (id INTEGER PRIMARY KEY, number TEXT UNIQUE, recipient_id INTEGER, status TEXT,
      call_id TEXT, dialed_at INTEGER) STRICT;
    CREATE TABLE attempts (id INTEGER PRIMARY KEY, batch_id INTEGER, recipient_id INTEGER, call_id TEXT,
      dialed_at INTEGER, ended_at INTEGER, disposition TEXT, cause TEXT) STRICT;
    CREATE INDEX by_batch ON attempts (batch_id);
    CREATE TABLE events (id INTEGER PRIMARY KEY, type TEXT, at INTEGER, data TEXT) STRICT;
    CREATE TABLE progress (batch_id INTEGER PRIMARY KEY, queued INTEGER, answered INTEGER) STRICT;
    INSERT INTO progress VALUES (1, ${calls}, 0);`)
  const add = db.prepare(
    'INSERT INTO recipients (batch_id, standing, due_at, number, variables) VALUES (1, ?, 0, ?, ?)',
  )
  db.exec('BEGIN')
  for (let index = 0; index < calls; index++)
    add.run('queued', `+1202${5_000_000 + index}`, `{"customer_name":"Person ${index}"}`)
  db.exec('COMMIT')
  const due = db.prepare(
    `SELECT id, number FROM recipients WHERE batch_id = 1 AND standing = 'queued' AND due_at <= ? LIMIT ?`,
  )
  const claim = db.prepare(
    `INSERT INTO open_attempts (id, number, recipient_id, status) VALUES (?, ?, ?, 'claimed')`,
  )
  const setCalling = db.prepare(`UPDATE recipients SET standing = 'calling' WHERE id = ?`)
  const place = db.prepare(
    `UPDATE open_attempts SET status = 'dialing', call_id = ?, dialed_at = ? WHERE id = ?`,
  )
  const close = db.prepare('DELETE FROM open_attempts WHERE id = ?')
  const end = db.prepare('INSERT INTO attempts VALUES (?, 1, ?, ?, ?, ?, ?, ?)')
  const settle = db.prepare(`UPDATE recipients SET standing = 'answered', attempts = 1 WHERE id = ?`)
  const tell = db.prepare('INSERT INTO events (type, at, data) VALUES (?, ?, ?)')
  const count = db.prepare('UPDATE progress SET queued = queued - ?, answered = answered + ?')
  const transaction = (work: () => void) => {
    db.exec('BEGIN IMMEDIATE')
    work()
    db.exec('COMMIT')
  }
  let nextId = 1
  const startedAt = performance.now()
  for (;;) {
    const rows = due.all(0, groupSize) as { id: number; number: string }[]
    if (rows.length === 0) break
    let attempts: number[] = []
    transaction(() => {
      attempts = rows.map(row => {
        setCalling.run(row.id)
        claim.run(nextId, row.number, row.id)
        return nextId++
      })
    })
    transaction(() => {
      for (const id of attempts) place.run(`call-${id}`, Date.now(), id)
    })
    transaction(() => {
      for (const [index, id] of attempts.entries()) {
        const row = rows[index]!
        close.run(id)
        end.run(id, row.id, `call-${id}`, Date.now(), Date.now(), 'answered', 'sip 200')
        settle.run(row.id)
        tell.run('attempt.ended', Date.now(), `{"attemptId":${id},"recipientId":${row.id}}`)
      }
      count.run(rows.length, rows.length)
    })
  }
  const seconds = (performance.now() - startedAt) / 1_000
  db.close()
  return { perSecond: calls / seconds }
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'outdial-bench-'))
  try {
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

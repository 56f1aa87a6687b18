// How soon is a freed slot dialled again? From the carrier's word that a call has ended to the next dial.
//
// In between lie two commits with synchronous=FULL (the end with its outcome together with the next claim, and the
// Call-ID). The yardstick, in the same run: two bare commits of one row each on the same disk.
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { noRetries } from '../src/domain/retry.ts'
import { completed, withDispatcher } from './dispatch-run.ts'
import { printSpread, spreadOf } from './figures.ts'
import { withFolder } from './open-app.ts'
import { seedBatch } from './seed-batch.ts'

const bareCommits = 500
const cases = [
  { slots: 1, calls: 200, talkMs: [10, 30] },
  { slots: 20, calls: 2_000, talkMs: [50, 150] },
  { slots: 500, calls: 5_000, talkMs: [500, 1_500] },
] as const

const bare = spreadOf(await withFolder(async folder => twoCommits(join(folder, 'bare.db'))))
console.log(`two bare commits: ${printSpread(bare)}`)
for (const { slots, calls, talkMs } of cases) {
  const { wakeUpsMs } = await withDispatcher(slots, async ({ store, watch }) => {
    const seeded = await seedBatch(store, {
      recipients: calls,
      trunkSettings: { ringMs: [0, 0], talkMs, answerRate: 1 },
      maxConcurrentCalls: slots,
      retry: noRetries,
      startAs: 'running',
    })
    await completed(store, seeded)
    return watch.seen()
  })
  const spread = spreadOf(wakeUpsMs)
  console.log(
    `${slots} ${slots === 1 ? 'slot' : 'slots'}, ${wakeUpsMs.length} times freed: next dial after ${printSpread(spread)}; ` +
      `p50 is ${(spread.p50 / bare.p50).toFixed(1)} times two bare commits`,
  )
}

function twoCommits(path: string): number[] {
  const db = new DatabaseSync(path)
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  db.exec('CREATE TABLE notes (id INTEGER PRIMARY KEY, note TEXT NOT NULL) STRICT')
  const insert = db.prepare('INSERT INTO notes (note) VALUES (?)')
  const times: number[] = []
  for (let index = 0; index < bareCommits; index++) {
    const since = performance.now()
    insert.run('ended')
    insert.run('dialling')
    times.push(performance.now() - since)
  }
  db.close()
  return times
}

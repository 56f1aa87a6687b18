// A backup of a server that calls, and what becomes of it: nothing until somebody accepts it, then everything, and
// nobody twice whom the backup knew as answered.
import assert from 'node:assert/strict'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type App, startApp } from '../../src/app.ts'
import { readConfig } from '../../src/config.ts'
import type { Batch } from '../../src/domain/batch.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { apiKey, reasonOf, run, runningApp } from '../cli/running-app.ts'
import { furnish } from '../store/workbench.ts'

const retries = ['--max-attempts', '2', '--retry-delay', '0.2']
const page = { limit: 10_000 }

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'outdial-backup-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

async function serve(t: TestContext, dataDir: string, speed = '50'): Promise<App> {
  const settings = { PORT: '0', OUTDIAL_DATA_DIR: dataDir, OUTDIAL_API_KEY: apiKey, OUTDIAL_SIM_SPEED: speed }
  const app = await startApp(readConfig(settings), silentLogger)
  t.after(() => app.stop(0))
  return app
}

const on = ({ url }: App, ...args: string[]) => run([...args, '--url', url, '--key', apiKey])
const readiness = async ({ url }: App) => (await (await fetch(`${url}/readyz`)).json()) as { status: string }

type Progress = Batch['progress']

/** Resolves when a batch stands so. */
async function until(
  { deps: { store }, workspaceId }: App,
  batchId: number,
  stands: (progress: Progress) => boolean,
): Promise<void> {
  await new Promise<void>(resolve => {
    const look = async () => {
      const batch = await store.getBatch(workspaceId, batchId)
      if (batch !== null && stands(batch.progress)) resolve()
    }
    store.onEvents(look)
    void look()
  })
}

/** Who was lost with the copy is called again in a minute: that is not waited for. */
const nobodyIsDue = ({ counts: { queued, calling } }: Progress) => queued + calling === 0

test('a backup of a running batch is held until it is accepted, then goes on where it was', async t => {
  const house = await runningApp()
  t.after(() => house.close())
  const folder = await folderFor(t)
  const list = join(folder, 'people.csv')
  // The last two digits 80 to 99 force an outcome.
  const rows = Array.from(
    { length: 160 },
    (_, index) => `+120255${50_000 + index + 20 * Math.floor(index / 80)}`,
  )
  await writeFile(list, `phone\n${rows.join('\n')}\n`)
  const made = await house.run(
    'call',
    list,
    '--agent',
    'ann',
    '--concurrency',
    '10',
    ...retries,
    '-o',
    'json',
  )
  const batchId: number = JSON.parse(made.out).id
  const { app } = house
  await until(app, batchId, ({ endedAttempts }) => endedAttempts >= 40)
  await mkdir(join(house.dir, 'data', 'recordings'), { recursive: true })
  const file = join(folder, 'monday.db')
  const backedUp = await house.run('backup', file, '-o', 'json')
  assert.equal(backedUp.failure, null)
  assert.deepEqual(await readdir(join(house.dir, 'data', 'backups')), [], 'the server keeps no copy')
  assert.equal(reasonOf(await house.run('backup', file)), 'usage')
  await until(app, batchId, nobodyIsDue)

  const dataDir = join(folder, 'restored')
  const restored = await run(['restore', file, '--data-dir', dataDir, '-o', 'json'])
  assert.equal(restored.failure, null)
  const { wouldDial, madeAt } = JSON.parse(restored.out)
  assert.equal(madeAt !== null && wouldDial.batches, 1)
  assert.ok(wouldDial.people > 0 && wouldDial.people <= 120, `${wouldDial.people} people`)
  assert.equal(reasonOf(await run(['restore', file, '--data-dir', dataDir])), 'failed')

  const copy = await serve(t, dataDir)
  const { store } = copy.deps
  const attempts = async () => store.listAttempts(copy.workspaceId, { batchId }, page)
  const known = await attempts()
  assert.equal((await readiness(copy)).status, 'held')
  const shown = await on(copy, 'accept-restore')
  assert.match(shown.out, new RegExp(`would dial {2}${wouldDial.people} people of 1 batches`))
  assert.match(shown.err, /Nothing was changed/)
  const doctored = await on(copy, 'doctor')
  assert.match(doctored.out, /^warning +calling: .*accept-restore/m)
  const metrics = await (await fetch(`${copy.url}/metrics`)).text()
  assert.match(metrics, /^outdial_store_held 1$/m)
  // A batch that is made meanwhile waits as well.
  await on(copy, 'call', list, '--agent', 'ann', '--name', 'Meanwhile', ...retries)
  assert.deepEqual(await attempts(), known, 'nobody was dialled')

  assert.match((await on(copy, 'accept-restore', '--yes')).out, /Accepted: calling begins/)
  await until(copy, batchId, nobodyIsDue)
  assert.equal((await readiness(copy)).status, 'ready')
  const answered = new Set(
    known.filter(({ answeredAt }) => answeredAt !== null).map(({ recipientId }) => recipientId),
  )
  assert.ok(answered.size > 10, 'many had answered when the backup was made')
  const later = (await attempts()).filter(({ id }) => !known.some(before => before.id === id))
  assert.deepEqual(
    later.filter(({ recipientId }) => answered.has(recipientId)),
    [],
    'nobody who had answered is called again',
  )
  assert.ok(later.length > 0)
  assert.match((await on(copy, 'accept-restore')).out, /is not held/)
})

test('a backup put in place by hand is held, and so is a data directory that was copied', async t => {
  const folder = await folderFor(t)
  const original = join(folder, 'data')
  await keepRecordedCall(original)
  const first = await serve(t, original)
  assert.equal((await readiness(first)).status, 'ready')
  const file = join(folder, 'backup.db')
  await on(first, 'backup', file)
  await first.stop(0)

  const byHand = join(folder, 'by-hand')
  await mkdir(byHand)
  await cp(file, join(byHand, 'outdial.db'))
  assert.equal((await (await serve(t, byHand)).deps.store.getHold())?.reason, 'backup')

  const copied = join(folder, 'copied')
  await cp(original, copied, { recursive: true, preserveTimestamps: true })
  const copy = await serve(t, copied)
  assert.equal((await copy.deps.store.getHold())?.reason, 'copy')
  await copy.stop(0)
  assert.equal(
    (await (await serve(t, copied)).deps.store.getHold())?.reason,
    'copy',
    'a restart accepts nothing',
  )

  const again = await serve(t, original)
  assert.equal((await readiness(again)).status, 'ready', 'the original calls as before')
})

test('recordings come along when they are asked for', async t => {
  const folder = await folderFor(t)
  const dataDir = join(folder, 'data')
  await keepRecordedCall(dataDir)
  const app = await serve(t, dataDir)
  const file = join(folder, 'with-sound.db')
  const backedUp = await on(app, 'backup', file, '--recordings')
  assert.match(backedUp.out, /1 recordings in .*with-sound\.db-recordings$/)
  const restored = join(folder, 'restored')
  await run(['restore', file, '--data-dir', restored])
  assert.equal(await readFile(join(restored, 'recordings', 'kept.wav'), 'utf8'), 'sound')
})

/** A store with a call that was recorded, and one whose recording is gone. */
async function keepRecordedCall(dataDir: string): Promise<void> {
  await mkdir(join(dataDir, 'recordings'), { recursive: true })
  await writeFile(join(dataDir, 'recordings', 'kept.wav'), 'sound')
  const bench = await furnish(await openSqliteStore({ path: join(dataDir, 'outdial.db') }))
  await bench.import(2)
  const line = { packetsSent: 0, packetsReceived: 0, packetsLost: 0, jitterMs: 0, firstAudioAfterMs: null }
  for (const [index, call] of (await bench.call()).entries()) {
    const recordingFile = index === 0 ? 'kept.wav' : 'gone.wav'
    const conversation = { transcript: [], results: {}, recordingFile, recordingBytes: 5, line }
    await bench.end([call], { conversation })
  }
  await bench.store.close()
}

test('what is no backup, or a damaged one, is refused and leaves nothing', async t => {
  const folder = await folderFor(t)
  const dataDir = join(folder, 'restored')
  const noDatabase = join(folder, 'list.csv')
  await writeFile(noDatabase, 'phone\n'.repeat(5_000))
  const app = await serve(t, join(folder, 'data'))
  const file = join(folder, 'backup.db')
  await on(app, 'backup', file)
  const bytes = await readFile(file)
  const cut = join(folder, 'cut.db')
  await writeFile(cut, bytes.subarray(0, bytes.length / 2))
  for (const wrong of [noDatabase, cut, join(folder, 'missing.db')]) {
    const refused = await run(['restore', wrong, '--data-dir', dataDir])
    assert.equal(reasonOf(refused), 'failed')
    assert.match(refused.failure!.message, /cannot be restored/)
    assert.deepEqual(
      (await readdir(dataDir)).filter(name => name.startsWith('outdial')),
      [],
    )
  }
  assert.equal((await run(['restore', file, '--data-dir', dataDir])).failure, null)
  const taken = await run(['restore', file, '--data-dir', join(folder, 'data')])
  assert.match(taken.failure!.message, /in use by/)
})

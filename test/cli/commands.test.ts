// The commands against a running server: what goes to stdout, what to stderr, and how they fail.
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { newDatabase, skipWithoutPostgres } from '../store/postgres-server.ts'
import { apiKey, type RunningApp, reasonOf, run, runningApp } from './running-app.ts'

let house: RunningApp
let list: string

before(async () => {
  house = await runningApp()
  // doctor looks at the configuration of its own process.
  process.env.OUTDIAL_DATA_DIR = join(house.dir, 'data')
  list = join(house.dir, 'people.csv')
  await writeFile(
    list,
    'name,phone\nAda,+12025550190\nBela,+12125550190\nCarla,+13125550191\nDmitri,+14155550195\nEsther,nonsense\n',
  )
})
after(() => house.close())

test('call --watch shows the progress on stderr and what became of the batch on stdout', async () => {
  const { out, err, failure } = await house.run(
    'call',
    list,
    '--agent',
    'ann',
    '--name',
    'Watched',
    '--watch',
    '--max-attempts',
    '1',
  )
  assert.equal(failure, null)
  assert.match(err, /completed, 4\/4 {2}answered 2 · voicemail 1 · declined 1$/)
  assert.match(out, /^Batch \d+ {2}Watched\nstatus {3}completed\n/)
  assert.match(out, /people {3}4 of 5 rows \(invalid 1, duplicate 0, suppressed 0\)/)
  assert.match(out, /now {6}answered 2 · voicemail 1 · declined 1\ncalls {4}4, /)
})

test('call -o json prints one document', async () => {
  const { out } = await house.run(
    'call',
    list,
    '--agent',
    'ann',
    '--name',
    'As JSON',
    '--draft',
    '-o',
    'json',
  )
  const batch = JSON.parse(out)
  assert.equal(batch.status, 'draft')
  assert.equal(batch.name, 'As JSON')
  assert.deepEqual(batch.report.ingest, { rows: 5, accepted: 4, invalid: 1, duplicate: 0, suppressed: 0 })
})

test('the settings of a call reach the server', async () => {
  const { out } = await house.run(
    ...['call', list, '--agent', 'ann', '--name', 'Settings', '--draft', '-o', 'json', '--concurrency', '7'],
    ...[
      '--calls-per-second',
      '2.5',
      '--max-attempts',
      '4',
      '--retry-delay',
      '1.5',
      '--timezone',
      'Asia/Kolkata',
    ],
    ...['--at', '2099-01-01T09:00'],
  )
  const batch = JSON.parse(out)
  assert.equal(batch.maxConcurrentCalls, 7)
  assert.equal(batch.callsPerSecond, 2.5)
  assert.equal(batch.retry.maxAttempts, 4)
  assert.deepEqual(batch.retry.delaysMs.busy, [1500])
  assert.equal(batch.scheduledAt, '2099-01-01T03:30:00.000Z')
})

test('the same command twice calls nobody twice, and says so', async () => {
  const first = await house.run('call', list, '--agent', 'ann', '--name', 'Twice', '-o', 'json')
  const second = await house.run('call', list, '--agent', 'ann', '--name', 'Twice', '-o', 'json')
  assert.equal(JSON.parse(second.out).id, JSON.parse(first.out).id)
  assert.match(second.err, /nobody is called twice/)
})

test('a batch is started, paused, resumed and cancelled, and a wrong move is refused', async () => {
  const { out } = await house.run('call', list, '--agent', 'ann', '--name', 'Moved', '--draft', '-o', 'json')
  const id = String(JSON.parse(out).id)
  const refused = await house.run('batches', 'resume', id)
  assert.equal(reasonOf(refused), 'refused')
  assert.match(refused.failure!.message, /draft/)
  // The stop keeps the batch from being over before it can be paused.
  await house.run('halt')
  assert.equal((await house.run('batches', 'start', id)).out, `Batch ${id}: running`)
  assert.equal((await house.run('batches', 'pause', id)).out, `Batch ${id}: paused`)
  assert.equal((await house.run('batches', 'resume', id)).out, `Batch ${id}: running`)
  assert.equal((await house.run('batches', 'cancel', id)).out, `Batch ${id}: cancelled`)
  await house.run('go')
  const watched = await house.run('batches', 'show', id, '--watch')
  assert.equal(reasonOf(watched), 'failed')
  assert.match(watched.failure!.message, /ended as cancelled/)
})

test('halt stops the workspace until go', async () => {
  assert.match((await house.run('halt')).out, /demo: stopped/)
  assert.equal(JSON.parse((await house.run('go', '-o', 'json')).out).stopped, false)
})

test('batches list shows the newest first, as a table or one JSON object a line', async () => {
  const text = await house.run('batches', 'list', '--limit', '2')
  assert.match(text.out, /^id +status +people +created +name\n/)
  assert.equal(text.printed.length, 3)
  const json = await house.run('batches', 'list', '--status', 'draft', '-o', 'json')
  const names = json.printed.map(line => JSON.parse(line).name)
  assert.deepEqual(
    names,
    ['Settings', 'As JSON'].filter(name => names.includes(name)),
  )
})

test('batches export writes everybody as CSV, or only those who were not reached', async () => {
  const { out } = await house.run(
    'call',
    list,
    '--agent',
    'ann',
    '--name',
    'Exported',
    '--watch',
    '-o',
    'json',
  )
  const id = String(JSON.parse(out).id)
  const all = await house.run('batches', 'export', id)
  assert.equal(all.out.trim().split('\r\n').length, 5)
  const unreached = await house.run('batches', 'export', id, '--filter', 'unreached')
  assert.match(unreached.out, /\+14155550195/)
  assert.doesNotMatch(unreached.out, /\+12025550190/)
})

test('what the server refuses is told in its words, with the fields that were wrong', async () => {
  const unknownAgent = await house.run('call', list, '--agent', 'nobody')
  assert.equal(reasonOf(unknownAgent), 'refused')
  assert.match(unknownAgent.failure!.message, /nobody/)
  const wrongZone = await house.run('call', list, '--agent', 'ann', '--timezone', 'Mars/Olympus')
  assert.equal(reasonOf(wrongZone), 'refused')
  const { details } = wrongZone.failure as { details?: string[] } & Error
  assert.match(details![0]!, /^timezone: .*IANA/)
  const unknownBatch = await house.run('batches', 'show', '99999')
  assert.equal(reasonOf(unknownBatch), 'refused')
})

test('a wrong key is refused with a hint', async () => {
  const { failure } = await run([
    'batches',
    'list',
    '--url',
    house.app.url,
    '--key',
    'wrong-key-wrong-key-wrong',
  ])
  assert.match(failure!.message, /Check --key/)
})

test('where no server answers, the command says what would start one', async () => {
  const result = await run(['batches', 'list', '--url', 'http://127.0.0.1:1', '--key', apiKey])
  assert.equal(reasonOf(result), 'unreachable')
  assert.match(result.failure!.message, /No server answers at http:\/\/127\.0\.0\.1:1 .*outdial serve/)
})

test('wrong usage is refused before anything is tried', async () => {
  assert.equal(reasonOf(await house.run('call', join(house.dir, 'missing.csv'), '--agent', 'ann')), 'usage')
  assert.equal(reasonOf(await house.run('batches', 'show', '../workspace')), 'usage')
  assert.equal(reasonOf(await house.run('call', list)), 'CommanderError')
  assert.equal(
    reasonOf(await house.run('call', list, '--agent', 'ann', '--concurrency', 'many')),
    'CommanderError',
  )
  assert.equal(reasonOf(await run(['dance'])), 'CommanderError')
})

test('doctor finds a healthy server healthy', async () => {
  const { out, failure } = await house.run('doctor', '-o', 'json')
  const findings: { check: string; verdict: string }[] = JSON.parse(out)
  const verdictOf = (check: string) => findings.find(finding => finding.check === check)?.verdict
  assert.deepEqual(['Node', 'data directory', 'server', 'clock', 'API key'].map(verdictOf), [
    'ok',
    'ok',
    'ok',
    'ok',
    'ok',
  ])
  assert.equal(failure, null)
})

test('doctor says that a key does not open the workspace', async () => {
  const { out, failure } = await run(['doctor', '--url', house.app.url, '--key', 'wrong-key-wrong-key-wrong'])
  assert.match(out, /^failed {2}API key: /m)
  assert.equal(failure!.message, 'One check failed.')
})

test('doctor says that no server answers, and whether one could start', async () => {
  const { out } = await run(['doctor', '--url', 'http://127.0.0.1:1', '--key', apiKey])
  assert.match(out, /^warning server: none answers at http:\/\/127\.0\.0\.1:1/m)
  assert.match(out, /^(ok|failed) +port: 127\.0\.0\.1:8080 /m)
})

test('doctor looks at the database that DATABASE_URL names', { skip: skipWithoutPostgres }, async t => {
  t.after(() => void delete process.env.DATABASE_URL)
  process.env.DATABASE_URL = await newDatabase()
  assert.match((await house.run('doctor')).out, /^ok {6}database: \w+ at 127\.0\.0\.1:\d+, PostgreSQL \d/m)
  process.env.DATABASE_URL = 'postgresql://outdial:secret@127.0.0.1:1/calls'
  const { out, failure } = await house.run('doctor')
  assert.match(
    out,
    /^failed {2}database: The database calls at 127\.0\.0\.1:1 cannot be used: .*ECONNREFUSED/m,
  )
  assert.doesNotMatch(out, /secret/)
  assert.equal(failure!.message, 'One check failed.')
})

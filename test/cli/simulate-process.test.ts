// `simulate` as a process: hours in seconds, the same output for the same seed.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { outdial } from './spawned.ts'

async function listOf(t: TestContext, people: number): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'outdial-simulate-'))
  t.after(() => rm(dir, { recursive: true, force: true }))
  const path = join(dir, 'people.csv')
  const rows = Array.from({ length: people }, (_, index) => `P${index},+1202${2_000_000 + index}`)
  await writeFile(path, `name,phone\n${rows.join('\n')}\n`)
  return path
}

async function simulate(...args: string[]): Promise<{ out: string; err: string; code: number | null }> {
  const run = outdial(['simulate', ...args], {})
  const code = await run.exit
  return { out: run.out.join('\n'), err: run.err.join('\n'), code }
}

test('the same seed prints the same forecast, another seed another one', async t => {
  const list = await listOf(t, 300)
  const [first, again, other] = await Promise.all([
    simulate(list, '--seed', '7'),
    simulate(list, '--seed', '7'),
    simulate(list, '--seed', '8'),
  ])
  assert.equal(first.code, 0, first.err)
  assert.equal(first.out, again.out)
  assert.notEqual(first.out, other.out)
  assert.match(first.out, /^people {4}300 of 300 rows/)
  assert.match(first.out, /finishes {2}2027-03-01 \d\d:\d\d UTC, after/)
})

test('the forecast keeps to the concurrency, the attempts and the price that were given', async t => {
  const list = await listOf(t, 200)
  const options = ['--concurrency', '5', '--max-attempts', '1', '--answer-rate', '1', '--talk', '60']
  const { out } = await simulate(list, ...options, '--agent-arch', 'realtime', '-o', 'json')
  const forecast = JSON.parse(out)
  assert.equal(forecast.calls, 200)
  assert.equal(forecast.concurrentCallsAtMost, 5)
  assert.deepEqual(forecast.outcomes, { answered: 200 })
  // 200 talks of a minute at 7 cents for two minutes; each is cut off to seconds, so the sum is near, not equal.
  assert.ok(Math.abs(forecast.costCents - 700) < 100, `${forecast.costCents} cents`)
  // 200 calls of 75 s on average, five at a time.
  assert.ok(Math.abs(forecast.durationSeconds - 3000) < 600, `${forecast.durationSeconds} s`)
})

test('outside calling hours nobody is called, so that the batch ends the next morning', async t => {
  const list = await listOf(t, 100)
  const options = [
    '--start',
    '2027-03-01T21:00Z',
    '--window',
    '09:00-17:00',
    '--concurrency',
    '1',
    '-o',
    'json',
  ]
  const { startedAt, finishedAt } = JSON.parse((await simulate(list, ...options)).out)
  assert.equal(startedAt, '2027-03-01T21:00:00.000Z')
  // 16:00 in Washington when it starts: an hour is left, the rest waits until 9:00, which is 14:00 UTC.
  assert.match(finishedAt, /^2027-03-02T1[4-9]/)
})

test('a list that cannot be called is refused with the reason', async t => {
  const list = await listOf(t, 0)
  const { code, err } = await simulate(list)
  assert.equal(code, 4, err)
})

test('an unreadable file, hour or start is wrong usage', async t => {
  const list = await listOf(t, 1)
  for (const args of [['/nowhere/people.csv'], [list, '--window', 'always'], [list, '--start', 'tomorrow']]) {
    const { code, err } = await simulate(...args)
    assert.equal(code, 2, err)
  }
})

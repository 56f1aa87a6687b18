// The commands that keep house, against a running server.
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type RunningApp, reasonOf, run, runningApp } from './running-app.ts'

let house: RunningApp

before(async () => {
  house = await runningApp()
})
after(() => house.close())

test('keys are made, listed and revoked', async () => {
  const made = await house.run('keys', 'create', 'console')
  assert.match(made.out, /^od_[\w-]{32}$/)
  assert.match(made.err, /shown only this once/)
  const asNew = (...args: string[]) => run([...args, '--url', house.app.url, '--key', made.out])
  const listed = await asNew('keys', 'list')
  assert.match(listed.out, /^id +begins with +created +revoked +name\n/)
  assert.match(listed.out, /console$/)
  const { id } = JSON.parse((await house.run('keys', 'list', '-o', 'json')).printed.at(-1)!)
  assert.match((await house.run('keys', 'revoke', String(id))).err, /opens nothing any more/)
  assert.equal(reasonOf(await asNew('keys', 'list')), 'refused')
  assert.equal(reasonOf(await house.run('keys', 'revoke', 'console')), 'usage')
})

test('retention is shown and set', async () => {
  assert.match((await house.run('retention')).out, /^recordings {3}90 days\ntranscripts {2}180 days\n/)
  const set = await house.run('retention', '--recordings', '14', '--events', 'forever')
  assert.match(set.out, /^recordings {3}14 days\n/)
  assert.match(set.out, /^events {7}for ever$/m)
  assert.equal(JSON.parse((await house.run('retention', '-o', 'json')).out).recordingDays, 14)
  assert.equal(reasonOf(await house.run('retention', '--recordings', 'soon')), 'CommanderError')
})

test('a person is erased only when that is meant', async () => {
  const list = join(house.dir, 'one.csv')
  await writeFile(list, 'name,phone\nAda,+12025550190\n')
  await house.run('call', list, '--agent', 'ann', '--draft')
  const number = '+12025550190'
  assert.equal(reasonOf(await house.run('erase', number)), 'usage')
  const { out, failure } = await house.run('erase', number, '--yes')
  assert.equal(failure, null)
  assert.match(out, /^Erased from 1 batches \(in 1 still to be called\)\./)
})

test('a store that is not held says so', async () => {
  assert.match((await house.run('accept-restore', '--yes')).out, /is not held/)
})

// The command line: one call to one person, and a batch from several numbers.
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type RunningApp, runningApp } from './running-app.ts'

let house: RunningApp
let list: string

before(async () => {
  house = await runningApp()
  list = join(house.dir, 'people.csv')
  await writeFile(list, 'name,phone\nAda,+12025550190\n')
})
after(() => house.close())

test('ring calls one person with variables, and the same again is the same call', async () => {
  const args = ['ring', '+12125550190', '--agent', 'ann', '--variable', 'name=Ann', 'why=a=b']
  const first = await house.run(...args, '-o', 'json')
  assert.equal(first.failure, null)
  const { id, batchId } = JSON.parse(first.out)
  const { app } = house
  const [person] = await app.deps.store.listRecipients(app.workspaceId, batchId, {}, { limit: 2 })
  assert.deepEqual([person?.id, person?.variables], [id, { name: 'Ann', why: 'a=b' }])
  const again = await house.run(...args)
  assert.match(again.out, new RegExp(`^Call ${id}: `))
  assert.match(again.err, /nobody is rung twice/)
})

test('ring says what is wrong', async () => {
  const wrong = async (...args: string[]) => (await house.run('ring', ...args, '--agent', 'ann')).failure
  assert.match(String(await wrong('12')), /invalid phone number/)
  assert.match(String(await wrong('+12125550290', '--variable', 'name')), /--variable must look like/)
})

test('a batch is called from several numbers, or from all of a trunk', async () => {
  const { app } = house
  const { store } = app.deps
  const [first] = await store.listPhoneNumbers(app.workspaceId, { limit: 1 })
  const { aliases: _a, id: _, restingUntil: _r, ...rest } = first!
  const second = await store.createPhoneNumber({ ...rest, e164: '+12025550177', aliases: [] })
  const both = [first!.id, second.id]
  const draft = async (...args: string[]) =>
    JSON.parse((await house.run('call', list, '--agent', 'ann', '--draft', '-o', 'json', ...args)).out)
  const named = await draft('--name', 'named', '--from', second.e164, '--from', String(first!.id))
  assert.deepEqual([named.phoneNumberId, named.phoneNumberIds], [second.id, both])
  const pool = await draft('--name', 'pool', '--from-trunk', String(first!.trunkId))
  assert.deepEqual(pool.phoneNumberIds, both)
})

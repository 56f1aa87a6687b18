// `outdial events`: pages for a script, a stream for whoever stays.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { apiKey, type RunningApp, reasonOf, runningApp } from './running-app.ts'
import { outdial } from './spawned.ts'

let running: RunningApp
before(async () => {
  running = await runningApp()
})
after(() => running.close())

const suppress = (number: string) => {
  const { deps, workspaceId } = running.app
  return deps.store.suppress(workspaceId, [number], 'asked', deps.clock.now())
}

test('events are printed oldest first, by type, behind an id', async () => {
  await suppress('+12025550101')
  await suppress('+12025550102')
  const { out } = await running.run('events', '--type', 'number.suppressed', '-o', 'json')
  const printed = out.split('\n').map(line => JSON.parse(line))
  assert.deepEqual(
    printed.map(({ type, data }) => [type, data.number]),
    [
      ['number.suppressed', '+12025550101'],
      ['number.suppressed', '+12025550102'],
    ],
  )
  const behind = await running.run('events', '--after', String(printed[0].id))
  assert.match(behind.out, /^\S+Z \d+ number\.suppressed number=\+12025550102 reason=asked$/)
  assert.equal(reasonOf(await running.run('events', '--type', 'nothing')), 'refused')
})

test('a following shows what happens until Ctrl-C, from the id that was given', async () => {
  const { url } = running.app
  const head = await running.app.deps.store.outboxHead()
  await suppress('+12025550103')
  const env = { OUTDIAL_URL: url, OUTDIAL_API_KEY: apiKey }
  const command = outdial(['events', '--follow', '--after', String(head), '-o', 'json'], env)
  await command.line(/\+12025550103/)
  await suppress('+12025550104')
  await command.line(/\+12025550104/)
  assert.deepEqual(
    command.out.map(line => JSON.parse(line).data.number),
    ['+12025550103', '+12025550104'],
  )
  command.child.kill('SIGINT')
  assert.equal(await command.exit, 0)
})

test('a following that is refused says so', async () => {
  const ran = await running.run('events', '--follow', '--type', 'nothing')
  assert.equal(reasonOf(ran), 'refused')
})

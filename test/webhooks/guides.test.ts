// The guides as they are printed: the receiver verifies, the commands work, and every event type is in the table.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { eventTypes } from '../../src/domain/event.ts'
import { outdialWebhook } from '../../src/http/api/outdial-webhook.ts'
import { spawned } from '../cli/spawned.ts'
import { openWorkspace } from '../dialects/house.ts'
import { openListeningHouse } from '../dialects/listening-house.ts'
import { missingFor, runSample } from '../dialects/run-sample.ts'
import { Receiver } from './receiver.ts'

const guide = (name: string) => readFileSync(join(import.meta.dirname, `../../docs/guide/${name}.md`), 'utf8')
const blocks = (page: string, language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, block]) => block!)

test('the receiver of the guide takes what is ours once, and nothing else', async t => {
  const [code = ''] = blocks(guide('webhooks'), 'js')
  const secret = outdialWebhook.newSecret()
  const port = await freePort()
  const announced = `${code.trim()}.on('listening', () => console.log('listening'))`
  const args = ['--input-type=module', '-e', announced]
  const receiver = spawned(process.execPath, args, { PORT: String(port), WEBHOOK_SECRET: secret })
  t.after(() => receiver.child.kill())
  await receiver.line(/^listening$/)
  const body = JSON.stringify({ type: 'attempt.ended', data: { call: { number: '+12025550101' } } })
  const post = async (id: string, secrets: [string]) => {
    const headers = outdialWebhook.headers({ id, name: 'attempt.ended', at: Date.now(), body, secrets })
    return (await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', headers, body })).status
  }
  assert.equal(await post('evt_1', [secret]), 204)
  assert.equal(await post('evt_1', [secret]), 204)
  assert.equal(await post('evt_2', [outdialWebhook.newSecret()]), 401)
  assert.equal(await post('evt_3', [secret]), 204)
  receiver.child.kill()
  await receiver.exit
  const told = 'attempt.ended +12025550101'
  assert.deepEqual(receiver.out, ['listening', told, told])
})

for (const name of ['webhooks', 'events'])
  test(`every command of the ${name} guide works`, async t => {
    const missing = missingFor('curl')
    if (missing !== null && process.env.CI !== 'true') return t.skip(`${missing} is missing`)
    const { stderr, house } = await runGuide(t, name)
    assert.equal(stderr, '')
    assert.ok(house.answers.length >= 2)
    for (const { status, url, body } of house.answers)
      assert.ok(status === 200 || status === 201, `${url} ${status} ${JSON.stringify(body)}`)
  })

async function runGuide(t: TestContext, name: string) {
  const receiver = await Receiver.open(t)
  const house = await openListeningHouse(t)
  const { key } = await openWorkspace(house.deps)
  const text = blocks(guide(name), 'bash')
    .join('')
    .replaceAll('http://127.0.0.1:8080', house.url)
    .replaceAll('https://example.com/outdial', receiver.url)
  const { stderr } = await runSample('curl', `set -e\n${text}`, name, { OUTDIAL_API_KEY: key })
  return { stderr, house }
}

test('every event is in the guide', () => {
  const page = guide('events')
  for (const type of eventTypes) assert.ok(page.includes(`\`${type}\``), type)
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}

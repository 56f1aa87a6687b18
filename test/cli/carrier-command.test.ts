// `carrier` as a process, and a server that dials through it.
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { outdial } from './spawned.ts'

const key = 'a-key-that-the-operator-chose'

test('a server dials through a carrier of its own process, which logs each dial', async t => {
  const dir = await mkdtemp(join(tmpdir(), 'outdial-carrier-'))
  t.after(() => rm(dir, { recursive: true, force: true }))
  const log = join(dir, 'carrier.log')
  const carrier = outdial(['carrier', '--port', '0', '--log', log], {})
  t.after(() => carrier.child.kill('SIGKILL'))
  const [, address] = await carrier.line(/listens on (127\.0\.0\.1:\d+)$/)
  const env = {
    PORT: '0',
    OUTDIAL_DATA_DIR: join(dir, 'data'),
    OUTDIAL_API_KEY: key,
    OUTDIAL_SIM_CARRIER: address!,
  }
  const server = outdial(['serve'], env)
  t.after(() => server.child.kill('SIGKILL'))
  const [, url] = await server.line(/listens on (http\S+)/)
  const post = (path: string, body: object) =>
    fetch(url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  await post('/api/v1/agents', { name: 'Ann', aliases: ['ann'] })
  await post('/api/v1/phone-numbers', { e164: '+12025550100', agentId: 'ann' })
  await post('/api/v1/batches', {
    agentId: 'ann',
    recipients: [{ phone: '+12025550190' }, { phone: '+12125550192' }],
  })
  // A line that is still being written has no end yet.
  const logged = async () =>
    (await readFile(log, 'utf8'))
      .split('\n')
      .slice(0, -1)
      .map(line => JSON.parse(line))
  let lines = await logged()
  while (
    lines.filter(({ what }) => what === 'dial').length < 2 ||
    !lines.some(({ what }) => what === 'answer')
  ) {
    await fetch(`${url}/healthz`)
    lines = await logged()
  }
  assert.deepEqual(
    lines
      .filter(({ what }) => what === 'dial')
      .map(({ number }) => number)
      .sort(),
    ['+12025550190', '+12125550192'],
  )
  server.child.kill('SIGTERM')
  assert.equal(await server.exit, 0)
  carrier.child.kill('SIGTERM')
  assert.equal(await carrier.exit, 0)
})

test('a carrier without a log is wrong usage, and one whose port is taken does not start', async t => {
  assert.equal(await outdial(['carrier'], {}).exit, 2)
  const dir = await mkdtemp(join(tmpdir(), 'outdial-carrier-'))
  t.after(() => rm(dir, { recursive: true, force: true }))
  const first = outdial(['carrier', '--port', '0', '--log', join(dir, 'one.log')], {})
  t.after(() => first.child.kill('SIGKILL'))
  const [, port] = await first.line(/:(\d+)$/)
  const second = outdial(['carrier', '--port', port!, '--log', join(dir, 'two.log')], {})
  assert.equal(await second.exit, 1)
  assert.match(second.err.join('\n'), /does not start/)
})

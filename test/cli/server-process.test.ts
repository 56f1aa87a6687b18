// `serve` as a process: what it says, who may join it, and how it ends.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { outdial, type Spawned } from './spawned.ts'

async function emptyDir(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'outdial-serve-'))
  t.after(() => rm(dir, { recursive: true, force: true }))
  return dir
}

function serve(t: TestContext, dir: string, env: Record<string, string> = {}): Spawned {
  const server = outdial(['serve'], { PORT: '0', OUTDIAL_DATA_DIR: dir, OUTDIAL_LOG_LEVEL: 'warn', ...env })
  t.after(() => server.child.kill('SIGKILL'))
  return server
}

const addressOf = async (server: Spawned) => (await server.line(/listens on (http\S+)/))[1]!

async function api(url: string, key: string, path: string, body?: object): Promise<Record<string, unknown>> {
  const response = await fetch(url + path, {
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  })
  assert.ok(response.ok, `${path} answered ${response.status}`)
  return (await response.json()) as Record<string, unknown>
}

/** Somebody whose telephone rings until we hang up. */
async function callSomebodyWhoNeverAnswers(url: string, key: string): Promise<void> {
  await api(url, key, '/api/v1/agents', { name: 'Ann', aliases: ['ann'] })
  await api(url, key, '/api/v1/phone-numbers', { e164: '+12025550100', agentId: 'ann' })
  await api(url, key, '/api/v1/batches', { agentId: 'ann', recipients: [{ phone: '+12025550182' }] })
  for (let open = 0; open === 0; ) {
    const metrics = await (await fetch(`${url}/metrics`)).text()
    open = Number(/^outdial_open_attempts (\d+)/m.exec(metrics)![1])
  }
}

test('the first start prints a key that works, later ones print none, and SIGTERM ends with 0', async t => {
  const dir = await emptyDir(t)
  const first = serve(t, dir)
  const [, key] = await first.line(/shown only this once\): (od_\S+)/)
  const workspace = await api(await addressOf(first), key!, '/api/v1/workspace')
  assert.equal(workspace.name, 'demo')
  first.child.kill('SIGTERM')
  assert.equal(await first.exit, 0)
  assert.deepEqual(first.err, ['Stopping: no more calls are placed.', 'Stopped.'])

  const second = serve(t, dir)
  await api(await addressOf(second), key!, '/api/v1/workspace')
  second.child.kill('SIGINT')
  assert.equal(await second.exit, 0)
  assert.doesNotMatch(second.out.join(), /od_/)
})

test('a key that is set is not printed, and it works', async t => {
  const key = 'a-key-that-the-operator-chose'
  const server = serve(t, await emptyDir(t), { OUTDIAL_API_KEY: key })
  await api(await addressOf(server), key, '/api/v1/workspace')
  assert.doesNotMatch([...server.out, ...server.err].join(), new RegExp(key))
})

test('a second server on the same data directory is told who holds it, and a killed one holds it no more', async t => {
  const dir = await emptyDir(t)
  const first = serve(t, dir)
  const url = await addressOf(first)
  const second = serve(t, dir)
  assert.equal(await second.exit, 1)
  assert.match(second.err.join('\n'), new RegExp(`in use by process ${first.child.pid}.*${url}`))
  first.child.kill('SIGKILL')
  await first.exit
  await addressOf(serve(t, dir))
})

test('a port that is taken is named, and costs no key', async t => {
  const dir = await emptyDir(t)
  const other = createServer().listen(0, '127.0.0.1')
  t.after(() => other.close())
  await new Promise(resolve => other.once('listening', resolve))
  const { port } = other.address() as { port: number }
  const server = serve(t, dir, { PORT: String(port) })
  assert.equal(await server.exit, 1)
  assert.match(
    server.err.join('\n'),
    new RegExp(`Port ${port} on 127\\.0\\.0\\.1 is in use.*PORT=${port + 1}`),
  )
  await serve(t, dir).line(/shown only this once/)
})

test('a configuration with problems ends with 2, all of them listed', async t => {
  const server = serve(t, await emptyDir(t), { PORT: 'eighty', OUTDIAL_MAX_ROWS: '0' })
  assert.equal(await server.exit, 2)
  assert.deepEqual(server.err, [
    'The configuration has 2 problems:',
    '  PORT: must be a number',
    '  OUTDIAL_MAX_ROWS: must be at least 1',
  ])
})

test('SIGTERM hangs up what still rings when the grace is over, and ends with 0', async t => {
  const key = 'a-key-that-the-operator-chose'
  const server = serve(t, await emptyDir(t), { OUTDIAL_API_KEY: key, OUTDIAL_SHUTDOWN_GRACE_MS: '0' })
  await callSomebodyWhoNeverAnswers(await addressOf(server), key)
  server.child.kill('SIGTERM')
  assert.equal(await server.exit, 0)
})

test('while calls end the server answers and is not ready; another signal ends it at once, an echo does not', async t => {
  const key = 'a-key-that-the-operator-chose'
  const server = serve(t, await emptyDir(t), { OUTDIAL_API_KEY: key, OUTDIAL_SHUTDOWN_GRACE_MS: '600000' })
  const url = await addressOf(server)
  await callSomebodyWhoNeverAnswers(url, key)
  server.child.kill('SIGINT')
  server.child.kill('SIGINT')
  await server.line(/1 calls? may go on for 600 s/)
  assert.equal((await fetch(`${url}/readyz`)).status, 503)
  assert.equal((await fetch(`${url}/healthz`)).status, 200)
  // Again and again, with a question in between, until it is late enough to be no echo.
  while (server.child.exitCode === null) {
    server.child.kill('SIGINT')
    await fetch(`${url}/healthz`).catch(() => null)
  }
  assert.equal(await server.exit, 130)
})

test('a client that never finishes its request does not keep the server from ending', async t => {
  const key = 'a-key-that-the-operator-chose'
  const server = serve(t, await emptyDir(t), { OUTDIAL_API_KEY: key })
  const { port } = new URL(await addressOf(server))
  const client = connect(Number(port), '127.0.0.1')
  t.after(() => client.destroy())
  client.on('error', () => {})
  client.write(
    `POST /api/v1/batches HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\nexpect: 100-continue\r\n` +
      'content-type: multipart/form-data; boundary=b\r\ncontent-length: 1000\r\n\r\n',
  )
  // 100 Continue: the server has begun to read the form.
  await new Promise(resolve => client.once('data', resolve))
  client.write('--b\r\n')
  server.child.kill('SIGTERM')
  assert.equal(await server.exit, 0)
})

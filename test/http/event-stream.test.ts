// The outbox over HTTP: pages that go on where the last one ended, and a stream that does the same and never ends.
import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { heartbeatMs, maxStreamsPerWorkspace } from '../../src/http/api/event-stream.ts'
import { VirtualClock } from '../../src/runtime/virtual-clock.ts'
import { type RunningServer, runServer } from './running-server.ts'

const startAt = Date.UTC(2030, 0, 1)

interface StreamEvent {
  id?: string
  event?: string
  data?: { id: number; type: string; batchId: number | null; data: { number?: string } }
}

/** A server on a port. `suppress`: one event each. */
async function listening(t: TestContext, overrides: Parameters<typeof runServer>[1] = {}) {
  const server = await runServer(t, overrides)
  const base = await server.app.listen({ host: '127.0.0.1', port: 0 })
  return { ...server, base, suppress: (count: number, from = 0) => suppress(server, count, from) }
}

async function suppress({ store, workspace }: RunningServer, count: number, from: number) {
  const numbers = Array.from({ length: count }, (_, index) => `+1202555${1_000 + from + index}`)
  await store.suppress(workspace.id, numbers, 'asked', startAt)
}

/** Opens a stream; `next` gives its messages one by one, null at its end. */
async function open(
  { base, key }: { base: string; key: string },
  query = '',
  headers: Record<string, string> = {},
) {
  const stop = new AbortController()
  const response = await fetch(`${base}/api/v1/events${query}`, {
    headers: { authorization: `Bearer ${key}`, accept: 'text/event-stream', ...headers },
    signal: stop.signal,
  })
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  const raw = async (): Promise<string | null> => {
    for (let end = text.indexOf('\n\n'); ; end = text.indexOf('\n\n')) {
      if (end >= 0) {
        const message = text.slice(0, end)
        text = text.slice(end + 2)
        return message
      }
      const { done, value } = await reader.read()
      if (done) return null
      text += value
    }
  }
  const next = async (): Promise<StreamEvent | null> => {
    const message = await raw()
    return message === null ? null : parse(message)
  }
  return { response, raw, next, stop: () => stop.abort(), first: await raw() }
}

function parse(message: string): StreamEvent {
  const fields = message.split('\n').map(line => line.split(/: (.*)/s))
  const { data, ...rest } = Object.fromEntries(fields) as Record<string, string>
  return data === undefined ? rest : { ...rest, data: JSON.parse(data) }
}

test('pages go on where the last one ended, whatever is filtered', async t => {
  const server = await runServer(t)
  await suppress(server, 5, 0)
  await server.store.updateWorkspace(server.workspace.id, { name: 'new' }, startAt)
  const page = async (query: string) => (await server.send('GET', `/api/v1/events?${query}`)).json()
  const first = await page('limit=2')
  assert.deepEqual([first.data.length, first.nextCursor], [2, '2'])
  const second = await page(`limit=500&cursor=${first.nextCursor}`)
  assert.deepEqual([second.data.length, second.nextCursor], [4, null])
  assert.deepEqual((await page(`limit=500&after=${first.nextCursor}`)).data, second.data)
  const updated = await page('type=workspace.updated,workspace.stopped')
  assert.deepEqual(
    updated.data.map(({ type }: { type: string }) => type),
    ['workspace.updated'],
  )
  assert.deepEqual((await page('batchId=7')).data, [])
  for (const bad of ['type=call.ended', 'batchId=x', 'after=-1', 'cursor=x'])
    assert.equal((await page(bad)).code, 'invalid_request', bad)
})

test('a stream tells what happens from now on, each event with its id and type', async t => {
  const server = await listening(t)
  await server.suppress(3)
  const stream = await open(server)
  assert.equal(stream.response.headers.get('content-type'), 'text/event-stream; charset=utf-8')
  assert.match(stream.first ?? '', /^retry: \d+\nid: 3$/)
  await server.suppress(1, 3)
  const { id, event, data } = (await stream.next())!
  assert.deepEqual([id, event, data?.id, data?.data.number], ['4', 'number.suppressed', 4, '+12025551003'])
  stream.stop()
})

test('a stream is resumed by the last id that was seen, in the header before the address', async t => {
  const server = await listening(t)
  await server.suppress(600)
  for (const [query, headers] of [
    ['?after=0', {}],
    ['?after=590', { 'last-event-id': '0' }],
  ] as const) {
    const stream = await open(server, query, headers)
    for (let id = 1; id <= 600; id++) assert.equal((await stream.next())?.id, String(id))
    stream.stop()
  }
  const bad = await server.send('GET', '/api/v1/events', {
    headers: { accept: 'text/event-stream', 'last-event-id': 'nonsense' },
  })
  assert.equal(bad.json().code, 'invalid_request')
})

test('a stream is filtered by type and batch', async t => {
  const server = await listening(t)
  const [byType, byBatch] = [await open(server, '?type=workspace.stopped'), await open(server, '?batchId=9')]
  await server.suppress(2)
  await server.store.setWorkspaceStopped(server.workspace.id, true, startAt)
  assert.equal((await byType.next())?.event, 'workspace.stopped')
  await server.app.close()
  assert.equal(await byBatch.next(), null)
})

test('streams end with the server, at once', async t => {
  const server = await listening(t)
  const streams = await Promise.all([open(server), open(server), open(server)])
  await server.app.close()
  assert.deepEqual(await Promise.all(streams.map(stream => stream.next())), [null, null, null])
})

test('a stream without news says now and then that it is alive, and where it stands', async t => {
  const clock = new VirtualClock(startAt)
  const server = await listening(t, { clock })
  const stream = await open(server, '?type=workspace.stopped')
  await server.suppress(3)
  for (let beat = 0; beat < 3; beat++) {
    const heard = stream.raw()
    await clock.run({ until: clock.now() + heartbeatMs + 1_000 })
    assert.equal(await heard, ': still here\nid: 3')
  }
  stream.stop()
})

test('a workspace has so many streams and no more, another one its own', async t => {
  const server = await listening(t)
  const streams = await Promise.all(Array.from({ length: maxStreamsPerWorkspace }, () => open(server)))
  const accept = { accept: 'text/event-stream' }
  const refused = await server.send('GET', '/api/v1/events', { headers: accept })
  assert.deepEqual([refused.statusCode, refused.json().code], [429, 'too_many_streams'])
  assert.equal((await server.send('GET', '/api/v1/events')).statusCode, 200, 'pages are read all the same')
  const other = await open({ base: server.base, key: await server.otherKey() })
  assert.equal(other.response.status, 200)
  const [first] = streams
  first!.stop()
  // The place is free as soon as the server has seen the end.
  let again = await open(server)
  while (again.response.status === 429) again = await open(server)
  assert.equal(again.response.status, 200)
})

test('a reader that takes nothing is not read for: nothing piles up behind it', async t => {
  const server = await listening(t)
  const { store } = server
  let reads = 0
  const { readOutbox } = store
  store.readOutbox = (filter, page) => {
    reads++
    return readOutbox(filter, page)
  }
  for (let from = 0; from < 60_000; from += 10_000) {
    const now = startAt + from
    await Promise.all(
      Array.from({ length: 10_000 }, () =>
        store.updateWorkspace(server.workspace.id, { name: 'x'.repeat(200) }, now),
      ),
    )
  }
  const { socket, opened } = rawStream(t, server)
  await opened
  socket.pause()
  // It has read what the sockets' buffers hold, and stands still: further events make it read no more.
  let before = -1
  while (reads !== before) {
    before = reads
    for (let turn = 0; turn < 50; turn++) await new Promise(resolve => setImmediate(resolve))
  }
  assert.ok(reads < 60_000 / 200, `${reads} pages of 300 were read`)
  await server.suppress(500)
  for (let turn = 0; turn < 50; turn++) await new Promise(resolve => setImmediate(resolve))
  assert.equal(reads, before)
})

/** A client on a bare socket, since `fetch` reads ahead. */
function rawStream(t: TestContext, { base, key }: { base: string; key: string }) {
  const { hostname, port } = new URL(base)
  const socket: Socket = connect(Number(port), hostname)
  t.after(() => socket.destroy())
  socket.write(
    `GET /api/v1/events?after=0 HTTP/1.1\r\nhost: ${hostname}\r\nauthorization: Bearer ${key}\r\naccept: text/event-stream\r\n\r\n`,
  )
  return { socket, opened: new Promise<void>(resolve => socket.once('data', () => resolve())) }
}

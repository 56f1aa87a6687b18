// One POST: to the address that was checked, no further than it was sent, and never endless.
import assert from 'node:assert/strict'
import type { LookupAddress } from 'node:dns'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { realClock } from '../../src/runtime/clock.ts'
import { guardedLookup } from '../../src/webhooks/guarded-lookup.ts'
import { openSender, type SenderOptions } from '../../src/webhooks/sender.ts'
import { Receiver } from './receiver.ts'

const headers = { 'content-type': 'application/json', 'x-test': '1' }

function senderFor(t: TestContext, options: Partial<SenderOptions> = {}) {
  const sender = openSender({ clock: realClock, allowPrivate: true, ...options })
  t.after(() => sender.close())
  return (url: string, timeoutMs = 5_000) => sender.send({ url, headers, body: '{"a":"ü"}', timeoutMs })
}

test('the body arrives byte for byte, the first kilobyte of the answer is kept', async t => {
  const receiver = await Receiver.open(t)
  receiver.answer = () => ({ status: 418, body: `${'é'.repeat(511)}\0${'z'.repeat(9_000)}` })
  const answer = await senderFor(t)(receiver.url)
  assert.equal(receiver.received[0]?.body, '{"a":"ü"}')
  assert.equal(receiver.received[0]?.headers['x-test'], '1')
  assert.deepEqual([answer.status, answer.error], [418, null])
  assert.equal(answer.response, `${'é'.repeat(511)}z`, 'without the NUL')
})

test('a redirect is an answer and is not followed', async t => {
  const [receiver, other] = [await Receiver.open(t), await Receiver.open(t)]
  receiver.answer = () => ({ status: 302, headers: { location: other.url } })
  assert.equal((await senderFor(t)(receiver.url)).status, 302)
  assert.deepEqual(other.received, [])
})

test('an answer that does not end is cut off, and its status stands', async t => {
  const server = createServer((_request, response) => {
    response.writeHead(200)
    const pour = () => {
      while (response.writable && response.write('x'.repeat(16_384)));
    }
    response.on('drain', pour)
    pour()
  }).listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  const answer = await senderFor(t)(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  assert.deepEqual([answer.status, answer.response?.length], [200, 1_024])
})

test('a receiver that takes the request and says nothing is given up after the time-out', async t => {
  const server = createTcpServer(socket => socket.on('error', () => {})).listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  const answer = await senderFor(t)(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, 50)
  assert.deepEqual([answer.status, answer.error], [null, 'No answer within 50 ms.'])
})

test('nobody there is a failure with its code', async t => {
  const receiver = await Receiver.open(t)
  receiver.kill()
  assert.deepEqual((await senderFor(t)(receiver.url)).error, 'ECONNREFUSED')
})

test('a connection that the receiver closed meanwhile costs no failure', async t => {
  const receiver = await Receiver.open(t)
  const send = senderFor(t)
  await send(receiver.url)
  receiver.kill()
  await receiver.start()
  assert.equal((await send(receiver.url)).status, 204)
})

test('a name that leads to our own network is not connected to, whatever else it leads to', async t => {
  const receiver = await Receiver.open(t)
  const answers: LookupAddress[][] = [
    [{ address: '127.0.0.1', family: 4 }],
    [{ address: '::1', family: 6 }],
    [
      { address: '169.254.169.254', family: 4 },
      { address: '::ffff:127.0.0.1', family: 6 },
    ],
    [],
  ]
  for (const found of answers) {
    const send = senderFor(t, { allowPrivate: false, resolve: async () => found })
    const answer = await send(`http://receiver.example.com:${receiver.port}/`)
    assert.deepEqual([answer.status, answer.error], [null, 'The host has no public address.'])
  }
  assert.deepEqual(receiver.received, [])
})

test('a name is resolved once, and what was checked is what is connected to', async t => {
  const receiver = await Receiver.open(t)
  let asked = 0
  // First a public address (of documentation: nobody is there), then ours: the classic rebinding.
  const resolve = async () => [{ address: asked++ === 0 ? '192.0.2.1' : '127.0.0.1', family: 4 }]
  const answer = await senderFor(t, { resolve })(`http://rebind.example.com:${receiver.port}/`, 50)
  assert.equal(answer.status, null)
  assert.equal(asked, 1)
  assert.deepEqual(receiver.received, [])
})

test('an address in the URL is checked when it is sent to, not only when it was given', async t => {
  const receiver = await Receiver.open(t)
  const send = senderFor(t, { allowPrivate: false })
  for (const host of ['127.0.0.1', '127.1', '2130706433', '[::ffff:127.0.0.1]', 'localhost'])
    assert.match((await send(`http://${host}:${receiver.port}/`)).error ?? '', /not public/, host)
  assert.deepEqual(receiver.received, [])
})

test('of the addresses of a name only the public ones are handed on', async () => {
  const found = ['10.0.0.1', '8.8.8.8', '::1', '2606:4700::1'].map(address => ({
    address,
    family: address.includes(':') ? 6 : 4,
  }))
  const lookup = guardedLookup(async () => found, false)
  const ask = (all: boolean) =>
    new Promise(resolve => lookup('example.com', { all }, (error, ...rest) => resolve([error, ...rest])))
  assert.deepEqual(await ask(true), [
    null,
    [
      { address: '8.8.8.8', family: 4 },
      { address: '2606:4700::1', family: 6 },
    ],
  ])
  assert.deepEqual(await ask(false), [null, '8.8.8.8', 4])
})

// UDP, TCP and their failures on real sockets: what counts as proof that a message never arrived.
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { test } from 'node:test'
import { openTcp } from '../../src/carrier/sip/tcp.ts'
import type { Hop, SendFailure, Transport, TransportEvents } from '../../src/carrier/sip/transport.ts'
import { openUdp } from '../../src/carrier/sip/udp.ts'
import { freePort } from './peers.ts'

const host = '127.0.0.1'
const hop = (protocol: 'udp' | 'tcp', port: number): Hop => ({
  protocol,
  address: host,
  port,
  serverName: '',
})
const message = (body: string) => `MESSAGE sip:x SIP/2.0\r\nContent-Length: ${body.length}\r\n\r\n${body}`

/** Collects what arrives; `next` waits for it. */
function inbox() {
  const waiting: ((got: { text: string; from: Hop }) => void)[] = []
  const got: { text: string; from: Hop }[] = []
  const flaws: string[] = []
  const events: TransportEvents = {
    received(bytes, from) {
      const entry = { text: bytes.toString('utf8'), from }
      const waiter = waiting.shift()
      if (waiter === undefined) got.push(entry)
      else waiter(entry)
    },
    flawed: what => void flaws.push(what),
  }
  const next = () =>
    new Promise<{ text: string; from: Hop }>(resolve => {
      const entry = got.shift()
      if (entry === undefined) waiting.push(resolve)
      else resolve(entry)
    })
  return { events, next, flaws }
}

function sendAndFail(transport: Transport, to: Hop): Promise<SendFailure> {
  return new Promise(resolve => transport.send(message('x'), to, resolve))
}

test('UDP: a closed port is proof, from the first packet on and for each', async t => {
  const udp = await openUdp({ host, port: 0 }, inbox().events)
  t.after(() => udp.close())
  const to = hop('udp', await freePort())
  const failures = await Promise.all([sendAndFail(udp, to), sendAndFail(udp, to), sendAndFail(udp, to)])
  for (const failure of failures) assert.deepEqual(failure, { isProof: true, reason: 'ECONNREFUSED' })
})

test('UDP: a port that closes after it has answered is proof only for what came later', async t => {
  const box = inbox()
  const udp = await openUdp({ host, port: 0 }, box.events)
  t.after(() => udp.close())
  const peer = createSocket('udp4')
  peer.bind(0, host)
  await once(peer, 'listening')
  const to = hop('udp', peer.address().port)
  const heard: string[] = []
  udp.send(message('first'), to, () => heard.push('first'))
  const [bytes, from] = (await once(peer, 'message')) as [Buffer, { port: number }]
  assert.match(bytes.toString(), /first/)
  assert.equal(from.port, udp.localPort)
  peer.send(message('answer'), udp.localPort, host)
  await box.next()
  peer.close()
  await once(peer, 'close')
  await sendAndFail(udp, to)
  assert.deepEqual(heard, [])
})

test('UDP: an address that no way leads to is proof, now and the next time', async t => {
  const udp = await openUdp({ host, port: 0 }, inbox().events)
  t.after(() => udp.close())
  // A socket of IPv4 has no way to IPv6.
  const to: Hop = { protocol: 'udp', address: '::1', port: 5_060, serverName: '' }
  for (let turn = 0; turn < 2; turn++) {
    const { isProof, reason } = await sendAndFail(udp, to)
    assert.deepEqual([isProof, /^E[A-Z]+$/.test(reason)], [true, true])
  }
})

test('UDP: whoever is not the gateway is heard on the same port', async t => {
  const box = inbox()
  const udp = await openUdp({ host, port: 0 }, box.events)
  const other = createSocket('udp4')
  t.after(async () => {
    other.close()
    await udp.close()
  })
  await sendAndFail(udp, hop('udp', await freePort()))
  other.send(message('stranger'), udp.localPort, host)
  assert.match((await box.next()).text, /stranger/)
})

test('TCP: a connection serves both ways and is used again', async t => {
  const [ours, theirs] = [inbox(), inbox()]
  const one = await openTcp({ host, port: 0 }, ours.events)
  const other = await openTcp({ host, port: 0 }, theirs.events)
  t.after(() => Promise.all([one.close(), other.close()]))
  const to = hop('tcp', other.localPort)
  one.send(message('one'), to, null)
  one.send(message('two'), to, null)
  const first = await theirs.next()
  const second = await theirs.next()
  assert.deepEqual([first.text, second.text, second.from], [message('one'), message('two'), first.from])
  other.send(message('back'), first.from, null)
  assert.equal((await ours.next()).text, message('back'))
})

test('TCP: a refused connection is proof', async t => {
  const tcp = await openTcp({ host, port: 0 }, inbox().events)
  t.after(() => tcp.close())
  const failure = await sendAndFail(tcp, hop('tcp', await freePort()))
  assert.deepEqual(failure, { isProof: true, reason: 'ECONNREFUSED' })
})

test('TCP: a message in pieces is one message, and what is no SIP loses its connection', async t => {
  const box = inbox()
  const tcp = await openTcp({ host, port: 0 }, box.events)
  t.after(() => tcp.close())
  const client = connect(tcp.localPort, host)
  await once(client, 'connect')
  client.setNoDelay(true)
  for (const char of message('in pieces')) await new Promise(resolve => client.write(char, resolve))
  assert.equal((await box.next()).text, message('in pieces'))
  client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  await once(client, 'close')
  assert.deepEqual(box.flaws, ['a stream that is no SIP was closed'])
})

test('TCP: a peer that closes is connected to anew', async t => {
  const tcp = await openTcp({ host, port: 0 }, inbox().events)
  t.after(() => tcp.close())
  const server = createServer()
  server.listen(0, host)
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as { port: number }
  for (let turn = 0; turn < 2; turn++) {
    const connected = once(server, 'connection')
    tcp.send(message(`turn ${turn}`), hop('tcp', port), null)
    const [socket] = (await connected) as [ReturnType<typeof connect>]
    const [bytes] = (await once(socket, 'data')) as [Buffer]
    assert.equal(bytes.toString(), message(`turn ${turn}`))
    const closed = once(socket, 'close')
    socket.destroy()
    await closed
    await untilNoConnection()
  }
})

/** Our side hears of the end in a later turn of the event loop. */
async function untilNoConnection(): Promise<void> {
  while (process.getActiveResourcesInfo().includes('TCPSocketWrap'))
    await new Promise(resolve => setImmediate(resolve))
}

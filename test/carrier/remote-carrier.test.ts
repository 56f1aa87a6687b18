// The carrier in a process of its own, over TCP: what is on disk when, and what a broken connection may not do.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { appendFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { CarrierServer, type LogLine } from '../../src/carrier/simulated/carrier-server.ts'
import { RemoteCarrier } from '../../src/carrier/simulated/remote-carrier.ts'
import { realClock } from '../../src/runtime/clock.ts'
import { BreakableLink } from './breakable-link.ts'
import {
  dialAndRecord,
  newCallId,
  quickSettings,
  simulatedTrunk,
  testCarrier,
} from './carrier-conformance.ts'

const trunk = simulatedTrunk(quickSettings)

function fail(error: unknown): never {
  throw error
}

async function startServer(folder: string, port = 0): Promise<CarrierServer> {
  const logPath = join(folder, 'carrier.log')
  return CarrierServer.start({ port, logPath, seed: 7, clock: realClock, onFailure: fail })
}

const logIn = (folder: string): LogLine[] =>
  readFileSync(join(folder, 'carrier.log'), 'utf8')
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line))

const newFolder = () => mkdtemp(join(tmpdir(), 'outdial-carrier-'))

/** A server, a link to it that can break, and a carrier that dials through the link; all closed when the test ends. */
async function openLinked(t: TestContext) {
  const folder = await newFolder()
  const server = await startServer(folder)
  const link = await BreakableLink.to(server.port)
  const carrier = new RemoteCarrier(link.port, realClock)
  t.after(async () => {
    await carrier.close()
    await link.close()
    await server.close()
    await rm(folder, { recursive: true })
  })
  return { folder, server, link, carrier, trunk }
}

testCarrier('simulated over TCP', async () => {
  const folder = await newFolder()
  const server = await startServer(folder)
  const carrier = new RemoteCarrier(server.port, realClock)
  const close = async () => {
    await carrier.close()
    await server.close()
    await rm(folder, { recursive: true })
  }
  return { carrier, trunk, until: promise => promise, close }
})

test('a dial is on disk before the call rings, and an answer before anybody is told', async t => {
  const linked = await openLinked(t)
  const callId = newCallId()
  const { ringing, answered, ended } = dialAndRecord(linked, '+12025550190', { callId })
  await ringing
  assert.equal(logIn(linked.folder)[0]?.what, 'dial')
  await answered
  const [dial, answer] = logIn(linked.folder)
  assert.deepEqual([dial?.what, answer?.what, answer?.callId], ['dial', 'answer', callId])
  assert.ok('number' in answer! && answer.number === '+12025550190')
  await ended
})

test('a carrier that cannot be reached ends the call as refused, and has no answer to a rescue', async () => {
  const folder = await newFolder()
  const server = await startServer(folder)
  const { port } = server
  await server.close()
  await rm(folder, { recursive: true })
  const carrier = new RemoteCarrier(port, realClock)
  const { heard, ended } = dialAndRecord({ carrier, trunk }, '+12025550190')
  const { evidence } = await ended
  assert.deepEqual([evidence.sipStatus, evidence.phrase], [503, 'the carrier cannot be reached'])
  assert.deepEqual(heard, ['ended'])
  await assert.rejects(carrier.rescue(trunk, ['a', 'b']), /cannot be reached/)
  assert.equal(await carrier.seen(), null)
  await carrier.close()
})

test('calls under way are taken up again when the connection breaks, and heard of once', async t => {
  const linked = await openLinked(t)
  const { call, heard, ringing, ended } = dialAndRecord(linked, '+12025550182')
  await ringing
  linked.link.cut()
  call.hangUp()
  assert.equal((await ended).evidence.sipStatus, 487)
  assert.deepEqual(heard, ['ringing', 'ended'])
  assert.equal(linked.server.seen().dials, 1)
})

test('a call that ended while the connection was broken is reported after it is mended', async t => {
  const linked = await openLinked(t)
  const other = new RemoteCarrier(linked.server.port, realClock)
  t.after(() => other.close())
  const callId = newCallId()
  const { heard, ringing, ended } = dialAndRecord(linked, '+12025550182', { callId })
  await ringing
  linked.link.cut()
  assert.deepEqual(await other.rescue(trunk, [callId]), ['unanswered'])
  assert.equal((await ended).evidence.sipStatus, 487)
  assert.deepEqual(heard, ['ringing', 'ended'])
})

test('a dial that was lost with its connection is not dialled again: the carrier says that it never came', async t => {
  const linked = await openLinked(t)
  await dialAndRecord(linked, '+12025550190').ended
  linked.link.swallows = true
  const swallowed = linked.link.swallowed()
  const callId = newCallId()
  const { ended } = dialAndRecord(linked, '+12025550190', { callId })
  await swallowed
  linked.link.swallows = false
  linked.link.cut()
  const { evidence } = await ended
  assert.deepEqual([evidence.sipStatus, evidence.phrase], [503, 'the call did not reach the carrier'])
  assert.equal(linked.server.seen().dials, 1)
  assert.deepEqual(logIn(linked.folder).at(-1), {
    what: 'withdrawn',
    callId,
    at: logIn(linked.folder).at(-1)!.at,
  })
})

test('calls dialled while an old connection is breaking are placed over the next one', async t => {
  const linked = await openLinked(t)
  await dialAndRecord(linked, '+12025550190').ended
  linked.link.cut()
  const { evidence } = await dialAndRecord(linked, '+12025550192').ended
  assert.ok(evidence.sipStatus === 486 || evidence.phrase === 'the call did not reach the carrier')
})

test('a carrier that was restarted still knows every Call-ID, refuses withdrawn ones and reads past a torn line', async () => {
  const folder = await newFolder()
  let server = await startServer(folder)
  let carrier = new RemoteCarrier(server.port, realClock)
  const [answeredId, ringingId, withdrawnId] = [newCallId(), newCallId(), newCallId()]
  await dialAndRecord({ carrier, trunk }, '+12025550190', { callId: answeredId }).ended
  await dialAndRecord({ carrier, trunk }, '+12025550182', { callId: ringingId }).ringing
  await carrier.rescue(trunk, [withdrawnId])
  await carrier.close()
  await server.close()
  await appendFile(join(folder, 'carrier.log'), '{"what":"dial","callId":"to')

  server = await startServer(folder)
  carrier = new RemoteCarrier(server.port, realClock)
  const asked = [answeredId, ringingId, withdrawnId]
  assert.deepEqual(await carrier.rescue(trunk, asked), ['answered', 'unanswered', 'never-placed'])
  const late = dialAndRecord({ carrier, trunk }, '+12025550190', { callId: withdrawnId })
  assert.equal((await late.ended).evidence.sipStatus, 482)
  const again = dialAndRecord({ carrier, trunk }, '+12025550190', { callId: answeredId })
  assert.equal((await again.ended).evidence.sipStatus, 482)
  assert.equal((await carrier.seen())?.duplicateCallIds, 1)
  await carrier.close()
  await server.close()
  await assert.rejects(async () => logIn(folder), SyntaxError)
  await rm(folder, { recursive: true })
})

test('what the carrier saw is told over the connection', async t => {
  const linked = await openLinked(t)
  await Promise.all([1, 2, 3].map(() => dialAndRecord(linked, '+12025550190').ended))
  const seen = await linked.carrier.seen()
  assert.deepEqual([seen?.dials, seen?.maxConcurrent, seen?.duplicateCallIds], [3, 3, 0])
  assert.deepEqual(seen, linked.server.seen())
})

// The media pool: real sockets on loopback, agents in worker threads, workers that die, and nothing left behind.
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { after, afterEach, before, test } from 'node:test'
import { Worker, type WorkerOptions } from 'node:worker_threads'
import { plainDatagrams } from '../../src/carrier/rtp/datagrams.ts'
import type { LineEvent, MediaLine, MediaPool, OpenLine } from '../../src/carrier/rtp/media.ts'
import { MediaRefused, openMediaPool } from '../../src/carrier/rtp/media-pool.ts'
import { createPacer, type Pacer } from '../../src/carrier/rtp/pacer.ts'
import { pcmToUlaw } from '../../src/media/g711.ts'
import { realClock } from '../../src/runtime/clock.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import { VirtualClock } from '../../src/runtime/virtual-clock.ts'
import { alikeByParts, sweep } from '../media/sound.ts'
import { openTelephone, remoteAt, request, type Telephone } from './telephone.ts'

const clock = realClock
const voice = sweep(8000)
const workerFile = new URL('../../src/carrier/rtp/media-worker.ts', import.meta.url)
let pacer: Pacer
let nextPort = 27_000

before(() => {
  pacer = createPacer({ clock })
})
after(() => pacer.close())

/** A test that fails must not leave threads and ports to the next. */
const cleanUps: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp()
})

interface Opened {
  pool: MediaPool
  threads: Worker[]
  /** Moves the pool's clock. */
  skip(ms: number): void
}

async function openPool(
  settings: { workers?: number; ports?: { first: number; last: number } } = {},
): Promise<Opened> {
  const threads: Worker[] = []
  let skippedMs = 0
  const pool = await openMediaPool({
    clock: { ...clock, now: () => clock.now() + skippedMs },
    logger: silentLogger,
    ports: { first: 26_000, last: 26_198 },
    workers: 2,
    maxLatenessMs: 1000,
    startWorker: () => {
      const worker = new Worker(workerFile)
      threads.push(worker)
      return worker
    },
    ...settings,
  })
  cleanUps.push(() => pool.close())
  return {
    pool,
    threads,
    skip: ms => {
      skippedMs += ms
    },
  }
}

interface EchoCall {
  line: MediaLine
  phone: Telephone
  events: LineEvent[]
  /** Resolves with the line's next event. */
  event: Promise<LineEvent>
}

/** A line of the pool with the echo agent, and a telephone of this thread that talks to it. */
async function echoCall(pool: MediaPool, changes: Partial<OpenLine> = {}): Promise<EchoCall> {
  const events: LineEvent[] = []
  const { promise: event, resolve } = Promise.withResolvers<LineEvent>()
  const line = await pool.open(request(changes), told => {
    events.push(told)
    resolve(told)
  })
  const port = nextPort
  nextPort += 2
  const phone = await openTelephone({ clock, pacer, datagrams: plainDatagrams }, port, {
    srtp: changes.srtp ?? false,
  })
  cleanUps.push(() => phone.line.close())
  line.connect(remoteAt(phone.port, { srtpKey: phone.line.srtpKey }))
  phone.line.connect(remoteAt(line.port, { srtpKey: line.srtpKey }))
  line.answered()
  phone.line.answered()
  return { line, phone, events, event }
}

const hearsItself = async ({ phone }: EchoCall) => {
  const from = phone.frames.length
  phone.leg.play(pcmToUlaw(voice))
  await phone.until(() => phone.frames.length >= from + 90)
  return alikeByParts(voice, phone.heard().subarray(from * 160))
}

for (const srtp of [false, true]) {
  test(`lines of two workers echo what is said to them${srtp ? ' over SRTP' : ''}, keys too`, async () => {
    const { pool } = await openPool()
    const calls = [await echoCall(pool, { srtp }), await echoCall(pool, { srtp })]
    assert.deepEqual(pool.figures(), { openLines: 2, freePorts: 98, workers: 2 })
    const likeness = await Promise.all(calls.map(hearsItself))
    for (const value of likeness) assert.ok(value > 0.9, `likeness ${value}`)
    calls[0]!.phone.leg.pressKeys('42#')
    await calls[0]!.phone.until(() => calls[0]!.phone.keys === '42#')
    const reports = await Promise.all(calls.map(({ line }) => line.close()))
    for (const report of reports) assert.ok(report.packetsReceived > 50 && report.packetsSent > 50)
  })
}

test('two lines of two workers talk to each other', async () => {
  const { pool } = await openPool()
  const one = await pool.open(request(), () => {})
  const other = await pool.open(request(), () => {})
  const listener = await echoCall(pool)
  one.connect(remoteAt(other.port))
  other.connect(remoteAt(one.port))
  one.answered()
  other.answered()
  // A third call measures the time: its frames come at the pace of the line.
  await listener.phone.until(() => listener.phone.frames.length >= 50)
  for (const line of [one, other]) {
    const report = await line.close()
    assert.ok(report.packetsReceived >= 30 && report.packetsSent >= 30)
  }
})

test('a worker that dies takes its own lines down; the others go on, and a new worker takes its place', async () => {
  const { pool, threads } = await openPool()
  const dying = await echoCall(pool)
  const living = await echoCall(pool)
  await threads[0]!.terminate()
  assert.deepEqual(await dying.event, { kind: 'agent-failed', reason: 'the media worker of the call died' })
  assert.ok((await hearsItself(living)) > 0.9)
  assert.deepEqual(living.events, [])
  const report = await dying.line.close()
  assert.equal(report.packetsSent, 0)
  assert.equal(threads.length, 3)
  const again = await echoCall(pool)
  assert.ok((await hearsItself(again)) > 0.9)
  assert.equal(pool.figures().workers, 2)
})

test('a port that another program holds is passed over; when none is free the call is refused', async () => {
  const held = createSocket('udp4')
  await new Promise<void>(resolve => held.bind(26_300, '127.0.0.1', resolve))
  cleanUps.push(() => new Promise<void>(resolve => held.close(resolve)))
  const { pool } = await openPool({ ports: { first: 26_300, last: 26_302 } })
  const line = await pool.open(request(), () => {})
  assert.equal(line.port, 26_302)
  await assert.rejects(
    pool.open(request(), () => {}),
    new MediaRefused('no-port', 'No RTP port is free.'),
  )
  await line.close()
  // It rests first: late packets of the last call are not for the next.
  assert.equal(pool.figures().freePorts, 0)
})

test('an address that is not ours is refused, and its port is free again', async () => {
  const { pool, skip } = await openPool()
  await assert.rejects(
    pool.open(request({ localAddress: '192.0.2.1' }), () => {}),
    (error: MediaRefused) => error.code === 'failed',
  )
  skip(10_000)
  assert.deepEqual(pool.figures(), { openLines: 0, freePorts: 100, workers: 2 })
  await pool.close()
  await assert.rejects(
    pool.open(request(), () => {}),
    (error: MediaRefused) => error.code === 'closed',
  )
})

test('no socket, port or slot is left after ten thousand calls', async () => {
  const { pool, skip } = await openPool()
  for (let round = 0; round < 200; round++) {
    const lines = await Promise.all(Array.from({ length: 50 }, () => pool.open(request(), () => {})))
    for (const [at, line] of lines.entries()) {
      if (at % 2 === 0) line.connect(remoteAt(lines[at + 1]!.port))
      if (at % 3 === 0) line.answered()
    }
    await Promise.all(lines.map(line => line.close()))
    skip(10_000)
  }
  assert.deepEqual(pool.figures(), { openLines: 0, freePorts: 100, workers: 2 })
  for (let port = 26_000; port < 26_200; port++) {
    const probe = createSocket('udp4')
    await new Promise<void>((resolve, reject) => {
      probe.once('error', reject)
      probe.bind({ port, address: '127.0.0.1', exclusive: true }, resolve)
    })
    await new Promise<void>(resolve => probe.close(resolve))
  }
})

test('a pool that is closed hangs up its lines first', async () => {
  const { pool } = await openPool()
  const { line, phone } = await echoCall(pool)
  await phone.until(() => phone.frames.length > 10)
  await pool.close()
  assert.ok((await line.close()).packetsSent > 0)
})

test('a worker that hangs is ended and replaced, and its lines are told', async () => {
  const clock = new VirtualClock(1_700_000_000_000)
  // Opens whatever it is asked to, and never does anything again.
  const hanging = `const { parentPort } = require('node:worker_threads')
    parentPort.postMessage({ kind: 'ready' })
    parentPort.once('message', ({ line }) => {
      parentPort.postMessage({ kind: 'opened', line, srtpKey: null })
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
    })`
  let started = 0
  const pool = await openMediaPool({
    clock,
    logger: silentLogger,
    ports: { first: 26_000, last: 26_198 },
    workers: 1,
    startWorker: () =>
      new Worker(started++ === 0 ? hanging : workerFile, { eval: started === 1 } as WorkerOptions),
  })
  cleanUps.push(() => pool.close())
  const { promise: event, resolve } = Promise.withResolvers<LineEvent>()
  const line = await pool.open(request(), resolve)
  await clock.run({ until: clock.now() + 4000 })
  await assert.rejects(
    pool.open(request(), () => {}),
    (error: MediaRefused) => error.code === 'overloaded',
  )
  await clock.run({ until: clock.now() + 10_000 })
  assert.equal((await event).kind, 'agent-failed')
  await line.close()
  assert.deepEqual([started, pool.figures().openLines], [2, 0])
})

test('RTP ports of the kernel or odd ones are no range', async () => {
  for (const ports of [
    { first: 20_001, last: 20_100 },
    { first: 32_000, last: 40_000 },
    { first: 20_000, last: 19_000 },
  ]) {
    await assert.rejects(openPool({ ports }), /RTP ports must begin/)
  }
})

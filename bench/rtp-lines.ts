// How many two-way RTP lines with the echo agent do two cores carry before packets come later than 5 ms (p99)?
//
// The product: media pool, jitter buffers, agents and playback in worker threads, two sockets a line. Judged by another
// process's clock (rtp-peer.ts) on a sample of lines; SIPp sends the rest of the lines their audio back. The yardstick, in
// the same run and against the same two peers: worker threads whose sockets send and receive, and do nothing else.
//
// node bench/rtp-lines.ts [first lines] [step] [most lines] [workers]
import { type ChildProcess, fork, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { openMediaPool } from '../src/carrier/rtp/media-pool.ts'
import { realClock } from '../src/runtime/clock.ts'
import { silentLogger } from '../src/runtime/logger.ts'
import type { FromBare, ToBare } from './bare-lines.ts'
import type { FromPeer, ToPeer } from './rtp-peer.ts'

const [first = 100, step = 100, most = 1000, threads = 2] = process.argv.slice(2).map(Number)
const sampled = 20
const maxLateMs = 5
/** After lines were opened: their first packets, and code that runs for the first time, are not what is asked. */
const settleMs = 2500
/** The middle one of several windows: one burst of another program decides nothing. */
const windows = 3
const measureMs = 2000
const sippMediaPort = 17_900

interface Lines {
  /** Opens one more line; returns its port. */
  open(): Promise<number>
  connect(port: number, to: number): void
  /** What the lines themselves say. */
  latenessMs(): number | null
  close(): Promise<void>
}

if (spawnSync('sipp', ['-v']).error !== undefined)
  throw new Error('this benchmark needs sipp (Debian: sip-tester)')
const bare = await ramp('bare sockets', openBare)
const product = await ramp('outdial', openProduct)
console.log(
  `largest with p99 at most ${maxLateMs} ms: outdial ${product} lines, bare sockets ${bare}, ` +
    `ratio ${(product / bare).toFixed(2)}`,
)

async function ramp(name: string, openLines: () => Promise<Lines>): Promise<number> {
  const lines = await openLines()
  const peer = fork(new URL('./rtp-peer.ts', import.meta.url))
  const sipp = spawn(
    'sipp',
    [
      '-sn',
      'uas',
      '-i',
      '127.0.0.1',
      '-p',
      '17890',
      '-mi',
      '127.0.0.1',
      '-mp',
      String(sippMediaPort),
      '-rtp_echo',
      '-nostdin',
    ],
    { stdio: 'ignore' },
  )
  try {
    await openSample(lines, peer)
    let open = sampled
    let largest = 0
    for (let wanted = first; wanted <= most; wanted += step) {
      for (; open < wanted; open++) lines.connect(await lines.open(), sippMediaPort)
      const figures = await measure(peer)
      const own = lines.latenessMs()
      console.log(
        `${name}: ${wanted} lines, p99 ${figures.p99Ms.toFixed(2)} ms late by the peer's clock` +
          `${own === null ? '' : ` (${own.toFixed(2)} by our own)`}, ${figures.cores.toFixed(2)} cores, ${figures.lost} of ${figures.packets} lost`,
      )
      if (figures.p99Ms > maxLateMs) break
      largest = wanted
    }
    return largest
  } finally {
    peer.disconnect()
    sipp.kill('SIGKILL')
    await lines.close()
  }
}

async function openSample(lines: Lines, peer: ChildProcess): Promise<void> {
  const linePorts: number[] = []
  for (let line = 0; line < sampled; line++) linePorts.push(await lines.open())
  tell(peer, { kind: 'open', linePorts })
  const opened = await hear(peer)
  if (opened.kind !== 'opened') throw new Error('the peer did not open its lines')
  for (const [line, port] of linePorts.entries()) lines.connect(port, opened.ports[line]!)
}

interface Measured {
  p99Ms: number
  lost: number
  packets: number
  /** Cores that the lines' process kept busy. */
  cores: number
}

async function measure(peer: ChildProcess): Promise<Measured> {
  await pause(settleMs)
  const measured: Measured[] = []
  for (let count = 0; count < windows; count++) measured.push(await measureOnce(peer))
  return measured.sort((one, other) => one.p99Ms - other.p99Ms)[windows >> 1]!
}

async function measureOnce(peer: ChildProcess): Promise<Measured> {
  const before = process.cpuUsage()
  tell(peer, { kind: 'start' })
  await pause(measureMs)
  tell(peer, { kind: 'stop' })
  const timed = await hear(peer)
  if (timed.kind !== 'timed') throw new Error('the peer did not time its lines')
  const { user, system } = process.cpuUsage(before)
  return { ...timed, cores: (user + system) / 1000 / measureMs }
}

async function openProduct(): Promise<Lines> {
  const ports = { first: 20_000, last: 24_000 }
  const pool = await openMediaPool({
    clock: realClock,
    logger: silentLogger,
    ports,
    workers: threads,
    maxLatenessMs: Number.POSITIVE_INFINITY,
  })
  const lines = new Map<number, Awaited<ReturnType<typeof pool.open>>>()
  return {
    async open() {
      const line = await pool.open(
        {
          callId: `bench-${lines.size}`,
          from: '+12025550100',
          to: '+12025550101',
          variables: {},
          agent: { kind: 'echo' },
          localAddress: '127.0.0.1',
          recordingPath: null,
          machine: 'off',
          srtp: false,
          rtpTimeoutMs: 60_000,
        },
        event => console.log('a line told', event),
      )
      lines.set(line.port, line)
      return line.port
    },
    connect(port, to) {
      const line = lines.get(port)!
      line.connect({
        address: '127.0.0.1',
        port: to,
        codec: 'PCMU',
        payloadType: 0,
        telephoneEventType: 101,
        srtpKey: null,
        direction: 'sendrecv',
      })
      line.answered()
    },
    latenessMs: () => pool.latenessMs(),
    close: () => pool.close(),
  }
}

async function openBare(): Promise<Lines> {
  const workers = Array.from(
    { length: threads },
    () => new Worker(new URL('./bare-lines.ts', import.meta.url)),
  )
  const lineAt = new Map<number, number>()
  const say = (line: number, message: ToBare) => workers[line % threads]!.postMessage(message)
  return {
    async open() {
      const line = lineAt.size
      say(line, { kind: 'open', line })
      const [opened] = (await once(workers[line % threads]!, 'message')) as [FromBare]
      lineAt.set(opened.port, line)
      return opened.port
    },
    connect: (port, to) => say(lineAt.get(port)!, { kind: 'connect', line: lineAt.get(port)!, port: to }),
    latenessMs: () => null,
    async close() {
      await Promise.all(workers.map(worker => worker.terminate()))
    },
  }
}

function tell(peer: ChildProcess, message: ToPeer): void {
  peer.send(message)
}

async function hear(peer: ChildProcess): Promise<FromPeer> {
  const [message] = (await once(peer, 'message')) as [FromPeer]
  return message
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => realClock.at(realClock.now() + ms, resolve))
}

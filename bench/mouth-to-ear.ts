// How much delay does Outdial add between a person's mouth and ear? The echo agent says back what it hears: packets go out
// with a mark of their own, and the time until the mark comes back is the jitter buffer, the agent, the queue and the pacer,
// in both directions. The yardstick, in the same run: SIPp, which sends packets back as they are.
//
// node bench/mouth-to-ear.ts [lines] [jitter of the network, ms]
import { spawn, spawnSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { openMediaPool } from '../src/carrier/rtp/media-pool.ts'
import { writeRtp } from '../src/carrier/rtp/packet.ts'
import { realClock } from '../src/runtime/clock.ts'
import { silentLogger } from '../src/runtime/logger.ts'
import { seededRandom } from '../src/runtime/random.ts'
import { waitFor } from '../src/runtime/wait.ts'
import { median, printSpread, spreadOf } from './figures.ts'

const [lines = 20, jitterMs = 0] = process.argv.slice(2).map(Number)
const aimMs = 60
const frameMs = 20
const headerBytes = 12
const frameBytes = 160
const seconds = 10
/** Jitter buffers settle first. */
const settleFrames = 100
const sippMediaPort = 17_700

if (spawnSync('sipp', ['-v']).error !== undefined)
  throw new Error('this benchmark needs sipp (Debian: sip-tester)')
const bare = await measureSipp()
const ours = await measureProduct()
console.log(`network jitter ${jitterMs} ms, ${lines} lines, ${seconds} s`)
console.log(`SIPp's echo: ${printSpread(spreadOf(bare))}`)
console.log(`Outdial's echo agent: ${printSpread(spreadOf(ours))}`)
console.log(
  `added by Outdial, both directions together: ${(median(ours) - median(bare)).toFixed(1)} ms (aim: under ${aimMs})`,
)

async function measureSipp(): Promise<number[]> {
  const where = ['-i', '127.0.0.1', '-p', '17690', '-mi', '127.0.0.1', '-mp', String(sippMediaPort)]
  const sipp = spawn('sipp', ['-sn', 'uas', ...where, '-rtp_echo', '-nostdin'], { stdio: 'ignore' })
  try {
    await waitFor(realClock, 1_000)
    return await talk(await openMouth(), sippMediaPort, 0)
  } finally {
    sipp.kill('SIGKILL')
  }
}

async function measureProduct(): Promise<number[]> {
  const pool = await openMediaPool({
    clock: realClock,
    logger: silentLogger,
    ports: { first: 20_000, last: 20_000 + 4 * lines },
    maxLatenessMs: Number.POSITIVE_INFINITY,
  })
  const talks = Array.from({ length: lines }, async (_, index) => {
    const line = await pool.open(
      {
        callId: `bench-${index}`,
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
    const mouth = await openMouth()
    line.connect({
      address: '127.0.0.1',
      port: mouth.port,
      codec: 'PCMU',
      payloadType: 0,
      telephoneEventType: null,
      srtpKey: null,
      direction: 'sendrecv',
    })
    line.answered()
    return talk(mouth, line.port, index)
  })
  const delays = (await Promise.all(talks)).flat()
  await pool.close()
  return delays
}

interface Mouth {
  port: number
  socket: ReturnType<typeof createSocket>
}

async function openMouth(): Promise<Mouth> {
  const socket = createSocket('udp4')
  await new Promise<void>(resolve => socket.bind(0, '127.0.0.1', resolve))
  return { socket, port: socket.address().port }
}

/** Sends a marked frame each 20 ms, by absolute deadlines; returns how long each took to come back, ms. */
async function talk({ socket }: Mouth, to: number, line: number): Promise<number[]> {
  const random = seededRandom(line + 1)
  const sentAt: number[] = []
  const delays: number[] = []
  socket.on('message', packet => {
    // The mark stands throughout the frame, so that a frame cut elsewhere is still known.
    const number = packet.readUInt16BE(headerBytes + (frameBytes >> 1))
    const at = sentAt[number - 0x4000]
    if (at !== undefined && number - 0x4000 >= settleFrames) delays.push(performance.now() - at)
    if (at !== undefined) delete sentAt[number - 0x4000]
  })
  const begin = performance.now()
  for (let frame = 0; frame < (seconds * 1_000) / frameMs; frame++) {
    const due = begin + frame * frameMs + random() * jitterMs
    await waitFor(realClock, Math.max(0, due - performance.now()))
    const packet = Buffer.alloc(headerBytes + frameBytes)
    const payload = Buffer.alloc(frameBytes)
    for (let at = 0; at < frameBytes; at += 2) payload.writeUInt16BE(0x4000 + frame, at)
    const header = {
      payloadType: 0,
      marker: frame === 0,
      sequence: frame,
      timestamp: frame * frameBytes,
      ssrc: 1,
    }
    writeRtp(packet, header, payload)
    sentAt[frame] = performance.now()
    socket.send(packet, to, '127.0.0.1')
  }
  await waitFor(realClock, 300)
  socket.close()
  return delays
}

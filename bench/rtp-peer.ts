// The other side of bench/rtp-lines.ts, a process of its own: sends on a sample of lines and times what comes by its clock.
import { createSocket, type Socket } from 'node:dgram'
import { createPacer } from '../src/carrier/rtp/pacer.ts'
import { writeRtp } from '../src/carrier/rtp/packet.ts'
import { realClock } from '../src/runtime/clock.ts'

export type ToPeer = { kind: 'open'; linePorts: number[] } | { kind: 'start' } | { kind: 'stop' }
export type FromPeer =
  | { kind: 'opened'; ports: number[] }
  | { kind: 'timed'; p99Ms: number; lost: number; packets: number }

const frameMs = 20
const pacer = createPacer({ clock: realClock })
const sockets: Socket[] = []
/** Per line: the sequence number and the time of each packet since `start`. */
let arrivals: { sequence: number; at: number }[][] = []

process.on('message', (message: ToPeer) => {
  if (message.kind === 'open') void open(message.linePorts)
  else if (message.kind === 'start') arrivals = sockets.map(() => [])
  else process.send?.(judge() satisfies FromPeer)
})
process.on('disconnect', () => process.exit())

async function open(linePorts: number[]): Promise<void> {
  const ports = await Promise.all(linePorts.map(openLine))
  process.send?.({ kind: 'opened', ports } satisfies FromPeer)
}

async function openLine(linePort: number, line: number): Promise<number> {
  const socket = createSocket('udp4')
  await new Promise<void>(resolve => socket.bind(0, '127.0.0.1', resolve))
  await new Promise<void>(resolve => socket.connect(linePort, '127.0.0.1', resolve as () => void))
  sockets[line] = socket
  socket.on('error', () => {})
  socket.on('message', packet => {
    arrivals[line]?.push({ sequence: packet.readUInt16BE(2), at: performance.now() })
  })
  const packet = Buffer.alloc(172, 0x55)
  let sequence = 0
  pacer.add(() => {
    const header = {
      payloadType: 0,
      marker: false,
      sequence: sequence & 0xffff,
      timestamp: sequence * 160,
      ssrc: line + 1,
    }
    writeRtp(packet, header, packet.subarray(12))
    sequence++
    socket.send(packet)
  })
  return socket.address().port
}

/** How much later than the most punctual packet of its line, counted in steps of 20 ms, each packet came. */
function judge(): FromPeer {
  const late: number[] = []
  let lost = 0
  for (const line of arrivals) {
    const first = line[0]
    if (first === undefined) continue
    const steps = line.map(({ sequence }) => (sequence - first.sequence) & 0xffff)
    const offsets = line.map(({ at }, index) => at - steps[index]! * frameMs)
    const earliest = Math.min(...offsets)
    late.push(...offsets.map(offset => offset - earliest))
    lost += steps.at(-1)! + 1 - line.length
  }
  late.sort((one, other) => one - other)
  const p99Ms = late[Math.floor(late.length * 0.99)] ?? Number.POSITIVE_INFINITY
  return { kind: 'timed', p99Ms, lost, packets: late.length }
}

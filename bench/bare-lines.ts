// The yardstick of bench/rtp-lines.ts in a worker thread: sockets that send 172 bytes each 20 ms and count what comes, no more.
import { createSocket } from 'node:dgram'
import { type MessagePort, parentPort } from 'node:worker_threads'
import { createPacer } from '../src/carrier/rtp/pacer.ts'
import { realClock } from '../src/runtime/clock.ts'

export type ToBare = { kind: 'open'; line: number } | { kind: 'connect'; line: number; port: number }
export type FromBare = { line: number; port: number }

const pacer = createPacer({ clock: realClock })
const sockets = new Map<number, ReturnType<typeof createSocket>>()
const port = parentPort as MessagePort

port.on('message', (message: ToBare) => {
  if (message.kind === 'open') open(message.line)
  else connect(message.line, message.port)
})

function open(line: number): void {
  const socket = createSocket('udp4')
  sockets.set(line, socket)
  let received = 0
  socket.on('error', () => {})
  socket.on('message', () => received++)
  socket.bind(0, '127.0.0.1', () =>
    port.postMessage({ line, port: socket.address().port } satisfies FromBare),
  )
}

function connect(line: number, to: number): void {
  const socket = sockets.get(line)!
  const packet = Buffer.alloc(172, 0x55)
  let sequence = 0
  socket.connect(to, '127.0.0.1', () =>
    pacer.add(() => {
      packet.writeUInt16BE(sequence++ & 0xffff, 2)
      socket.send(packet)
    }),
  )
}

// A network in memory: datagrams between ports of this process, lost, delayed or doubled as a test says.
import type { RemoteInfo } from 'node:dgram'
import type { DatagramSource, Datagrams, OnPacket } from '../../src/carrier/rtp/datagrams.ts'
import type { Clock } from '../../src/runtime/clock.ts'

/** What becomes of one packet: the delays of its copies in ms; none: it is lost. */
export type Fate = (packet: Buffer, fromPort: number, toPort: number) => number[]

export interface MemoryNetwork extends DatagramSource {
  /** Every packet that was sent, whether it arrived or not. */
  readonly sent: { packet: Buffer; from: number; to: number }[]
  /** A stranger's packet. */
  inject(packet: Buffer, from: { port: number; address?: string }, to: number): void
  openPorts(): number[]
  decide(fate: Fate): void
}

export function createMemoryNetwork(clock: Clock): MemoryNetwork {
  const ports = new Map<number, { onPacket: OnPacket; connected: { port: number; address: string } | null }>()
  const sent: MemoryNetwork['sent'] = []
  let fate: Fate = () => [0]

  const deliver = (packet: Buffer, port: number, address: string, to: number) => {
    const target = ports.get(to)
    if (target === undefined) return
    const { connected } = target
    if (connected !== null && (connected.port !== port || connected.address !== address)) return
    target.onPacket(Buffer.from(packet), { port, address, family: 'IPv4', size: packet.length } as RemoteInfo)
  }

  const open = async (address: string, port: number, onPacket: OnPacket): Promise<Datagrams> => {
    if (ports.has(port)) throw Object.assign(new Error('taken'), { code: 'EADDRINUSE' })
    const own = { onPacket, connected: null as { port: number; address: string } | null }
    ports.set(port, own)
    const send = (bytes: Uint8Array, to: number) => {
      const packet = Buffer.from(bytes)
      sent.push({ packet, from: port, to })
      for (const delay of fate(packet, port, to)) {
        clock.at(clock.now() + delay, () => deliver(packet, port, address, to))
      }
    }
    return {
      send: packet => own.connected !== null && send(packet, own.connected.port),
      sendTo: (packet, to) => send(packet, to),
      connect: (port, address) => {
        own.connected = { port, address }
      },
      disconnect: () => {
        own.connected = null
      },
      close: async () => void ports.delete(port),
    }
  }

  return {
    open,
    flush() {},
    sent,
    inject: (packet, { port, address = '127.0.0.1' }, to) => deliver(packet, port, address, to),
    openPorts: () => [...ports.keys()],
    decide: next => {
      fate = next
    },
  }
}

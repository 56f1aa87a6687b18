// SIP over UDP (RFC 3261 §18): one socket for the world, and one connected to each gateway, which alone hears of ICMP.
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv6 } from 'node:net'
import type { Hop, SendFailure, Transport, TransportEvents } from './transport.ts'

export interface UdpOptions {
  /** IP to bind. */
  host: string
  /** 0: the kernel chooses. */
  port: number
}

/** The default of 212 KB loses answers at 1,000 calls a second (measured). */
const bufferBytes = 4 * 1024 * 1024
/** Gateways that get a socket of their own; further ones share the common socket and are not heard when they refuse. */
const maxPeers = 64

export async function openUdp({ host, port }: UdpOptions, events: TransportEvents): Promise<Transport> {
  const common = await bindSocket(host, port, events)
  return new UdpTransport(host, common, events)
}

class UdpTransport implements Transport {
  readonly protocol = 'udp'
  readonly localPort: number
  readonly #host: string
  readonly #common: Socket
  readonly #events: TransportEvents
  readonly #peers = new Map<string, Peer>()

  constructor(host: string, common: Socket, events: TransportEvents) {
    this.#host = host
    this.#common = common
    this.#events = events
    this.localPort = common.address().port
  }

  send(text: string, to: Hop, onFailed: ((failure: SendFailure) => void) | null): void {
    const key = `${to.address} ${to.port}`
    const peer = this.#peers.get(key)
    if (peer !== undefined) return void peer.send(text, onFailed)
    if (onFailed === null || this.#peers.size >= maxPeers) {
      this.#common.send(text, to.port, to.address, ignoreError)
      return
    }
    const fresh = new Peer(to, this.#host, this.localPort, this.#events, () => {
      if (this.#peers.get(key) === fresh) this.#peers.delete(key)
    })
    this.#peers.set(key, fresh)
    fresh.send(text, onFailed)
  }

  async close(): Promise<void> {
    const peers = [...this.#peers.values()]
    this.#peers.clear()
    await Promise.all([closeSocket(this.#common), ...peers.map(peer => peer.close())])
  }
}

/**
 * A gateway behind a connected socket on our port. The kernel tells such a socket that a packet was refused, but not
 * which one. It is proof only while as many packets were refused as were sent since the gateway was last heard.
 */
class Peer {
  readonly #events: TransportEvents
  /** This socket leads nowhere any more: the next message gets a new one. */
  readonly #onUseless: () => void
  #socket: Socket | null = null
  #closed = false
  #queue: [text: string, onFailed: ((failure: SendFailure) => void) | null][] = []
  #sentUnheard = 0
  #refused = 0
  #waiting: ((failure: SendFailure) => void)[] = []

  constructor(to: Hop, host: string, port: number, events: TransportEvents, onUseless: () => void) {
    this.#events = events
    this.#onUseless = onUseless
    void this.#connect(to, host, port)
  }

  async #connect(to: Hop, host: string, port: number): Promise<void> {
    const heard: TransportEvents = {
      ...this.#events,
      received: (bytes, from) => {
        this.#heard()
        this.#events.received(bytes, from)
      },
    }
    let socket: Socket | null = null
    try {
      socket = await bindSocket(host, port, heard, () => this.#onRefused())
      const connected = once(socket, 'connect')
      socket.connect(to.port, to.address)
      await connected
      if (this.#closed) return void (await closeSocket(socket))
      this.#socket = socket
      for (const [text, onFailed] of this.#queue.splice(0)) this.send(text, onFailed)
    } catch (error) {
      const failure = { isProof: true, reason: reasonOf(error) }
      this.#onUseless()
      if (socket !== null) void closeSocket(socket)
      for (const [, onFailed] of this.#queue.splice(0)) onFailed?.(failure)
    }
  }

  send(text: string, onFailed: ((failure: SendFailure) => void) | null): void {
    if (this.#socket === null) return void this.#queue.push([text, onFailed])
    this.#sentUnheard++
    if (onFailed !== null) this.#waiting.push(onFailed)
    this.#socket.send(text, error => {
      if (error !== null) this.#notSent(onFailed, error)
    })
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    if (this.#socket !== null) await closeSocket(this.#socket)
  }

  #heard(): void {
    this.#sentUnheard = 0
    this.#refused = 0
    if (this.#waiting.length > 0) this.#waiting = []
  }

  /** The kernel gave back an earlier packet's refusal instead of sending this one, which is proof for this one. */
  #notSent(onFailed: ((failure: SendFailure) => void) | null, error: Error): void {
    if (this.#sentUnheard > 0) this.#sentUnheard--
    const reason = reasonOf(error)
    if (onFailed !== null && this.#waiting.includes(onFailed)) {
      this.#waiting = this.#waiting.filter(one => one !== onFailed)
      onFailed({ isProof: true, reason })
    }
    if (reason === refusal.reason) return void this.#onRefused()
    // The way itself has changed (another network, say): a connected socket keeps to its old address.
    this.#onUseless()
    void this.close()
  }

  #onRefused(): void {
    this.#refused++
    if (this.#refused < this.#sentUnheard) return
    const waiting = this.#waiting
    this.#heard()
    for (const onFailed of waiting) onFailed(refusal)
  }
}

const refusal: SendFailure = { isProof: true, reason: 'ECONNREFUSED' }

async function bindSocket(
  host: string,
  port: number,
  events: TransportEvents,
  onRefused: () => void = () => {},
): Promise<Socket> {
  const type = isIPv6(host) ? 'udp6' : 'udp4'
  const family = type === 'udp6' ? 6 : 4
  // Several sockets share our port: the kernel gives a packet to the one that is connected to its sender, if any.
  // Without a lookup of our own Node asks the resolver for every packet, even for an IP address.
  const lookup = (
    address: string,
    _options: unknown,
    found: (error: null, address: string, family: number) => void,
  ) => found(null, address, family)
  const socket = createSocket({ type, reuseAddr: true, lookup: lookup as never })
  // Our lookup answers at once, and so does the socket.
  const listening = once(socket, 'listening')
  socket.bind({ port, address: host, exclusive: true })
  await listening
  enlargeBuffers(socket)
  socket.on('error', error => {
    if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') onRefused()
    else events.flawed(reasonOf(error))
  })
  socket.on('message', (bytes, { address, port: fromPort }) =>
    events.received(bytes, { protocol: 'udp', address, port: fromPort, serverName: '' }),
  )
  return socket
}

/** The kernel grants at most net.core.rmem_max; what it grants is better than nothing. */
function enlargeBuffers(socket: Socket): void {
  try {
    socket.setRecvBufferSize(bufferBytes)
    socket.setSendBufferSize(bufferBytes)
  } catch {
    // Some systems refuse instead of granting less.
  }
}

function closeSocket(socket: Socket): Promise<void> {
  return new Promise(resolve => socket.close(() => resolve()))
}

function ignoreError(): void {}

function reasonOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error)
}

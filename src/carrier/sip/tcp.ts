// SIP over TCP (RFC 3261 §18): connections that are kept and used both ways, and a port where the other side may connect.
import { once } from 'node:events'
import { type AddressInfo, createServer, connect as netConnect, type Server, type Socket } from 'node:net'
import { StreamFraming } from './stream-framing.ts'
import { type Hop, hopKey, type SendFailure, type Transport, type TransportEvents } from './transport.ts'

export interface TcpOptions {
  /** IP to bind. */
  host: string
  /** 0: the kernel chooses. */
  port: number
}

/** Connections to us and from us together; more belong to nobody who calls. */
export const maxConnections = 1_024
/** What may wait for a connection that does not open or does not drain. */
const maxQueuedBytes = 4 * 1024 * 1024

export async function openTcp({ host, port }: TcpOptions, events: TransportEvents): Promise<Transport> {
  const server = createServer({ noDelay: true, keepAlive: true })
  const localAddress = host === '0.0.0.0' || host === '::' ? undefined : host
  const transport = new StreamTransport('tcp', events, server, to =>
    netConnect({
      host: to.address,
      port: to.port,
      noDelay: true,
      keepAlive: true,
      ...(localAddress && { localAddress }),
    }),
  )
  server.on('connection', socket => transport.accept(socket))
  await listen(server, host, port)
  return transport
}

export async function listen(server: Server, host: string, port: number): Promise<void> {
  server.maxConnections = maxConnections
  server.listen({ host, port })
  await once(server, 'listening')
}

/** TCP and TLS alike: who opens a connection, and with what, is all that differs. */
export class StreamTransport implements Transport {
  readonly protocol: 'tcp' | 'tls'
  readonly #events: TransportEvents
  readonly #server: Server | null
  readonly #open: (to: Hop) => Socket
  readonly #connections = new Map<string, Connection>()
  readonly #fixedPort: number

  /** `fixedPort` stands in Via where nobody can connect to us (a TLS client without a certificate). */
  constructor(
    protocol: 'tcp' | 'tls',
    events: TransportEvents,
    server: Server | null,
    open: (to: Hop) => Socket,
    fixedPort = 0,
  ) {
    this.protocol = protocol
    this.#events = events
    this.#server = server
    this.#open = open
    this.#fixedPort = fixedPort
  }

  get localPort(): number {
    const address = this.#server?.address() as AddressInfo | null | undefined
    return address?.port ?? this.#fixedPort
  }

  send(text: string, to: Hop, onFailed: ((failure: SendFailure) => void) | null): void {
    const key = hopKey(to)
    const known = this.#connections.get(key)
    if (known !== undefined) return void known.send(text, onFailed)
    if (this.#connections.size >= maxConnections) return void tellLater(onFailed, 'too many connections')
    this.#adopt(key, to, this.#open(to), false).send(text, onFailed)
  }

  /** A connection that the other side opened: answers and requests to its source go back on it (§18.2.2). */
  accept(socket: Socket): void {
    const { remoteAddress: address, remotePort: port } = socket
    if (address === undefined || port === undefined) return void socket.destroy()
    const from: Hop = { protocol: this.protocol, address, port, serverName: '' }
    this.#adopt(hopKey(from), from, socket, true)
  }

  async close(): Promise<void> {
    for (const connection of this.#connections.values()) connection.end()
    this.#connections.clear()
    if (this.#server === null) return
    await new Promise(resolve => this.#server?.close(resolve))
  }

  #adopt(key: string, to: Hop, socket: Socket, isOpen: boolean): Connection {
    const connection = new Connection(socket, to, isOpen, this.#events, () => {
      if (this.#connections.get(key) === connection) this.#connections.delete(key)
    })
    this.#connections.set(key, connection)
    return connection
  }
}

class Connection {
  readonly #socket: Socket
  readonly #framing = new StreamFraming()
  #isOpen: boolean
  /** What was handed to a connection that is not open yet has surely not arrived. */
  #waiting: ((failure: SendFailure) => void)[] = []

  constructor(socket: Socket, to: Hop, isOpen: boolean, events: TransportEvents, onClosed: () => void) {
    this.#socket = socket
    this.#isOpen = isOpen
    const opened = () => {
      this.#isOpen = true
      this.#waiting = []
    }
    socket.once(to.protocol === 'tls' ? 'secureConnect' : 'connect', opened)
    socket.on('data', (chunk: Buffer) => {
      const messages = this.#framing.push(chunk)
      for (const bytes of messages ?? []) events.received(bytes, to)
      if (messages !== null) return
      events.flawed('a stream that is no SIP was closed')
      socket.destroy()
    })
    let reason = 'closed'
    socket.on('error', error => {
      reason = (error as NodeJS.ErrnoException).code ?? error.message
    })
    socket.on('close', () => {
      onClosed()
      for (const onFailed of this.#waiting.splice(0)) onFailed({ isProof: !this.#isOpen, reason })
    })
  }

  send(text: string, onFailed: ((failure: SendFailure) => void) | null): void {
    if (this.#socket.writableLength > maxQueuedBytes)
      return void tellLater(onFailed, 'the connection does not drain')
    if (!this.#isOpen && onFailed !== null) this.#waiting.push(onFailed)
    this.#socket.write(text)
  }

  end(): void {
    this.#waiting = []
    this.#socket.end()
    this.#socket.destroySoon()
  }
}

/** Nobody expects to hear of a failure before `send` has returned. */
function tellLater(onFailed: ((failure: SendFailure) => void) | null, reason: string): void {
  if (onFailed !== null) queueMicrotask(() => onFailed({ isProof: true, reason }))
}

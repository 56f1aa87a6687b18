// A WebSocket server on loopback whose test decides what is said: the agents of these tests live behind it.
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'

export type Message = Record<string, unknown>

/** One agent's side of one call. */
export interface Peer {
  readonly request: IncomingMessage
  readonly socket: WebSocket
  readonly received: Message[]
  /** The code that the other side closed with. */
  readonly closed: Promise<number>
  send(message: object): void
  /** Resolves with the first message, also an earlier one, for which `holds`. */
  message(holds: (message: Message) => boolean): Promise<Message>
}

export interface SocketServer {
  /** `ws://127.0.0.1:port`. */
  readonly url: string
  readonly peers: Peer[]
  /** The nth connection, from 0. */
  peer(n: number): Promise<Peer>
  close(): Promise<void>
}

export async function openSocketServer(
  onPeer: (peer: Peer) => void,
  refuse: (socket: Socket) => boolean = () => false,
): Promise<SocketServer> {
  const http = createServer()
  const sockets = new WebSocketServer({ noServer: true })
  const peers: Peer[] = []
  const raw = new Set<Socket>()
  const waiting = new Set<() => void>()
  http.on('connection', socket => {
    raw.add(socket)
    socket.on('close', () => raw.delete(socket))
  })
  http.on('upgrade', (request, socket, head) => {
    socket.on('error', () => {})
    if (refuse(socket as Socket)) return
    sockets.handleUpgrade(request, socket, head, accepted => {
      const peer = createPeer(request, accepted)
      peers.push(peer)
      onPeer(peer)
      for (const resolve of waiting) resolve()
    })
  })
  await new Promise<void>(resolve => http.listen(0, '127.0.0.1', resolve))
  return {
    url: `ws://127.0.0.1:${(http.address() as AddressInfo).port}`,
    peers,
    async peer(n) {
      while (peers[n] === undefined) {
        const { promise, resolve } = Promise.withResolvers<void>()
        waiting.add(resolve)
        await promise
      }
      return peers[n]
    },
    async close() {
      for (const socket of raw) socket.destroy()
      await new Promise(resolve => http.close(resolve))
    },
  }
}

function createPeer(request: IncomingMessage, socket: WebSocket): Peer {
  const received: Message[] = []
  const waiting = new Set<() => void>()
  const closed = Promise.withResolvers<number>()
  socket.on('error', () => {})
  socket.on('close', code => closed.resolve(code))
  socket.on('message', data => {
    received.push(JSON.parse(data.toString()) as Message)
    for (const resolve of waiting) resolve()
    waiting.clear()
  })
  return {
    request,
    socket,
    received,
    closed: closed.promise,
    send: message => socket.send(JSON.stringify(message)),
    async message(holds) {
      for (;;) {
        const found = received.find(holds)
        if (found !== undefined) return found
        const { promise, resolve } = Promise.withResolvers<void>()
        waiting.add(resolve)
        await promise
      }
    },
  }
}

// A TCP link to the carrier that a test can cut, or make swallow what the client says.
import { connect, createServer, type Server, type Socket } from 'node:net'

export class BreakableLink {
  readonly #sockets = new Set<Socket>()
  readonly #server: Server
  /** Bytes from the client vanish: the client believes that it sent them. */
  swallows = false
  /** New connections are broken at once. */
  refuses = false
  #onSwallowed: (() => void) | null = null

  private constructor(server: Server) {
    this.#server = server
  }

  static async to(port: number): Promise<BreakableLink> {
    const server = createServer()
    const link = new BreakableLink(server)
    server.on('connection', client => {
      if (link.refuses) client.destroy()
      else link.#join(client, connect(port, '127.0.0.1'))
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    return link
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  /** Resolves when something was swallowed. */
  swallowed(): Promise<void> {
    return new Promise(resolve => {
      this.#onSwallowed = resolve
    })
  }

  /** Breaks what is connected now; a new connection is taken again. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async close(): Promise<void> {
    const closed = new Promise(resolve => this.#server.close(resolve))
    this.cut()
    await closed
  }

  #join(client: Socket, carrier: Socket): void {
    const ends: [Socket, Socket][] = [
      [client, carrier],
      [carrier, client],
    ]
    for (const [one, other] of ends) {
      this.#sockets.add(one)
      // Else each small message waits 40 ms for the acknowledgement of the one before.
      one.setNoDelay(true)
      one.on('error', () => {})
      one.on('close', () => {
        this.#sockets.delete(one)
        other.destroy()
      })
    }
    carrier.on('data', data => client.write(data))
    client.on('data', data => {
      if (this.swallows) this.#onSwallowed?.()
      else carrier.write(data)
    })
  }
}

// A customer's server on loopback: it keeps what it is sent, answers as told, and can be killed and started again.
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

export interface Received {
  path: string
  headers: IncomingHttpHeaders
  body: string
}

export interface Answer {
  status?: number
  headers?: Record<string, string>
  body?: string
  /** The connection dies instead: what was sent has arrived, and the sender does not know. */
  hangUp?: true
}

export class Receiver {
  readonly received: Received[] = []
  answer: (received: Received) => Answer = () => ({})
  /** Between killed and killed, or started and listening. */
  isBusy = false
  port = 0
  #server: Server | null = null

  static async open(t: Pick<TestContext, 'after'>): Promise<Receiver> {
    const receiver = new Receiver()
    await receiver.start()
    t.after(() => receiver.kill())
    return receiver
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/hook`
  }

  kill(): void {
    this.#server?.close()
    this.#server?.closeAllConnections()
    this.#server = null
  }

  async start(): Promise<void> {
    this.isBusy = true
    const { promise, resolve } = Promise.withResolvers<void>()
    const server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString('utf8')
        const received = { path: request.url ?? '', headers: request.headers, body }
        this.received.push(received)
        const { status = 204, headers = {}, body: said, hangUp } = this.answer(received)
        if (hangUp) request.socket.destroy()
        else response.writeHead(status, headers).end(said)
      })
    })
    this.#server = server.listen(this.port, '127.0.0.1', resolve)
    await promise
    this.port = (server.address() as AddressInfo).port
    this.isBusy = false
  }
}

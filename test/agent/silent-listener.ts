// A TCP server that takes connections and never says a word.
import { type AddressInfo, createServer, type Socket } from 'node:net'

export interface SilentListener {
  port: number
  /** Resolves when somebody has connected and sent something. */
  approached: Promise<void>
  close(): Promise<void>
}

export async function openSilentListener(): Promise<SilentListener> {
  const sockets = new Set<Socket>()
  const approached = Promise.withResolvers<void>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('data', () => approached.resolve())
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    approached: approached.promise,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

// A throw-away Redis that keeps an append-only file, for benchmarks.
import { once } from 'node:events'
import { connect } from 'node:net'
import { ThrowawayServer } from './throwaway-server.ts'

/** When Redis calls fsync: after each write, or once a second (then a crash of the machine loses the last second). */
export type AppendFsync = 'always' | 'everysec'

/** Starts a server, does the work with its address, and removes it. */
export async function withRedis<T>(appendfsync: AppendFsync, work: (url: string) => Promise<T>): Promise<T> {
  const server = await ThrowawayServer.prepare({ name: 'outdial-redis', user: null, endSignal: 'TERM' })
  const { folder, port } = server
  const host = '127.0.0.1'
  // BullMQ asks for this policy.
  const policy = { 'maxmemory-policy': 'noeviction' }
  const settings = { bind: host, port, dir: folder, save: '', appendonly: 'yes', appendfsync, ...policy }
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)])
  try {
    await server.start('redis-server', args, () => canConnect(host, port))
    return await work(`redis://${host}:${port}`)
  } finally {
    await server.stop()
  }
}

async function canConnect(host: string, port: number): Promise<void> {
  const socket = connect(port, host)
  try {
    await once(socket, 'connect')
  } finally {
    socket.destroy()
  }
}

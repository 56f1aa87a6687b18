// `/nodes`: the processes that share this store, and how much each is doing.
import type { FastifyInstance } from 'fastify'
import type { Node } from '../../store/node-records.ts'
import type { HttpDeps } from '../dialect.ts'

/** A node that missed several heartbeats is most likely dead: its calls are being settled by the others. */
const silentAfterMs = 10_000

export function nodeRoutes(app: FastifyInstance, { store, clock }: HttpDeps): void {
  app.get('/nodes', async () => {
    const now = clock.now()
    return { data: (await store.listNodes()).map(node => present(node, now)) }
  })
}

function present({ id, name, role, version, startedAt, seenAt, load }: Node, now: number) {
  return {
    id,
    name,
    role,
    version,
    status: now - seenAt > silentAfterMs ? 'silent' : 'alive',
    startedAt: new Date(startedAt).toISOString(),
    seenAt: new Date(seenAt).toISOString(),
    callsUnderWay: load.running,
    callsPlaced: load.placed,
    pacingLatenessMs: load.pacingLatenessMs,
  }
}

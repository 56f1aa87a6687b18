// What machines ask of a server: is it alive, may it have traffic, how much is it doing.
import type { FastifyInstance } from 'fastify'
import { Gauge, Registry } from 'prom-client'
import type { HttpDeps } from './dialect.ts'

export interface HealthDeps {
  /** `running` once calls are dispatched; `stopping` from the first SIGTERM on. */
  phase(): 'starting' | 'running' | 'stopping'
  /** How often the dispatcher's safety net found work that no signal had announced: 0 in a healthy process. */
  sweepFoundTotal?(): number
  /** Why the dispatcher's last write failed; null: it did not. */
  storeFailure?(): string | null
}

/** `/healthz`: the process answers. `/readyz`: the store answers and calls are dispatched. `/metrics`: Prometheus text. */
export function registerHealth(app: FastifyInstance, deps: HttpDeps & HealthDeps): void {
  app.get('/healthz', async () => ({ status: 'ok' }))

  app.get('/readyz', async (_request, reply) => {
    const phase = deps.phase()
    const answers = await deps.store.countOpenAttempts().then(
      () => true,
      () => false,
    )
    // A full disk can still be read.
    const store = answers && (deps.storeFailure?.() ?? null) === null ? 'ok' : 'failing'
    const ready = phase === 'running' && store === 'ok'
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'not-ready', phase, store })
  })

  const registry = metricsOf(deps)
  app.get('/metrics', async (_request, reply) =>
    reply.header('content-type', registry.contentType).send(await registry.metrics()),
  )
}

function metricsOf({ store, sweepFoundTotal }: HttpDeps & HealthDeps): Registry {
  const registry = new Registry()
  new Gauge({
    name: 'outdial_open_attempts',
    help: 'Calls that are reserved, dialled, ringing or answered now',
    registers: [registry],
    async collect() {
      this.set(await store.countOpenAttempts())
    },
  })
  new Gauge({
    name: 'outdial_sweep_found_total',
    help: 'Work found by the safety sweep that no signal had announced',
    registers: [registry],
    collect() {
      this.set(sweepFoundTotal?.() ?? 0)
    },
  })
  return registry
}

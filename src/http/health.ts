// What machines ask of a server: is it alive, may it have traffic, how much is it doing.
import type { FastifyInstance } from 'fastify'
import { Counter, Gauge, Registry } from 'prom-client'
import type { DeliveryFigures } from '../webhooks/deliverer.ts'
import type { HttpDeps } from './dialect.ts'

export interface HealthDeps {
  /** `running` once calls are dispatched; `stopping` from the first SIGTERM on. */
  phase(): 'starting' | 'running' | 'stopping'
  /** How often the dispatcher's safety net found work that no signal had announced: 0 in a healthy process. */
  sweepFoundTotal?(): number
  /** Webhook tries since the start. */
  webhookFigures?(): DeliveryFigures
  /** What housekeeping removed since the start, by kind. */
  housekeepingRemoved?(): Readonly<Record<string, number>>
  /** Why the dispatcher's last write failed; null: it did not. */
  storeFailure?(): string | null
}

/** `/healthz`: the process answers. `/readyz`: the store answers and calls are dispatched. `/metrics`: Prometheus text. */
export function registerHealth(app: FastifyInstance, deps: HttpDeps & HealthDeps): void {
  app.get('/healthz', async () => ({ status: 'ok' }))

  app.get('/readyz', async (_request, reply) => {
    const phase = deps.phase()
    const state = await deps.store.getHold().then(
      hold => ({ answers: true, hold }),
      () => ({ answers: false, hold: null }),
    )
    const { answers, hold } = state
    // A full disk can still be read.
    const store = answers && (deps.storeFailure?.() ?? null) === null ? 'ok' : 'failing'
    const ready = phase === 'running' && store === 'ok'
    if (!ready) return reply.code(503).send({ status: 'not-ready', phase, store })
    // It takes requests: how else should somebody accept it?
    if (hold !== null) return { status: 'held', phase, store, reason: hold.reason }
    return { status: 'ready', phase, store }
  })

  const registry = metricsOf(deps)
  app.get('/metrics', async (_request, reply) =>
    reply.header('content-type', registry.contentType).send(await registry.metrics()),
  )
}

function metricsOf(deps: HttpDeps & HealthDeps): Registry {
  const { store, clock, sweepFoundTotal, webhookFigures, housekeepingRemoved } = deps
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
  if (webhookFigures !== undefined) addWebhookMetrics(registry, { store, clock }, webhookFigures)
  new Gauge({
    name: 'outdial_store_held',
    help: '1 while a restored or copied store waits to be accepted: nothing is dialled',
    registers: [registry],
    async collect() {
      this.set((await store.getHold()) === null ? 0 : 1)
    },
  })
  new Gauge({
    name: 'outdial_housekeeping_removed_total',
    help: 'What was kept long enough and is gone, since the start',
    labelNames: ['kind'],
    registers: [registry],
    collect() {
      for (const [kind, count] of Object.entries(housekeepingRemoved?.() ?? {})) this.set({ kind }, count)
    },
  })
  return registry
}

function addWebhookMetrics(
  registry: Registry,
  { store, clock }: Pick<HttpDeps, 'store' | 'clock'>,
  figures: () => DeliveryFigures,
): void {
  new Counter({
    name: 'outdial_webhook_tries_total',
    help: 'Webhook tries by result: delivered, retry (failed, to be tried again), failed (given up), skipped (nothing to tell)',
    labelNames: ['result'],
    registers: [registry],
    collect() {
      const { inFlight: _, ...results } = figures()
      this.reset()
      for (const [result, count] of Object.entries(results)) this.inc({ result }, count)
    },
  })
  new Gauge({
    name: 'outdial_webhook_in_flight',
    help: 'Webhook tries under way',
    registers: [registry],
    collect() {
      this.set(figures().inFlight)
    },
  })
  new Gauge({
    name: 'outdial_webhook_oldest_undelivered_seconds',
    help: 'Age of the oldest event that waits for delivery to an enabled endpoint; 0: none waits',
    registers: [registry],
    async collect() {
      const at = await store.oldestWaitingEventAt()
      this.set(at === null ? 0 : Math.max(0, clock.now() - at) / 1_000)
    },
  })
}

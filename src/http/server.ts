// The HTTP server: health and metrics at the root, our own API, and each dialect beneath its prefix with its own errors.
import { randomUUID } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import multipart from '@fastify/multipart'
import fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify'
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod'
import type { Dialect } from '../domain/batch.ts'
import { ownApi } from './api/own-api.ts'
import { type CallUpdateDeps, callUpdateRoute } from './call-updates.ts'
import type { DialectPlugin, HttpDeps } from './dialect.ts'
import { type HealthDeps, registerHealth } from './health.ts'
import { answerErrors, mountDialect, sendRefusal } from './mount.ts'
import { refusalOf } from './refusal-of-error.ts'

export interface ServerDeps extends HttpDeps, HealthDeps, CallUpdateDeps {
  dialects: readonly DialectPlugin[]
  /** Mounted at the root as well, for clients that can change only their host. */
  rootDialect: Dialect | null
  /** Only health and metrics are served: this node calls, others listen. */
  callsOnly?: boolean
}

/** JSON bodies are parsed on the main thread (about 8 ms a megabyte): larger lists come as files. */
const maxJsonBytes = 10_000_000
/** A request that takes longer to arrive is cut off: 100 MB at 350 kB/s. */
const requestTimeoutMs = 300_000

/** Builds the server; the caller listens and closes. `uploadDir` is emptied at start: nothing in it survives a process. */
export function buildServer(deps: ServerDeps): FastifyInstance {
  const dialects = deps.callsOnly === true ? [] : [ownApi, ...deps.dialects]
  const root = dialects.find(dialect => dialect.name === deps.rootDialect) ?? ownApi
  const app: FastifyInstance = fastify({
    loggerInstance: deps.logger as FastifyBaseLogger,
    // A URL may hold a number: requests are not logged.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: maxJsonBytes,
    requestTimeout: requestTimeoutMs,
    routerOptions: { maxParamLength: 200 },
    genReqId: requestIdOf,
    forceCloseConnections: 'idle',
    frameworkErrors: (error, request, reply) => {
      const owner = dialects.find(({ prefix }) => request.url.startsWith(`${prefix}/`)) ?? root
      sendRefusal(reply, owner, refusalOf(error))
    },
  })
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  app.decorateRequest('workspace')
  app.decorateRequest('apiKey')
  app.decorateRequest('auditSubject', null)
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id)
  })
  app.addHook('onReady', async () => {
    await rm(deps.uploadDir, { recursive: true, force: true })
    await mkdir(deps.uploadDir, { recursive: true })
  })
  app.register(multipart)
  registerHealth(app, deps)
  callUpdateRoute(app, deps)
  for (const dialect of dialects) mountDialect(app, dialect, deps, dialect.prefix)
  if (root === ownApi) answerErrors(app, ownApi)
  else mountDialect(app, root, deps, '')
  return app
}

/** The client's own X-Request-Id where it is harmless to print, else a new one. */
function requestIdOf({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const sent = headers['x-request-id']
  return typeof sent === 'string' && /^[\w.-]{1,100}$/.test(sent) ? sent : randomUUID()
}

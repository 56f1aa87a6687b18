// Mounts one dialect: its routes, its key check, and its own shape for everything that can go wrong beneath its prefix.
import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify'
import { Refusal } from '../domain/refusal.ts'
import { keepAudit } from './audit.ts'
import { authenticate } from './auth.ts'
import type { DialectPlugin, HttpDeps } from './dialect.ts'
import { refusalOf } from './refusal-of-error.ts'

const methods: readonly HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/** @param prefix where it is mounted: the dialect's own, or `` for the root. */
export function mountDialect(
  app: FastifyInstance,
  dialect: DialectPlugin,
  deps: HttpDeps,
  prefix: string,
): void {
  app.register(
    async scope => {
      const known = new Map<string, Set<string>>()
      answerErrors(scope, dialect)
      readEmptyBodies(scope)
      scope.addHook('onRequest', async request => {
        if (request.is404 || request.routeOptions.config.anonymous === true) return
        Object.assign(request, await authenticate(deps, request, dialect))
      })
      keepAudit(scope, deps)
      scope.addHook('onRoute', ({ url, method }) => {
        const path = url.slice(prefix.length)
        known.set(path, (known.get(path) ?? new Set()).union(new Set([method].flat())))
      })
      scope.register(async routes => dialect.routes(routes, deps))
      scope.register(async others => refuseOtherMethods(others, new Map(known)))
    },
    { prefix },
  )
}

/** Sends a refusal in the dialect's shape; used beneath the prefix and by the root for what no dialect owns. */
export function sendRefusal(reply: FastifyReply, dialect: DialectPlugin, refusal: Refusal): FastifyReply {
  const { status, body, headers } = dialect.presentError(refusal)
  // RFC 9110 §11.6.1: a 401 names the scheme. §15.5.6: a 405 lists the methods.
  if (status === 401) reply.header('www-authenticate', 'Bearer')
  if (typeof refusal.details.allow === 'string') reply.header('allow', refusal.details.allow)
  return reply
    .code(status)
    .header('content-type', 'application/json; charset=utf-8')
    .headers(headers ?? {})
    .send(JSON.stringify(body))
}

/** Makes the dialect's shape the answer to every error and every unknown path of the scope. */
export function answerErrors(scope: FastifyInstance, dialect: DialectPlugin): void {
  scope.setErrorHandler((error, request, reply) => {
    const refusal = refusalOf(error)
    if (refusal.kind === 'internal')
      request.log.error(
        { err: error, requestId: request.id, method: request.method, route: request.routeOptions.url },
        'A request failed for a reason of ours',
      )
    return sendRefusal(reply, dialect, refusal)
  })
  scope.setNotFoundHandler((_request: FastifyRequest, reply) =>
    sendRefusal(
      reply,
      dialect,
      new Refusal('not-found', 'unknown_route', 'There is nothing at this address.'),
    ),
  )
}

/** Clients send `content-type: application/json` or a form type with no body at all on a POST or DELETE: that is no body. */
function readEmptyBodies(scope: FastifyInstance): void {
  const parseJson = scope.getDefaultJsonParser('error', 'error')
  scope.removeContentTypeParser('application/json')
  scope.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) =>
    body === '' ? done(null, undefined) : parseJson(request, body as string, done),
  )
  scope.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, body, done) => {
      if (body === '') return done(null, undefined)
      done(
        new Refusal(
          'unsupported-media-type',
          'unsupported_media_type',
          'A URL-encoded form is not read here; send application/json or multipart/form-data.',
        ),
      )
    },
  )
}

function refuseOtherMethods(scope: FastifyInstance, known: ReadonlyMap<string, ReadonlySet<string>>): void {
  for (const [url, allowed] of known) {
    const others = methods.filter(method => !allowed.has(method))
    if (others.length === 0) continue
    const allow = [...allowed].join(', ')
    const refuse = async () => {
      throw new Refusal(
        'method-not-allowed',
        'method_not_allowed',
        `This address takes ${allow}, nothing else.`,
        { allow },
      )
    }
    scope.route({ method: others, url, config: { anonymous: true }, onRequest: refuse, handler: refuse })
  }
}

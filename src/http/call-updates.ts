// Twilio's REST route by which a media-stream agent hangs up its call, at Twilio's own path and with its shape of errors.
import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify'

/** One request, as it came. */
export interface CallUpdateRequest {
  accountSid: string
  callSid: string
  authorization: string | undefined
  fields: Readonly<Record<string, string | undefined>>
}

export interface CallUpdateDeps {
  /** Hangs up a live call of this process where the request may; absent: the route does not exist. */
  updateCall?(request: CallUpdateRequest): { status: number; body: Readonly<Record<string, unknown>> }
}

const maxFormBytes = 16_384
/** Twilio's "not found" and "bad request". */
const notFoundCode = 20404
const badRequestCode = 20001

export function callUpdateRoute(app: FastifyInstance, { updateCall }: CallUpdateDeps): void {
  if (updateCall === undefined) return
  app.register(
    async scope => {
      readForms(scope)
      answerErrors(scope)
      scope.post('/Accounts/:accountSid/Calls/:call', async (request, reply) => {
        const { accountSid, call } = request.params as { accountSid: string; call: string }
        const { status, body } = updateCall({
          accountSid,
          callSid: call.replace(/\.json$/, ''),
          authorization: request.headers.authorization,
          fields: (request.body ?? {}) as Record<string, string>,
        })
        // RFC 9110 §11.6.1: a 401 names the scheme.
        if (status === 401) reply.header('www-authenticate', 'Basic realm="Outdial"')
        return reply.code(status).send(body)
      })
    },
    { prefix: '/2010-04-01' },
  )
}

function readForms(scope: FastifyInstance): void {
  scope.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: maxFormBytes },
    (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(String(body)))),
  )
}

function answerErrors(scope: FastifyInstance): void {
  scope.setErrorHandler<FastifyError>((error, request, reply) => {
    const status = error.statusCode ?? 500
    if (status >= 500) request.log.error({ err: error }, 'A request failed for a reason of ours')
    return refuse(reply, status, badRequestCode, status >= 500 ? 'Internal error' : error.message)
  })
  scope.setNotFoundHandler((_request, reply) =>
    refuse(
      reply,
      404,
      notFoundCode,
      'The requested resource was not found: calls can be ended, nothing else',
    ),
  )
}

function refuse(reply: FastifyReply, status: number, code: number, message: string): FastifyReply {
  return reply.code(status).send({ code, message, status })
}

// `/attempts/{id}`, its recording and its trace: one call, with what was said and what came of it.
import { createReadStream } from 'node:fs'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { attemptNotFound, findAttempt, findRecording, findTrace } from '../../batches/find-attempt.ts'
import type { HttpDeps } from '../dialect.ts'
import { readId } from '../validation.ts'
import { presentKeptAttempt, presentTrace } from './present.ts'

export function attemptRoutes(app: FastifyInstance, deps: HttpDeps): void {
  app.get('/attempts/:id', async request =>
    presentKeptAttempt(await findAttempt(deps, request.workspace.id, attemptIdOf(request))),
  )
  app.get('/attempts/:id/trace', async request => {
    const attemptId = attemptIdOf(request)
    return presentTrace(attemptId, await findTrace(deps, request.workspace.id, attemptId))
  })
  app.get('/attempts/:id/recording', async (request, reply) => {
    const attemptId = attemptIdOf(request)
    const { path, bytes } = await findRecording(deps, request.workspace.id, attemptId)
    return reply
      .header('content-type', 'audio/wav')
      .header('content-length', bytes)
      .header('content-disposition', `attachment; filename="attempt-${attemptId}.wav"`)
      .send(createReadStream(path))
  })
}

function attemptIdOf({ params }: FastifyRequest): number {
  const { id } = params as { id: string }
  const attemptId = readId(id)
  if (attemptId === null) throw attemptNotFound(id)
  return attemptId
}

// `/v1/conversations`: everybody of every batch and single call, what was said, and the recordings.
import { createReadStream } from 'node:fs'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { findRecording } from '../../../batches/find-attempt.ts'
import { type FoundRecipient, findRecipient, listEverybody } from '../../../batches/find-recipient.ts'
import { Refusal } from '../../../domain/refusal.ts'
import type { HttpDeps } from '../../dialect.ts'
import { parseWireId } from '../wire-id.ts'
import { pageByAgent } from './paging.ts'
import { presentConversation } from './present-conversation.ts'

interface ConversationPath {
  Params: { conversation_id: string }
}

export function conversationRoutes(app: FastifyInstance, deps: HttpDeps): void {
  const present = (request: FastifyRequest, found: FoundRecipient) => {
    const path = `${app.prefix}/v1/conversations/${found.recipient.id}/recording`
    return presentConversation(found, `${request.protocol}://${request.host}${path}`)
  }
  app.get('/v1/conversations', request =>
    pageByAgent(deps, request, async (workspaceId, filter, page) => {
      const { found, total } = await listEverybody(deps, workspaceId, filter, page)
      return { data: found.map(one => present(request, one)), total }
    }),
  )
  app.get<ConversationPath>('/v1/conversations/:conversation_id', async request => ({
    data: present(request, await find(deps, request)),
  }))
  app.get<ConversationPath>('/v1/conversations/:conversation_id/recording', async (request, reply) => {
    const { recipient } = await find(deps, request)
    const { path, bytes } = await recordingOf(deps, request, recipient)
    return reply
      .header('content-type', 'audio/wav')
      .header('content-length', bytes)
      .header('content-disposition', `attachment; filename="conversation-${recipient.id}.wav"`)
      .send(createReadStream(path))
  })
}

async function find(deps: HttpDeps, request: FastifyRequest<ConversationPath>): Promise<FoundRecipient> {
  const sent = request.params.conversation_id
  const id = parseWireId(sent, '')
  if (id === null) throw notFound(sent)
  return findRecipient(deps, request.workspace.id, id).catch((error: unknown) => {
    throw error instanceof Refusal && error.kind === 'not-found' ? notFound(sent) : error
  })
}

async function recordingOf(
  deps: HttpDeps,
  { workspace, params }: FastifyRequest<ConversationPath>,
  { lastAttempt }: FoundRecipient['recipient'],
): ReturnType<typeof findRecording> {
  const none = () =>
    new Refusal('not-found', 'recording_not_found', `Conversation ${params.conversation_id} has no recording`)
  if (lastAttempt === null) throw none()
  return findRecording(deps, workspace.id, lastAttempt.id).catch((error: unknown) => {
    throw error instanceof Refusal && error.kind === 'not-found' ? none() : error
  })
}

function notFound(sent: string): Refusal {
  return new Refusal('not-found', 'conversation_not_found', `Conversation ${sent} not found`)
}

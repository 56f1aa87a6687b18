// Idempotency-Key: a create that is sent again is answered again, not done again (draft-ietf-httpapi-idempotency-key-header).
import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Refusal } from '../domain/refusal.ts'
import type { Idempotency, IdempotentAnswer, Store } from '../store/store.ts'
import type { HttpDeps } from './dialect.ts'

const maxKeyLength = 255

export interface Create<Thing> {
  /** What makes two requests the same: parsed fields, and the file's SHA-256 where there is one. */
  content: readonly unknown[]
  /** Does it. Hands `idempotency` to the store, which keeps the answer in the transaction that makes the thing. */
  create(idempotency: Idempotency<Thing> | undefined): Promise<Thing>
  /** The answer from the thing made; called inside that transaction. */
  answer(thing: Thing): IdempotentAnswer
}

/**
 * Answers a create, once for each key. Without a key: does it. With one: the first time does it; again with the same
 * content answers the same, with `Idempotency-Replayed: true`. Refusals `idempotency_in_flight` (conflict),
 * `idempotency_key_reused` (unprocessable), `invalid_idempotency_key`. A refused create gives the key back.
 *
 * Sets the reply's status and returns the body, to be returned by the handler: what the handler still has to put away
 * (an uploaded file) is gone when the client reads its answer.
 */
export async function answerOnce<Thing>(
  { store, clock }: Pick<HttpDeps, 'store' | 'clock'>,
  request: FastifyRequest,
  reply: FastifyReply,
  { content, create, answer }: Create<Thing>,
): Promise<unknown> {
  const send = ({ status, body }: IdempotentAnswer): unknown => {
    reply.code(status)
    return body
  }
  const made = (thing: Thing): unknown => {
    request.auditSubject = idOf(thing)
    return send(answer(thing))
  }
  const key = readKey(request)
  if (key === null) return made(await create(undefined))

  const workspaceId = request.workspace.id
  const reserved = await store.reserveIdempotencyKey(
    workspaceId,
    key,
    fingerprintOf(request, content),
    clock.now(),
  )
  if (reserved.verdict === 'answered') {
    reply.header('idempotency-replayed', 'true')
    return send(reserved.answer)
  }
  refuseUnlessNew(reserved.verdict)
  return made(await createOrRelease(store, workspaceId, { key, answer }, create))
}

function idOf(thing: unknown): string | null {
  const id = typeof thing === 'object' && thing !== null && 'id' in thing ? thing.id : null
  return id === null ? null : String(id)
}

/** A refused create gives its key back. */
export async function createOrRelease<Thing>(
  store: Store,
  workspaceId: number,
  idempotency: Idempotency<Thing>,
  create: Create<Thing>['create'],
): Promise<Thing> {
  try {
    return await create(idempotency)
  } catch (error) {
    await store.releaseIdempotencyKey(workspaceId, idempotency.key)
    throw error
  }
}

function readKey(request: FastifyRequest): string | null {
  const key = request.headers['idempotency-key']
  if (key === undefined) return null
  if (typeof key === 'string' && key.length <= maxKeyLength && /^[\x21-\x7e]+$/.test(key)) return key
  throw new Refusal(
    'invalid',
    'invalid_idempotency_key',
    `An Idempotency-Key has 1 to ${maxKeyLength} visible ASCII characters.`,
  )
}

function refuseUnlessNew(verdict: 'new' | 'in-flight' | 'other-body') {
  if (verdict === 'in-flight')
    throw new Refusal(
      'conflict',
      'idempotency_in_flight',
      'A request with this Idempotency-Key is being worked on. Ask again in a moment.',
    )
  if (verdict === 'other-body')
    throw new Refusal(
      'unprocessable',
      'idempotency_key_reused',
      'This Idempotency-Key was used with another request. Use a new key for a new request.',
    )
}

function fingerprintOf(request: FastifyRequest, content: readonly unknown[]): string {
  const path = request.url.split('?', 1)[0]
  return createHash('sha256')
    .update(`${request.method} ${path} ${canonical(content)}`)
    .digest('hex')
}

/** JSON with sorted keys: the same fields in another order are the same request. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}

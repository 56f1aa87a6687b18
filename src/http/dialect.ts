// The dialect port: one vendor's HTTP words around our use cases. Adapters: dialects/{formant,dialnexa,talkifai}/ and our own api/.
import type { FastifyInstance } from 'fastify'
import type { Deps } from '../batches/deps.ts'
import type { Dialect } from '../domain/batch.ts'
import type { Refusal, RefusalKind } from '../domain/refusal.ts'
import type { ApiKey, Workspace } from '../domain/workspace.ts'
import type { Backups } from '../housekeeping/backups.ts'
import type { WebhookDesk } from '../webhooks/control-endpoint.ts'
import type { WebhookFormat } from '../webhooks/webhook-format.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Whose key the request carries; set before any handler or schema of a dialect runs. */
    workspace: Workspace
    /** The key itself is not in it. */
    apiKey: ApiKey
    /** What was made, for the audit log; else the parameters of the path say what it was done to. */
    auditSubject: string | null
  }
  interface FastifyContextConfig {
    /** Answered without an API key. */
    anonymous?: boolean
  }
}

/** What routes are handed. */
export interface HttpDeps extends Deps {
  /** Where uploads stay while their request lasts. */
  uploadDir: string
  webhooks: WebhookDesk
  /** Copies of the whole store; absent: none can be made. */
  backups?: Backups
}

export interface ErrorAnswer {
  status: number
  body: unknown
  /** Beside `content-type: application/json`; a `content-type` here wins. */
  headers?: Record<string, string>
}

/**
 * One dialect, mounted by server.ts as an encapsulated plugin. Handlers throw Refusals; whatever goes wrong (schema,
 * key, unknown route, wrong method, body, our own defect) reaches the client through `presentError` and nothing else.
 */
export interface DialectPlugin {
  name: Dialect
  /** e.g. `/formant` */
  prefix: string
  /** Whether the key may also stand in `x-api-key`. */
  acceptsApiKeyHeader: boolean
  /** Registers paths without the prefix; every request has `request.workspace`. */
  routes(app: FastifyInstance, deps: HttpDeps): void | Promise<void>
  presentError(refusal: Refusal): ErrorAnswer
  /** In these words webhooks may be told; absent: in none of this dialect's. */
  webhook?: WebhookFormat
}

/** The status a refusal has unless a vendor's document says otherwise. */
export const statusOfRefusal: Readonly<Record<RefusalKind, number>> = {
  invalid: 400,
  unauthorized: 401,
  forbidden: 403,
  'not-found': 404,
  'method-not-allowed': 405,
  conflict: 409,
  'too-large': 413,
  'unsupported-media-type': 415,
  unprocessable: 422,
  'too-many': 429,
  internal: 500,
  unavailable: 503,
}

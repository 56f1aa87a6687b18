// Our own API as a dialect like the others: camelCase, problem+json (RFC 9457), cursor pages.
import type { DialectPlugin } from '../dialect.ts'
import { presentProblem } from './problem.ts'

export const ownApi: DialectPlugin = {
  name: 'outdial',
  prefix: '/api/v1',
  acceptsApiKeyHeader: true,
  routes() {},
  presentError: presentProblem,
}

// The job that a path means.
import type { FastifyRequest } from 'fastify'
import type { Batch } from '../../../domain/batch.ts'
import type { HttpDeps } from '../../dialect.ts'
import { findSentBatch } from '../find-batch.ts'
import { batchPrefix } from './present.ts'

export interface JobPath {
  Params: { id: string }
}

/** Refusal `batch_not_found`. */
export function findJob(deps: HttpDeps, request: FastifyRequest<JobPath>): Promise<Batch> {
  const { workspace, params } = request
  return findSentBatch(deps, workspace.id, params.id, { prefix: batchPrefix, noun: 'Batch job' })
}

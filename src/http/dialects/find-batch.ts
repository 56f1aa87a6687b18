// The batch that a path or query means, by the id that a client sent.
import { findBatch } from '../../batches/report-batch.ts'
import type { Batch } from '../../domain/batch.ts'
import { Refusal } from '../../domain/refusal.ts'
import type { HttpDeps } from '../dialect.ts'
import { parseWireId } from './wire-id.ts'

/** Refusal `batch_not_found`: malformed, unknown, a single call, importing, or of another workspace; to a client all one. */
export async function findSentBatch(
  deps: HttpDeps,
  workspaceId: number,
  sent: string,
  { prefix, noun }: { prefix: string; noun: string },
): Promise<Batch> {
  const id = parseWireId(sent, prefix)
  const notFound = () => new Refusal('not-found', 'batch_not_found', `${noun} ${sent} not found`)
  if (id === null) throw notFound()
  const batch = await findBatch(deps, workspaceId, id).catch((error: unknown) => {
    throw error instanceof Refusal && error.kind === 'not-found' ? notFound() : error
  })
  if (batch.kind === 'call') throw notFound()
  return batch
}

// A batch's own row, written when its list begins to come in.
import type { NewBatch } from '../../domain/batch.ts'
import { soonPlacedMs } from '../limits.ts'
import { type Places, refuseWithoutPlaces } from '../refusals.ts'
import type { Row } from '../rows.ts'
import { databaseNow } from './database-time.ts'
import { lockWorkspace } from './locks.ts'
import type { Transaction } from './transaction.ts'

/** In `importing`. Refusal `no_free_place` where it needs one. */
export async function insertBatch(tx: Transaction, batch: NewBatch): Promise<number> {
  if (batch.needsPlace === true) await refuseWithoutPlace(tx, batch)
  const row = await tx.row(
    `INSERT INTO batches (workspace_id, agent_id, phone_number_id, trunk_id, name, description, dialect, sent_agent_id,
       sent_phone_number_id, status, open, start_as, timezone, scheduled_at, max_concurrent_calls, calls_per_second, retry,
       calling_window, ring_timeout_ms, max_call_ms, content_hash, created_at, updated_at, record, answering_machine,
       trace, kind, metadata, import_touched_at)
     SELECT $1, $2, n.id, n.trunk_id, $4, $5, $6, $7, $8, 'importing', $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
       $19, $20, $20, $21, $22, $23, $24, $25, ${databaseNow} FROM phone_numbers n WHERE n.id = $3 RETURNING id`,
    [
      batch.workspaceId,
      batch.agentId,
      batch.phoneNumberId,
      batch.name,
      batch.description,
      batch.dialect,
      batch.sentAgentId,
      batch.sentPhoneNumberId,
      batch.open,
      batch.startAs,
      batch.timezone,
      batch.scheduledAt,
      batch.maxConcurrentCalls,
      batch.callsPerSecond,
      JSON.stringify(batch.retry),
      batch.window === null ? null : JSON.stringify(batch.window),
      batch.ringTimeoutMs,
      batch.maxCallMs,
      batch.contentHash,
      batch.createdAt,
      batch.record,
      batch.answeringMachine,
      batch.trace,
      batch.kind ?? 'list',
      batch.metadata === undefined || batch.metadata === null ? null : JSON.stringify(batch.metadata),
    ],
  )
  const { id } = row as Row
  await tx.change('INSERT INTO batch_progress (batch_id) VALUES ($1)', [id])
  if (batch.phoneNumberIds !== undefined)
    await tx.change(
      'INSERT INTO batch_callers (batch_id, phone_number_id) SELECT $1, id FROM unnest($2::bigint[]) AS id',
      [id, batch.phoneNumberIds],
    )
  return id
}

/** Open calls, and single calls that were asked for just now; the workspace is locked, so the last place goes once. */
async function refuseWithoutPlace(tx: Transaction, { workspaceId, createdAt }: NewBatch): Promise<void> {
  await lockWorkspace(tx, workspaceId)
  const places = await tx.row(
    `SELECT w.max_concurrent_calls AS max,
       (SELECT count(*) FROM open_attempts WHERE workspace_id = $1)
       + (SELECT count(*) FROM batches b JOIN batch_progress p ON p.batch_id = b.id
          WHERE b.workspace_id = $1 AND b.kind = 'call' AND b.created_at > $2
            AND (b.status = 'importing' OR (b.status = 'running' AND p.queued > 0))) AS current
     FROM workspaces w WHERE w.id = $1`,
    [workspaceId, createdAt - soonPlacedMs],
  )
  refuseWithoutPlaces(places as unknown as Places)
}

// A batch's own row, written when its list begins to come in.
import type { NewBatch } from '../../domain/batch.ts'
import { soonPlacedMs } from '../limits.ts'
import { type Places, refuseWithoutPlaces } from '../refusals.ts'
import type { Connection } from './connection.ts'

/** Inserts a batch in `importing`, inside the transaction under way. Refusal `no_free_place` where it needs one. */
export function insertBatch(connection: Connection, batch: NewBatch): number {
  if (batch.needsPlace === true) refuseWithoutPlace(connection, batch)
  const { lastInsertRowid } = connection
    .prepare(
      `INSERT INTO batches (workspace_id, agent_id, phone_number_id, trunk_id, name, description, dialect,
         sent_agent_id, sent_phone_number_id, status, open, start_as, timezone, scheduled_at,
         max_concurrent_calls, calls_per_second, retry, calling_window, ring_timeout_ms, max_call_ms,
         content_hash, created_at, updated_at, record, answering_machine, trace, kind, metadata)
       SELECT ?1, ?2, n.id, n.trunk_id, ?4, ?5, ?6, ?7, ?8, 'importing', ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,
         ?17, ?18, ?19, ?20, ?20, ?21, ?22, ?23, ?24, ?25 FROM phone_numbers n WHERE n.id = ?3`,
    )
    .run(
      batch.workspaceId,
      batch.agentId,
      batch.phoneNumberId,
      batch.name,
      batch.description,
      batch.dialect,
      batch.sentAgentId,
      batch.sentPhoneNumberId,
      batch.open ? 1 : 0,
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
      batch.record ? 1 : 0,
      batch.answeringMachine,
      batch.trace ? 1 : 0,
      batch.kind ?? 'list',
      batch.metadata === undefined || batch.metadata === null ? null : JSON.stringify(batch.metadata),
    )
  connection.prepare('INSERT INTO batch_progress (batch_id) VALUES (?)').run(lastInsertRowid)
  const insertCaller = connection.prepare(
    'INSERT INTO batch_callers (batch_id, phone_number_id) VALUES (?, ?)',
  )
  for (const id of batch.phoneNumberIds ?? []) insertCaller.run(lastInsertRowid, id)
  return Number(lastInsertRowid)
}

/** Open calls, and single calls that were asked for just now: writes come one by one, so the last place goes once. */
function refuseWithoutPlace(connection: Connection, { workspaceId, createdAt }: NewBatch): void {
  const figures = connection
    .prepare(
      `SELECT w.max_concurrent_calls AS max,
         (SELECT count(*) FROM open_attempts WHERE workspace_id = ?1)
         + (SELECT count(*) FROM batches b JOIN batch_progress p ON p.batch_id = b.id
            WHERE b.workspace_id = ?1 AND b.kind = 'call' AND b.created_at > ?2
              AND (b.status = 'importing' OR (b.status = 'running' AND p.queued > 0))) AS current
       FROM workspaces w WHERE w.id = ?1`,
    )
    .get(workspaceId, createdAt - soonPlacedMs) as unknown as Places
  refuseWithoutPlaces(figures)
}

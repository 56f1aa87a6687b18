// Rows of housekeeping as both engines give them, and what it says no to.
import { Refusal } from '../domain/refusal.ts'
import type { AuditEntry, Cutoff, ListedApiKey } from './housekeeping-store.ts'
import type { Row } from './rows.ts'

export function toListedKey(row: Row): ListedApiKey {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    name: row.name,
    prefix: row.prefix,
    createdAt: row.created_at,
    revokedAt: row.revoked_at,
  }
}

export function toAuditEntry(row: Row): AuditEntry & { id: number } {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    at: row.at,
    apiKeyId: row.api_key_id,
    apiKeyPrefix: row.api_key_prefix,
    action: row.action,
    subject: row.subject,
  }
}

/** Null: there is no such key. What is revoked stays so. Refusal `last_api_key`. */
export function keyToRevoke(keys: readonly ListedApiKey[], keyId: number): ListedApiKey | null {
  const key = keys.find(({ id }) => id === keyId)
  if (key === undefined) return null
  const valid = keys.filter(({ revokedAt }) => revokedAt === null)
  if (key.revokedAt === null && valid.length === 1)
    throw new Refusal(
      'conflict',
      'last_api_key',
      'This is the last key that opens the workspace: create another one before you revoke it.',
    )
  return key
}

export const callUnderWay = (attemptId: number) =>
  new Refusal(
    'conflict',
    'call_under_way',
    'This person is being called now: erase them when the call has ended.',
    { attemptId },
  )

/** Of a stretch of conversations in order of attempt: those that are too old, and where the next stretch begins. */
export function oldAmong(
  kind: 'recordings' | 'transcripts',
  cutoffs: readonly Cutoff[],
  rows: readonly Row[],
) {
  const before = new Map(cutoffs.map(cutoff => [cutoff.workspaceId, cutoff.before]))
  const found = rows
    .filter(row => row.ended_at < (before.get(row.workspace_id) ?? 0))
    .map(row => ({
      attemptId: row.attempt_id as number,
      recordingFile: row.recording_file as string | null,
    }))
    .filter(({ recordingFile }) => kind === 'transcripts' || recordingFile !== null)
  const isOver = rows.every(row => row.ended_at >= latestOf(cutoffs))
  return { found, next: isOver ? null : (rows.at(-1)?.attempt_id as number) }
}

/** Nothing from this instant on is too old in any workspace. */
export function latestOf(cutoffs: readonly Cutoff[]): number {
  return Math.max(...cutoffs.map(({ before }) => before))
}

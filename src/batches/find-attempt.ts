// One call and what it left behind: its transcript, its results, its recording, its SIP messages.
import { rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { CallTrace } from '../domain/call-trace.ts'
import { Refusal } from '../domain/refusal.ts'
import type { Store } from '../store/store.ts'
import type { Deps } from './deps.ts'

export type KeptAttempt = NonNullable<Awaited<ReturnType<Store['findAttempt']>>>

/** Refusal `attempt_not_found`, also for a call of another workspace. */
export async function findAttempt(
  { store }: Pick<Deps, 'store'>,
  workspaceId: number,
  attemptId: number,
): Promise<KeptAttempt> {
  const attempt = await store.findAttempt(workspaceId, attemptId)
  if (attempt === null) throw attemptNotFound(attemptId)
  return attempt
}

export interface Recording {
  /** A stereo WAV file: them on the left, us on the right. */
  path: string
  bytes: number
}

/** Refusals `attempt_not_found`, `recording_not_found`. */
export async function findRecording(
  deps: Pick<Deps, 'store' | 'recordingsDir'>,
  workspaceId: number,
  attemptId: number,
): Promise<Recording> {
  const { conversation } = await findAttempt(deps, workspaceId, attemptId)
  const file = conversation?.recordingFile ?? null
  if (file === null || deps.recordingsDir === undefined) throw recordingNotFound(attemptId)
  const path = join(deps.recordingsDir, file)
  const found = await stat(path).catch(() => null)
  if (found === null) throw recordingNotFound(attemptId)
  return { path, bytes: found.size }
}

/** Refusals `attempt_not_found`, `trace_not_found`; a call that was put back has a trace, too. */
export async function findTrace(
  deps: Pick<Deps, 'store'>,
  workspaceId: number,
  attemptId: number,
): Promise<CallTrace> {
  const trace = await deps.store.findTrace(workspaceId, attemptId)
  if (trace !== null) return trace
  const { status } = await findAttempt(deps, workspaceId, attemptId)
  const why = status === 'ended' ? 'of this call were not kept' : 'are kept when the call has ended'
  throw new Refusal(
    'not-found',
    'trace_not_found',
    `The SIP messages ${why}: a trunk or a batch with \`trace\` keeps them.`,
    { ref: String(attemptId) },
  )
}

/** Those of a batch that is deleted; one that is gone already is no failure. */
export async function removeRecordings(
  recordingsDir: string | undefined,
  files: readonly string[],
): Promise<void> {
  if (recordingsDir === undefined) return
  for (const file of files) await rm(join(recordingsDir, file), { force: true })
}

export function attemptNotFound(ref: number | string): Refusal {
  return new Refusal('not-found', 'attempt_not_found', `Attempt ${ref} not found`, { ref: String(ref) })
}

function recordingNotFound(attemptId: number): Refusal {
  return new Refusal('not-found', 'recording_not_found', `Attempt ${attemptId} has no recording.`, {
    ref: String(attemptId),
  })
}

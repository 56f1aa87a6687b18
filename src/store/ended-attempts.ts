// What the end of an attempt comes to, for its recipient, its batch and its workspace: arithmetic that both engines write down.
import { finalStanding, type Standing } from '../domain/recipient.ts'
import type { EndedAttempt } from './dispatch-records.ts'
import type { GatheredChanges } from './progress-changes.ts'
import { queueOf, type Row } from './rows.ts'

/** Dispositions that say that a batch is not reaching people at all; the self-pause counts them. */
const failedDispositions: ReadonlySet<string> = new Set([
  'unreachable',
  'blocked',
  'carrier-failure',
  'agent-failure',
])

/** In a batch at one of these nobody is called again. */
const overStatuses: ReadonlySet<string> = new Set(['cancelled', 'failed', 'completed'])

/** Whether somebody of a batch may be called again. */
export const isLive = (batchStatus: string): boolean => !overStatuses.has(batchStatus)

/** Where a recipient goes whose call was returned unspent. */
export const standingPutBack = (row: Row, live: boolean): 'queued' | 'waiting' | 'cancelled' =>
  live ? queueOf(row.ordinal) : 'cancelled'

/** The data of `attempt.put-back`. */
export function putBackJson(
  row: Row,
  { outcome: { cause, sipStatus } }: EndedAttempt,
  dueAt: number,
): string {
  const { id: attemptId, recipient_id: recipientId, call_id: callId } = row
  return JSON.stringify({ attemptId, recipientId, callId, cause, sipStatus, dueAt })
}

/** A call that counts. */
export interface Settled {
  standing: Standing
  /** null: nobody calls again. */
  retryAt: number | null
  finishedAt: number | null
  answeredAt: number | null
  talkMs: number
  /** It failed for no fault of the person. */
  failed: boolean
  /** The data of `attempt.ended`. */
  eventJson: string
}

/** `row`: of open_attempts; `live`: whether its batch may call again. */
export function settle(row: Row, ended: EndedAttempt, live: boolean): Settled {
  const { outcome, endedAt, next } = ended
  const { disposition, cause, sipStatus } = outcome
  const answeredAt: number | null = ended.answeredAt ?? row.answered_at
  const retryAt = live && next.kind === 'retry' ? next.dueAt : null
  const reached = disposition === 'answered' || disposition === 'voicemail'
  const talkMs = reached && answeredAt !== null ? endedAt - answeredAt : 0
  return {
    standing: retryAt === null ? finalStanding(outcome) : 'waiting',
    retryAt,
    finishedAt: retryAt === null ? endedAt : null,
    answeredAt,
    talkMs,
    failed: failedDispositions.has(disposition),
    eventJson:
      `{"attemptId":${row.id},"recipientId":${row.recipient_id},"ordinal":${row.ordinal},"disposition":"${disposition}",` +
      `"cause":${JSON.stringify(cause)},"sipStatus":${sipStatus},"talkMs":${talkMs},"nextRetryAt":${retryAt}}`,
  }
}

/** What a group of ended attempts adds up to. */
export class Ending<Changes extends GatheredChanges> {
  readonly changes: Changes
  /** Batches that completed because their last number was suppressed. */
  readonly completed: number[] = []
  /** Cost by workspace, thousandths of a cent. */
  readonly costs = new Map<number, number>()
  /** Attempts that counted, by batch. */
  readonly counted = new Map<number, number>()

  constructor(changes: Changes) {
    this.changes = changes
  }

  /** A call that was returned unspent. */
  putBack(row: Row, standing: Standing): void {
    this.changes.move(row.batch_id, 'calling', standing)
    this.changes.sum(row.batch_id, 'attempts', -1)
  }

  settle(row: Row, { standing, talkMs, failed }: Settled, costMillicents: number): void {
    const batchId = row.batch_id
    this.changes.move(batchId, 'calling', standing)
    this.counted.set(batchId, (this.counted.get(batchId) ?? 0) + 1)
    this.changes.sum(batchId, 'ended_attempts', 1)
    this.changes.sum(batchId, 'talk_ms', talkMs)
    this.changes.sum(batchId, 'cost_millicents', costMillicents)
    if (failed) this.changes.sum(batchId, 'failed_attempts', 1)
    if (costMillicents > 0)
      this.costs.set(row.workspace_id, (this.costs.get(row.workspace_id) ?? 0) + costMillicents)
  }
}

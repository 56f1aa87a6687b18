// The life of an attempt after its claim: placed, or put back; its progress; its end.
import { isOpen } from '../../domain/calling-window.ts'
import { firstCallsFailed, selfPauseRule } from '../../domain/pacing.ts'
import { finalStanding, type Standing } from '../../domain/recipient.ts'
import type { EndedAttempt, EndedResult, OrphanedAttempt, PlacedCall, PlaceVerdict, Store } from '../store.ts'
import type { Connection } from './connection.ts'
import { completeIfDone, ProgressChanges, setBatchStatus } from './moves.ts'
import type { Row } from './rows.ts'
import { type Rules, scopesOf } from './rules.ts'
import { suppressOne } from './workspaces.ts'

/** Dispositions that say that a batch is not reaching people at all; the self-pause counts them. */
const failedDispositions: ReadonlySet<string> = new Set([
  'unreachable',
  'blocked',
  'carrier-failure',
  'agent-failure',
])

type Family = Pick<
  Store,
  | 'placeCalls'
  | 'releaseClaims'
  | 'mayStillDial'
  | 'recordProgress'
  | 'endAttempts'
  | 'listOrphans'
  | 'countOpenAttempts'
>

export function callStatements(connection: Connection, rules: Rules): Family {
  const selectOpen = connection.prepare(
    `SELECT id, workspace_id, number, batch_id, recipient_id, trunk_id, phone_number_id, agent_id, zone, ordinal, status,
       node_id, lease_until, call_id, dialed_at, answered_at FROM open_attempts WHERE id = ?`,
  )
  const placedCounts = connection.prepare(
    `SELECT workspace_id, trunk_id, phone_number_id, agent_id, batch_id, sum(status <> 'claimed') AS placed,
       sum(status = 'claimed') AS claimed
     FROM open_attempts GROUP BY workspace_id, trunk_id, phone_number_id, agent_id, batch_id`,
  )
  const isSuppressed = connection.prepare('SELECT 1 FROM suppressions WHERE workspace_id = ? AND number = ?')
  const setDialing = connection.prepare(
    `UPDATE open_attempts SET status = 'dialing', call_id = ?, dialed_at = ? WHERE id = ?`,
  )
  const holdSlots = {
    trunk: connection.prepare('UPDATE trunks SET next_slot_at = max(next_slot_at, ?) WHERE id = ?'),
    batch: connection.prepare('UPDATE batches SET next_slot_at = max(next_slot_at, ?) WHERE id = ?'),
  }
  const setRinging = connection.prepare(
    `UPDATE open_attempts SET status = 'ringing' WHERE id = ? AND status = 'dialing'`,
  )
  const setAnswered = connection.prepare(
    `UPDATE open_attempts SET status = 'answered', answered_at = ? WHERE id = ? AND status IN ('dialing', 'ringing')`,
  )
  const deleteOpen = connection.prepare('DELETE FROM open_attempts WHERE id = ?')
  const insertEnded = connection.prepare(
    `INSERT INTO attempts (id, workspace_id, batch_id, recipient_id, trunk_id, phone_number_id, ordinal, call_id,
       dialed_at, answered_at, ended_at, disposition, cause, sip_status, q850, fault, retryable, cost_millicents)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  const putBack = connection.prepare('UPDATE recipients SET standing = ?, due_at = ? WHERE id = ?')
  const putBackThrottled = connection.prepare(
    `UPDATE recipients SET standing = ?, due_at = ?, put_backs = put_backs + 1,
       first_put_back_at = coalesce(first_put_back_at, ?) WHERE id = ?`,
  )
  const dropRecipient = connection.prepare(
    'UPDATE recipients SET standing = ?, due_at = NULL, finished_at = ? WHERE id = ?',
  )
  const settle = connection.prepare(
    `UPDATE recipients SET standing = ?, attempts = attempts + 1, due_at = ?, finished_at = ?, last_attempt_id = ?
     WHERE id = ?`,
  )
  const batchStatus = connection.prepare('SELECT status FROM batches WHERE id = ?')
  const takeCredit = connection.prepare(
    'UPDATE workspaces SET credit_millicents = credit_millicents - ? WHERE id = ? AND credit_millicents IS NOT NULL',
  )

  return {
    placeCalls: (calls, nodeId, now) =>
      connection.write(() => {
        const changes = new ProgressChanges()
        const placing = new Placing(placedCounts.all() as Row[])
        const verdicts = calls.map(call => place(call, nodeId, now, placing, changes))
        for (const batchId of changes.write(connection)) completeIfDone(connection, batchId, now)
        return verdicts
      }),

    releaseClaims: (attemptIds, now) =>
      connection.write(() => {
        const changes = new ProgressChanges()
        for (const attemptId of attemptIds) {
          const row = selectOpen.get(attemptId) as Row | undefined
          if (row?.status === 'claimed') unclaim(row, now, changes)
        }
        for (const batchId of changes.write(connection)) completeIfDone(connection, batchId, now)
        connection.workChanged()
      }),

    async mayStillDial(attemptIds, now) {
      const placing = new Placing([])
      return attemptIds.map(attemptId => {
        const row = selectOpen.get(attemptId) as Row | undefined
        return row !== undefined && recheck(row, now, placing) === 'placed'
      })
    },

    recordProgress: progress =>
      connection.write(() => {
        for (const { attemptId, status, at } of progress) {
          if (status === 'ringing') setRinging.run(attemptId)
          else setAnswered.run(at, attemptId)
        }
      }),

    endAttempts: (ended, now) =>
      connection.write((): EndedResult => {
        const ending = new Ending()
        const recorded = ended.map(one => end(one, now, ending))
        const touched = ending.changes.write(connection)
        for (const [workspaceId, cost] of ending.costs) takeCredit.run(cost, workspaceId)
        for (const batchId of ending.counted.keys())
          pauseIfFailing(batchId, ending.counted.get(batchId) ?? 0, now)
        const completed = touched.filter(batchId => completeIfDone(connection, batchId, now))
        return { completed, recorded }
      }),

    listOrphans: async nodeId =>
      connection
        .prepare(
          `SELECT o.*, r.variables, r.put_backs, r.first_put_back_at, n.e164, t.kind, b.retry,
             b.ring_timeout_ms, b.max_call_ms
           FROM open_attempts o JOIN recipients r ON r.id = o.recipient_id JOIN phone_numbers n ON n.id = o.phone_number_id
             JOIN trunks t ON t.id = o.trunk_id JOIN batches b ON b.id = o.batch_id
           WHERE o.node_id <> ? ORDER BY o.id`,
        )
        .all(nodeId)
        .map(toOrphan),

    countOpenAttempts: async () =>
      Number((connection.prepare('SELECT count(*) AS open FROM open_attempts').get() as Row).open),
  }

  function place(
    call: PlacedCall,
    nodeId: string,
    now: number,
    placing: Placing,
    changes: ProgressChanges,
  ): PlaceVerdict {
    const row = selectOpen.get(call.attemptId) as Row | undefined
    if (row === undefined || row.node_id !== nodeId || row.status !== 'claimed') return 'lease-lost'
    const verdict = recheck(row, now, placing)
    if (verdict === 'suppressed') {
      deleteOpen.run(row.id)
      dropRecipient.run('suppressed', now, row.recipient_id)
      changes.move(row.batch_id, 'calling', 'suppressed')
    } else if (verdict !== 'placed') unclaim(row, now, changes)
    if (verdict !== 'placed') return verdict
    setDialing.run(call.callId, now, row.id)
    changes.sum(row.batch_id, 'attempts', 1)
    placing.add(row)
    holdLaterSlots(row, now, placing)
    return 'placed'
  }

  /** Everything that may have changed since the claim. */
  function recheck(row: Row, now: number, placing: Placing): PlaceVerdict {
    const batch = rules.running().get(row.batch_id)
    if (row.lease_until <= now) return 'lease-lost'
    if (batch === undefined) return 'batch-not-running'
    if (batch.stopped) return 'workspace-stopped'
    if (rules.suppresses(row.workspace_id) && isSuppressed.get(row.workspace_id, row.number) !== undefined)
      return 'suppressed'
    if (!isOpen(batch.window, row.zone, now)) return 'window-closed'
    const trunkOpen = batch.trunkBreakerUntil !== null && batch.trunkBreakerUntil > now
    const agentOpen = batch.agentBreakerUntil !== null && batch.agentBreakerUntil > now
    if (trunkOpen || agentOpen) return 'breaker-open'
    for (const { scope, max } of batch.limits) if (placing.placedIn(scope) >= max) return 'over-limit'
    return 'placed'
  }

  /** A call that went out later than its slot moves the slots after it: lateness is never caught up. */
  function holdLaterSlots(row: Row, now: number, placing: Placing): void {
    const batch = rules.running().get(row.batch_id)
    if (batch === undefined) return
    const { trunkSpacingMs, batchSpacingMs } = batch
    if (trunkSpacingMs > 0)
      holdSlots.trunk.run(
        now + trunkSpacingMs * (1 + placing.claimedIn(`trunk:${row.trunk_id}`)),
        row.trunk_id,
      )
    if (batchSpacingMs > 0)
      holdSlots.batch.run(
        now + batchSpacingMs * (1 + placing.claimedIn(`batch:${row.batch_id}`)),
        row.batch_id,
      )
  }

  /** Back where it came from, unspent; to `cancelled` when its batch was cancelled meanwhile. */
  function unclaim(row: Row, now: number, changes: ProgressChanges): void {
    deleteOpen.run(row.id)
    if (statusOfBatch(row.batch_id) === 'cancelled') {
      dropRecipient.run('cancelled', now, row.recipient_id)
      changes.move(row.batch_id, 'calling', 'cancelled')
      return
    }
    const standing = queueOf(row.ordinal)
    putBack.run(standing, standing === 'queued' ? 0 : now, row.recipient_id)
    changes.move(row.batch_id, 'calling', standing)
  }

  function end(ended: EndedAttempt, now: number, ending: Ending): boolean {
    const row = selectOpen.get(ended.attemptId) as Row | undefined
    if (row === undefined || row.status === 'claimed') return false
    deleteOpen.run(row.id)
    const live = ending.isLive(row.batch_id, statusOfBatch)
    if (ended.next.kind === 'put-back') returnUnspent(row, ended, ended.next, live, now, ending)
    else settleRecipient(row, ended, live, ending)
    if (ended.suppress) suppressOne(connection, row.workspace_id, row.number, 'the person said no', now)
    return true
  }

  function returnUnspent(
    row: Row,
    { outcome, endedAt }: EndedAttempt,
    { dueAt, throttled }: { dueAt: number; throttled: boolean },
    live: boolean,
    now: number,
    ending: Ending,
  ): void {
    const standing: Standing = live ? queueOf(row.ordinal) : 'cancelled'
    if (!live) dropRecipient.run(standing, now, row.recipient_id)
    else if (throttled) putBackThrottled.run(standing, dueAt, now, row.recipient_id)
    else putBack.run(standing, dueAt, row.recipient_id)
    ending.changes.move(row.batch_id, 'calling', standing)
    ending.changes.sum(row.batch_id, 'attempts', -1)
    const { cause, sipStatus } = outcome
    const data = {
      attemptId: row.id,
      recipientId: row.recipient_id,
      callId: row.call_id,
      cause,
      sipStatus,
      dueAt,
    }
    connection.emit(row.workspace_id, row.batch_id, 'attempt.put-back', endedAt, JSON.stringify(data))
  }

  function settleRecipient(row: Row, ended: EndedAttempt, live: boolean, ending: Ending): void {
    const { outcome, endedAt, costMillicents, next } = ended
    const { disposition, cause, sipStatus, q850, fault, retryable } = outcome
    const answeredAt = ended.answeredAt ?? row.answered_at
    insertEnded.run(
      row.id,
      row.workspace_id,
      row.batch_id,
      row.recipient_id,
      row.trunk_id,
      row.phone_number_id,
      row.ordinal,
      row.call_id,
      row.dialed_at,
      answeredAt,
      endedAt,
      disposition,
      cause,
      sipStatus,
      q850,
      fault,
      retryable ? 1 : 0,
      costMillicents,
    )
    const retryAt = live && next.kind === 'retry' ? next.dueAt : null
    const standing: Standing = retryAt === null ? finalStanding(outcome) : 'waiting'
    settle.run(standing, retryAt, retryAt === null ? endedAt : null, row.id, row.recipient_id)
    ending.changes.move(row.batch_id, 'calling', standing)
    const reached = disposition === 'answered' || disposition === 'voicemail'
    const talkMs = reached && answeredAt !== null ? endedAt - answeredAt : 0
    ending.count(row, talkMs, costMillicents, failedDispositions.has(disposition))
    connection.emit(
      row.workspace_id,
      row.batch_id,
      'attempt.ended',
      endedAt,
      `{"attemptId":${row.id},"recipientId":${row.recipient_id},"ordinal":${row.ordinal},"disposition":"${disposition}",` +
        `"cause":${JSON.stringify(cause)},"sipStatus":${sipStatus},"talkMs":${talkMs},"nextRetryAt":${retryAt}}`,
    )
  }

  function statusOfBatch(batchId: number): string {
    return (batchStatus.get(batchId) as Row | undefined)?.status ?? 'cancelled'
  }

  /** Asked once, when the sample is full: who resumes such a batch has decided. */
  function pauseIfFailing(batchId: number, counted: number, now: number): void {
    const progress = connection
      .prepare(
        `SELECT p.ended_attempts AS endedAttempts, p.failed_attempts AS failedAttempts, b.workspace_id AS workspaceId
         FROM batch_progress p JOIN batches b ON b.id = p.batch_id WHERE b.id = ? AND b.status = 'running'`,
      )
      .get(batchId) as { endedAttempts: number; failedAttempts: number; workspaceId: number } | undefined
    if (progress === undefined || progress.endedAttempts - counted >= selfPauseRule.sample) return
    if (firstCallsFailed(progress)) {
      const { workspaceId } = progress
      setBatchStatus(
        connection,
        { id: batchId, workspaceId },
        'paused',
        'batch.paused',
        now,
        'first_calls_failed',
      )
    }
  }
}

/** Who was never called waits in `queued`, who was in `waiting`. */
const queueOf = (ordinal: number): 'queued' | 'waiting' => (ordinal > 1 ? 'waiting' : 'queued')

/** Calls placed and still claimed, by scope, while a group is being placed. */
class Placing {
  readonly #placed = new Map<string, number>()
  readonly #claimed = new Map<string, number>()

  constructor(rows: readonly Row[]) {
    for (const row of rows)
      for (const scope of scopesOf(attemptScopes(row))) {
        this.#placed.set(scope, this.placedIn(scope) + row.placed)
        this.#claimed.set(scope, this.claimedIn(scope) + row.claimed)
      }
  }

  placedIn(scope: string): number {
    return this.#placed.get(scope) ?? 0
  }

  claimedIn(scope: string): number {
    return this.#claimed.get(scope) ?? 0
  }

  add(row: Row): void {
    for (const scope of scopesOf(attemptScopes(row))) {
      this.#placed.set(scope, this.placedIn(scope) + 1)
      this.#claimed.set(scope, this.claimedIn(scope) - 1)
    }
  }
}

const attemptScopes = (row: Row) => ({
  workspaceId: row.workspace_id as number,
  trunkId: row.trunk_id as number,
  phoneNumberId: row.phone_number_id as number,
  agentId: row.agent_id as number,
  batchId: row.batch_id as number,
})

/** What a group of ended attempts adds up to. */
class Ending {
  readonly changes = new ProgressChanges()
  /** Cost by workspace, thousandths of a cent. */
  readonly costs = new Map<number, number>()
  /** Attempts that counted, by batch. */
  readonly counted = new Map<number, number>()
  readonly #live = new Map<number, boolean>()

  /** Whether somebody of this batch may be called again. */
  isLive(batchId: number, statusOf: (batchId: number) => string): boolean {
    let live = this.#live.get(batchId)
    if (live === undefined) {
      live = !['cancelled', 'failed', 'completed'].includes(statusOf(batchId))
      this.#live.set(batchId, live)
    }
    return live
  }

  count(row: Row, talkMs: number, costMillicents: number, failed: boolean): void {
    const batchId = row.batch_id
    this.counted.set(batchId, (this.counted.get(batchId) ?? 0) + 1)
    this.changes.sum(batchId, 'ended_attempts', 1)
    this.changes.sum(batchId, 'talk_ms', talkMs)
    this.changes.sum(batchId, 'cost_millicents', costMillicents)
    if (failed) this.changes.sum(batchId, 'failed_attempts', 1)
    if (costMillicents > 0)
      this.costs.set(row.workspace_id, (this.costs.get(row.workspace_id) ?? 0) + costMillicents)
  }
}

function toOrphan(row: Row): OrphanedAttempt {
  return {
    attemptId: row.id,
    workspaceId: row.workspace_id,
    batchId: row.batch_id,
    recipientId: row.recipient_id,
    trunkId: row.trunk_id,
    phoneNumberId: row.phone_number_id,
    agentId: row.agent_id,
    number: row.number,
    callerId: row.e164,
    zone: row.zone,
    variablesJson: row.variables,
    ordinal: row.ordinal,
    putBacks: row.put_backs,
    firstPutBackAt: row.first_put_back_at,
    slotAt: row.slot_at,
    trunkSpacingMs: 0,
    batchSpacingMs: 0,
    ringTimeoutMs: row.ring_timeout_ms,
    maxCallMs: row.max_call_ms,
    retry: JSON.parse(row.retry),
    status: row.status,
    callId: row.call_id,
    answeredAt: row.answered_at,
    dialedAt: row.dialed_at,
    trunkKind: row.kind,
  }
}

// The claim: which recipients are called next, within every limit, shared fairly. One transaction.
//
// Places are counted from open attempts each time (a counter beside them drifts), then shared, then taken; what a batch
// could not use is shared again. Reading two batches of 50,000 and 10 rows takes as long as reading two of 10.
import { isOpen, nextOpening } from '../../domain/calling-window.ts'
import { shareFreePlaces } from '../../domain/pacing.ts'
import { assignSlots } from '../assign-slots.ts'
import { CallerRound, CallerTurns } from '../caller-turns.ts'
import { ClaimRound, type Due, numberBusyRetryMs, toClaim } from '../claim-round.ts'
import type { ClaimRequest, ClaimResult } from '../dispatch-records.ts'
import type { Row } from '../rows.ts'
import type { RunningBatch } from '../running-batch.ts'
import type { Store } from '../store.ts'
import { callerCalls } from './caller-calls.ts'
import type { Connection } from './connection.ts'
import type { DueTimes } from './due-times.ts'
import { completeIfDone, ProgressChanges, setBatchStatus } from './moves.ts'
import { parking } from './parking.ts'
import type { Rules } from './rules.ts'

type Round = ClaimRound<ProgressChanges>

export function claimStatements(
  connection: Connection,
  rules: Rules,
  dueTimes: DueTimes,
): Pick<Store, 'claim'> {
  const mayStart = `status = 'scheduled' AND (SELECT held_reason IS NULL FROM store_state)`
  const startable = connection.prepare(
    `SELECT id, workspace_id AS workspaceId FROM batches WHERE ${mayStart} AND scheduled_at <= ?`,
  )
  const nextStart = connection.prepare(`SELECT min(scheduled_at) AS at FROM batches WHERE ${mayStart}`)
  const openCounts = connection.prepare(
    `SELECT workspace_id, trunk_id, phone_number_id, agent_id, batch_id, count(*) AS open,
       sum(status = 'claimed') AS claimed FROM open_attempts
     GROUP BY workspace_id, trunk_id, phone_number_id, agent_id, batch_id`,
  )
  const queues = connection.prepare(
    `SELECT p.batch_id, p.queued, p.waiting FROM batches b JOIN batch_progress p ON p.batch_id = b.id
     WHERE b.status = 'running' AND b.parked_until IS NULL AND p.queued + p.waiting > 0`,
  )
  const selectDue = connection.prepare(
    `SELECT id, number, zone, attempts, put_backs, first_put_back_at, last_attempt_id, variables FROM recipients
     WHERE batch_id = ? AND standing = ? AND zone = ? AND due_at <= ? ORDER BY due_at LIMIT ?`,
  )
  const nextDue = connection.prepare(
    `SELECT due_at AS at FROM recipients
     WHERE batch_id = ? AND standing = ? AND zone = ? AND due_at IS NOT NULL ORDER BY due_at LIMIT 1`,
  )
  const insertOpen = connection.prepare(
    `INSERT INTO open_attempts (id, workspace_id, number, batch_id, recipient_id, trunk_id, phone_number_id, agent_id,
       zone, ordinal, status, node_id, lease_until, slot_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'claimed', ?, ?, 0)
     ON CONFLICT (workspace_id, number) DO NOTHING`,
  )
  const setCalling = connection.prepare(
    `UPDATE recipients SET standing = 'calling', due_at = NULL WHERE id = ?`,
  )
  const defer = connection.prepare('UPDATE recipients SET due_at = ? WHERE id = ?')
  const nextSlots = {
    trunk: connection.prepare('SELECT next_slot_at AS at FROM trunks WHERE id = ?'),
    batch: connection.prepare('SELECT next_slot_at AS at FROM batches WHERE id = ?'),
  }
  const setNextSlot = {
    trunk: connection.prepare('UPDATE trunks SET next_slot_at = ? WHERE id = ?'),
    batch: connection.prepare('UPDATE batches SET next_slot_at = ? WHERE id = ?'),
  }
  const setSlot = connection.prepare('UPDATE open_attempts SET slot_at = ? WHERE id = ?')
  const lastCaller = connection.prepare('SELECT phone_number_id AS id FROM attempts WHERE id = ?')
  const parked = parking(connection)
  const calls = callerCalls(connection)
  const turns = new CallerTurns()
  let nextAttemptId = lastAttemptId(connection) + 1
  let rotation = 0

  return { claim: request => connection.write(() => claim(request)) }

  function claim(request: ClaimRequest): ClaimResult {
    const { now } = request
    for (const batch of startable.all(now) as unknown as { id: number; workspaceId: number }[]) {
      setBatchStatus(connection, batch, 'running', 'batch.started', now)
      completeIfDone(connection, batch.id, now)
    }
    if (request.asSafetyNet === true) dueTimes.forget()
    const round = new ClaimRound(request, connection.now(), new ProgressChanges())
    round.wakeBy(parked.release(now))
    const callers = new CallerRound(round, calls.figures(now), turns)
    const batches = eligibleBatches(round, callers)
    while (batches.size > 0 && round.claims.length < request.maxClaims) {
      const shares = shareFreePlaces(
        [...batches.values()].map(batch => ({
          id: batch.id,
          scopes: round.scopes(batch),
          open: round.openOf(`batch:${batch.id}`),
          wanted: request.maxClaims - round.claims.length,
        })),
        round.free,
      )
      if (shares.size === 0) break
      for (const [batchId, share] of shares) {
        const batch = batches.get(batchId)!
        if (take(round, callers, batch, share) < share) {
          batches.delete(batchId)
          // A number that is free again wakes us, not a person who is due already.
          if (callers.placesOf(batch) > 0) wakeForNextDue(round, batch)
        }
      }
      if (round.claims.length === request.maxClaims) round.more = true
    }
    round.changes.write(connection)
    keepSlots(round)
    round.wakeBy((nextStart.get() as Row).at)
    return { claims: round.claims, wakeAt: round.wakeAt, more: round.more }
  }

  /** Running batches with somebody to call, in rotated order, that no stop and no breaker holds back. */
  function eligibleBatches(round: Round, callers: CallerRound): Map<number, RunningBatch> {
    const running = rules.running()
    const eligible = new Map<number, RunningBatch>()
    for (const row of openCounts.all() as Row[]) round.countOpen(row)
    const waiting = queues.all() as Row[]
    rotation = waiting.length === 0 ? 0 : (rotation + 1) % waiting.length
    for (const row of [...waiting.slice(rotation), ...waiting.slice(0, rotation)]) {
      const batch = running.get(row.batch_id)
      if (batch === undefined || batch.stopped) continue
      round.queues.set(batch.id, { queued: row.queued, waiting: row.waiting })
      if (round.heldByBreaker(batch)) continue
      round.limit(batch)
      callers.limit(batch)
      if (batch.trunkSpacingMs > 0)
        round.limitRate(
          `trunk-rate:${batch.trunkId}`,
          (nextSlots.trunk.get(batch.trunkId) as Row).at,
          batch.trunkSpacingMs,
        )
      if (batch.batchSpacingMs > 0)
        round.limitRate(
          `batch-rate:${batch.id}`,
          (nextSlots.batch.get(batch.id) as Row).at,
          batch.batchSpacingMs,
        )
      eligible.set(batch.id, batch)
    }
    return eligible
  }

  /** Claims up to `count` due recipients of a batch: retries first, or they would wait for the end of a long list. */
  function take(round: Round, callers: CallerRound, batch: RunningBatch, count: number): number {
    const { now } = round.request
    let taken = 0
    for (const standing of ['waiting', 'queued'] as const) {
      for (const zone of round.openZones(batch)) {
        if ((dueTimes.get(batch.id, standing, zone) ?? now) > now) continue
        for (;;) {
          const places = Math.min(count - taken, callers.placesOf(batch))
          if (places === 0 || !round.mayHave(batch, standing)) break
          const rows = selectDue.all(batch.id, standing, zone, now, places) as Row[]
          for (const row of rows) if (claimOne(round, callers, batch, standing, row)) taken++
          if (rows.length > 0) continue
          learnNextDue(batch.id, standing, zone)
          break
        }
      }
    }
    return taken
  }

  function claimOne(
    round: Round,
    callers: CallerRound,
    batch: RunningBatch,
    standing: Due,
    row: Row,
  ): boolean {
    const { now, nodeId } = round.request
    const { workspaceId, trunkId, agentId } = batch
    const caller = callers.choose(batch, () => lastCallerOf(row))
    const attemptId = nextAttemptId++
    const ordinal = row.attempts + 1
    const { changes } = insertOpen.run(
      attemptId,
      workspaceId,
      row.number,
      batch.id,
      row.id,
      trunkId,
      caller.phoneNumberId,
      agentId,
      row.zone,
      ordinal,
      nodeId,
      round.leaseUntil,
    )
    if (changes === 0) {
      callers.giveBack(caller)
      defer.run(now + numberBusyRetryMs, row.id)
      dueTimes.lower(batch.id, standing, row.zone, now + numberBusyRetryMs)
      return false
    }
    setCalling.run(row.id)
    round.add(batch, standing, toClaim(batch, row, caller, attemptId, now))
    return true
  }

  function lastCallerOf({ last_attempt_id: id }: Row): number | null {
    return id === null ? null : (lastCaller.get(id) as Row).id
  }

  /** The batch has room but nobody due: when will it have? */
  function wakeForNextDue(round: Round, batch: RunningBatch): void {
    const { now } = round.request
    for (const zone of batch.zones) {
      const opensAt = isOpen(batch.window, zone, now) ? now : nextOpening(batch.window, zone, now)
      if (opensAt === null) continue
      for (const standing of ['waiting', 'queued'] as const) {
        if (!round.mayHave(batch, standing)) continue
        const due = dueTimes.get(batch.id, standing, zone) ?? learnNextDue(batch.id, standing, zone)
        if (due !== Number.POSITIVE_INFINITY) round.wakeBy(Math.max(due, opensAt))
      }
    }
  }

  function learnNextDue(batchId: number, standing: Due, zone: string): number {
    const row = nextDue.get(batchId, standing, zone) as Row | undefined
    const at = row === undefined ? Number.POSITIVE_INFINITY : row.at
    dueTimes.know(batchId, standing, zone, at)
    return at
  }

  /** Gives each claim on a paced trunk or batch its slot, and keeps where the next one starts. */
  function keepSlots(round: Round): void {
    const { slotted, next } = assignSlots(round, (kind, id) => (nextSlots[kind].get(id) as Row).at)
    for (const { attemptId, slotAt } of slotted) setSlot.run(slotAt, attemptId)
    for (const [id, at] of next.trunk) setNextSlot.trunk.run(at, id)
    for (const [id, at] of next.batch) setNextSlot.batch.run(at, id)
  }
}

function lastAttemptId(connection: Connection): number {
  const row = connection
    .prepare(
      `SELECT max(coalesce((SELECT max(id) FROM attempts), 0), coalesce((SELECT max(id) FROM open_attempts), 0),
         coalesce((SELECT max(attempt_id) FROM traces), 0)) AS last`,
    )
    .get() as Row
  return row.last
}

// The claim: which recipients are called next, within every limit, shared fairly. One transaction.
//
// The workspaces that have anybody to call are locked first; places are counted from open attempts in a statement of its
// own after that (one statement for both passed the limit in 3 of 20 trials), then shared, then taken for all batches at
// once; what a batch could not use is shared again.
import { shareFreePlaces } from '../../domain/pacing.ts'
import { CallerRound, CallerTurns, type ChosenCaller } from '../caller-turns.ts'
import { ClaimRound, type Due, numberBusyRetryMs, toClaim } from '../claim-round.ts'
import type { ClaimRequest, ClaimResult } from '../dispatch-records.ts'
import type { DispatchStore } from '../dispatch-store.ts'
import type { Row } from '../rows.ts'
import type { RunningBatch } from '../running-batch.ts'
import { readFigures } from './caller-calls.ts'
import { keepSlots, readSlots, type Slots } from './claim-slots.ts'
import { lastChange, lockBusyWorkspaces, look, type WaitingBatches } from './claim-view.ts'
import type { Connection } from './connection.ts'
import { nextDueTimes, selectDue } from './due-people.ts'
import { ProgressChanges } from './moves.ts'
import type { Transaction } from './transaction.ts'

export type Round = ClaimRound<ProgressChanges>

export function claimStatements(connection: Connection): Pick<DispatchStore, 'claim'> {
  let rotation = 0
  const turns = new CallerTurns()
  return { claim: request => connection.write(tx => claim(tx, request, rotation++, turns)) }
}

async function claim(
  tx: Transaction,
  request: ClaimRequest,
  rotation: number,
  turns: CallerTurns,
): Promise<ClaimResult> {
  const workspaceIds = await lockBusyWorkspaces(tx, request.now)
  const [{ storeNow, next, waiting }, changedAt] = await Promise.all([
    look(tx, workspaceIds, request.now),
    request.asSafetyNet === true ? lastChange(tx, workspaceIds) : null,
  ])
  const round: Round = new ClaimRound(request, storeNow, new ProgressChanges())
  const { batches, slots, callers } = await eligibleBatches(tx, round, waiting, rotation, turns)
  const exhausted: RunningBatch[] = []
  while (batches.size > 0 && round.claims.length < request.maxClaims) {
    const shares = sharesOf(round, batches)
    if (shares.size === 0) break
    const found = await take(tx, round, callers, batches, shares)
    for (const [batchId, share] of shares) {
      if ((found.get(batchId) ?? 0) >= share) continue
      const batch = batches.get(batchId)!
      // A number that is free again wakes us, not a person who is due already.
      if (callers.placesOf(batch) > 0) exhausted.push(batch)
      batches.delete(batchId)
    }
    if (round.claims.length === request.maxClaims) round.more = true
  }
  await Promise.all([keepSlots(tx, round, slots), wakeForNextDue(tx, round, exhausted)])
  round.changes.writeLast(tx)
  round.wakeBy(next)
  const { claims, wakeAt, more } = round
  return { claims, wakeAt, more, ...(changedAt === null ? {} : { changedAt }) }
}

/** Running batches with somebody to call, in rotated order, that no stop and no breaker holds back. */
async function eligibleBatches(
  tx: Transaction,
  round: Round,
  { open, queues, running }: WaitingBatches,
  rotation: number,
  turns: CallerTurns,
): Promise<{ batches: Map<number, RunningBatch>; slots: Slots; callers: CallerRound }> {
  const slots = await readSlots(tx, round, [...running.values()])
  const numbers = [...running.values()].flatMap(batch => batch.callers)
  const callers = new CallerRound(round, await readFigures(tx, numbers, round.request.now), turns)
  for (const row of open) round.countOpen(row)
  const first = queues.length === 0 ? 0 : (rotation + 1) % queues.length
  const eligible = new Map<number, RunningBatch>()
  for (const row of [...queues.slice(first), ...queues.slice(0, first)]) {
    const batch = running.get(row.batch_id)
    if (batch === undefined || batch.stopped) continue
    round.queues.set(batch.id, { queued: row.queued, waiting: row.waiting })
    if (round.heldByBreaker(batch)) continue
    round.limit(batch)
    callers.limit(batch)
    if (batch.trunkSpacingMs > 0)
      round.limitRate(
        `trunk-rate:${batch.trunkId}`,
        slots.begin('trunk', batch.trunkId),
        batch.trunkSpacingMs,
      )
    if (batch.batchSpacingMs > 0)
      round.limitRate(`batch-rate:${batch.id}`, slots.begin('batch', batch.id), batch.batchSpacingMs)
    eligible.set(batch.id, batch)
  }
  return { batches: eligible, slots, callers }
}

function sharesOf(round: Round, batches: ReadonlyMap<number, RunningBatch>): ReadonlyMap<number, number> {
  return shareFreePlaces(
    [...batches.values()].map(batch => ({
      id: batch.id,
      scopes: round.scopes(batch),
      open: round.openOf(`batch:${batch.id}`),
      wanted: round.request.maxClaims - round.claims.length,
    })),
    round.free,
  )
}

/** Claims as many due recipients of each batch as its share; returns how many were due and had a number to be called from. */
async function take(
  tx: Transaction,
  round: Round,
  callers: CallerRound,
  batches: ReadonlyMap<number, RunningBatch>,
  shares: ReadonlyMap<number, number>,
): Promise<ReadonlyMap<number, number>> {
  const { now } = round.request
  const places = [...shares.keys()].flatMap(batchId => {
    const batch = batches.get(batchId)!
    return (['waiting', 'queued'] as const)
      .filter(standing => round.mayHave(batch, standing))
      .flatMap(standing => round.openZones(batch).map(zone => ({ batchId, standing, zone })))
  })
  const chosen = await chooseCallers(tx, callers, batches, await selectDue(tx, shares, places, now))
  const due = [...chosen.keys()]
  const found = new Map<number, number>()
  for (const { batch_id: batchId } of due) found.set(batchId, (found.get(batchId) ?? 0) + 1)
  const attemptOf = await open(tx, round, batches, chosen)
  const taken = due.filter(row => attemptOf.has(row.id))
  const busy = due.filter(row => !attemptOf.has(row.id))
  await Promise.all([
    tx.change(`UPDATE recipients SET standing = 'calling', due_at = NULL WHERE id = ANY ($1::bigint[])`, [
      taken.map(row => row.id),
    ]),
    busy.length > 0 &&
      tx.change('UPDATE recipients SET due_at = $2 WHERE id = ANY ($1::bigint[])', [
        busy.map(row => row.id),
        now + numberBusyRetryMs,
      ]),
  ])
  for (const row of busy) callers.giveBack(chosen.get(row)!)
  for (const row of taken) {
    const batch = batches.get(row.batch_id)!
    round.add(batch, row.standing as Due, toClaim(batch, row, chosen.get(row)!, attemptOf.get(row.id)!, now))
  }
  return found
}

/** From which number each is called; who has none to be called from is left out. */
async function chooseCallers(
  tx: Transaction,
  callers: CallerRound,
  batches: ReadonlyMap<number, RunningBatch>,
  due: readonly Row[],
): Promise<Map<Row, ChosenCaller>> {
  const again = due.filter(row => row.attempts > 0 && batches.get(row.batch_id)!.callers.length > 1)
  const last =
    again.length === 0
      ? []
      : await tx.rows(
          `SELECT r.id, a.phone_number_id FROM recipients r JOIN attempts a ON a.id = r.last_attempt_id
           WHERE r.id = ANY ($1::bigint[])`,
          [again.map(row => row.id)],
        )
  const lastOf = new Map(last.map(row => [row.id as number, row.phone_number_id as number]))
  const chosen = new Map<Row, ChosenCaller>()
  for (const row of due) {
    const batch = batches.get(row.batch_id)!
    if (callers.placesOf(batch) > 0)
      chosen.set(
        row,
        callers.choose(batch, () => lastOf.get(row.id) ?? null),
      )
  }
  return chosen
}

/** Attempts by recipient; whose number is being called already, by whatever batch, gets none. */
async function open(
  tx: Transaction,
  round: Round,
  batches: ReadonlyMap<number, RunningBatch>,
  chosen: ReadonlyMap<Row, ChosenCaller>,
): Promise<ReadonlyMap<number, number>> {
  const due = [...chosen.keys()]
  if (due.length === 0) return new Map()
  const batchOf = (row: Row) => batches.get(row.batch_id)!
  const opened = await tx.rows(
    `INSERT INTO open_attempts (id, workspace_id, number, batch_id, recipient_id, trunk_id, phone_number_id, agent_id,
       zone, ordinal, status, node_id, lease_until, slot_at)
     SELECT nextval('attempt_ids'), d.workspace_id, d.number, d.batch_id, d.recipient_id, d.trunk_id, d.phone_number_id,
       d.agent_id, d.zone, d.ordinal, 'claimed', $10, $11, 0
     FROM (SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
         $7::bigint[], $8::text[], $9::integer[]) WITH ORDINALITY
       AS d (workspace_id, number, batch_id, recipient_id, trunk_id, phone_number_id, agent_id, zone, ordinal, position)
       ORDER BY position) d
     ON CONFLICT (workspace_id, number) DO NOTHING RETURNING id, recipient_id`,
    [
      due.map(row => batchOf(row).workspaceId),
      due.map(row => row.number),
      due.map(row => row.batch_id),
      due.map(row => row.id),
      due.map(row => batchOf(row).trunkId),
      [...chosen.values()].map(caller => caller.phoneNumberId),
      due.map(row => batchOf(row).agentId),
      due.map(row => row.zone),
      due.map(row => row.attempts + 1),
      round.request.nodeId,
      round.leaseUntil,
    ],
  )
  return new Map(opened.map(row => [row.recipient_id, row.id]))
}

/** Batches that have room but nobody due: when will they have? */
async function wakeForNextDue(
  tx: Transaction,
  round: Round,
  batches: readonly RunningBatch[],
): Promise<void> {
  for (const at of await nextDueTimes(tx, round, batches)) round.wakeBy(at)
}

// The second commit before the dial: everything that may have changed since the claim is looked at again, under the locks of
// all that it depends on.
import type { PlacedCall, PlaceVerdict } from '../dispatch-records.ts'
import type { DispatchStore } from '../dispatch-store.ts'
import { callerOf, Placing, recheckClaim, slotsHeldBack } from '../recheck-claim.ts'
import { queueOf, type Row } from '../rows.ts'
import type { RunningBatch } from '../running-batch.ts'
import { PlacedCalls, readFigures } from './caller-calls.ts'
import { moveSlots } from './claim-slots.ts'
import type { Connection } from './connection.ts'
import { type DialLock, lockForDial } from './locks.ts'
import { completeTouched, ProgressChanges } from './moves.ts'
import { readDatabaseTime } from './nodes.ts'
import { dropRecipients, openColumns, putBackRecipients } from './open-attempts.ts'
import { runningBatches } from './rules.ts'
import type { Reader, Transaction } from './transaction.ts'

export function placingStatements(
  connection: Connection,
): Pick<DispatchStore, 'placeCalls' | 'releaseClaims' | 'mayStillDial'> {
  /** As the last group needed it: the next one most likely does too. */
  let likely: DialLock = 'shared'
  return {
    async placeCalls(calls, nodeId, now) {
      const place = (how: DialLock) => connection.write(tx => placeCalls(tx, calls, nodeId, now, how))
      let placed = await place(likely)
      likely = placed.needed
      if (placed.verdicts === null) placed = await place('alone')
      return placed.verdicts ?? []
    },

    releaseClaims: (attemptIds, now) =>
      connection.write(async tx => {
        const world = await hold(tx, attemptIds, now, 'alone')
        const changes = new ProgressChanges()
        const claimed = [...world.rows.values()].filter(row => row.status === 'claimed')
        await unclaim(tx, claimed, world, now, changes)
        await completeTouched(tx, await changes.write(tx), now)
        tx.workChanged('this-node')
      }),

    mayStillDial: (attemptIds, nodeId, now) =>
      connection.snapshot(async reader => {
        const world = await look(reader, attemptIds, now)
        return attemptIds.map(attemptId => {
          const row = world.rows.get(attemptId)
          if (row === undefined || row.node_id !== nodeId) return false
          world.placing.takeBack(row)
          const isAllowed = recheck(row, world, now) === 'placed'
          world.placing.add(row)
          return isAllowed
        })
      }),
  }
}

/** Open attempts by id, and all that decides over them. */
interface World {
  rows: Map<number, Row>
  running: ReadonlyMap<number, RunningBatch>
  cancelled: ReadonlySet<number>
  suppressed: ReadonlySet<number>
  placing: Placing
  /** Against the caps of their numbers. */
  calls: PlacedCalls
  storeNow: number
}

/**
 * What all calls that have their places share, so that one check must see what the one before it placed: a limit that was
 * lowered below what is open, a number's cap by the day, the slots of a pace.
 */
function neededLock({ running, placing }: World): DialLock {
  for (const { limits, callers, trunkSpacingMs, batchSpacingMs } of running.values()) {
    const rationed = limits.some(({ scope, max }) => placing.openIn(scope) > max)
    const capped = callers.some(
      ({ phoneNumberId, maxConcurrentCalls, maxCallsPerDay }) =>
        maxCallsPerDay !== null ||
        (maxConcurrentCalls !== null && placing.openIn(`caller:${phoneNumberId}`) > maxConcurrentCalls),
    )
    if (rationed || capped || trunkSpacingMs > 0 || batchSpacingMs > 0) return 'alone'
  }
  return 'shared'
}

/** `verdicts` null: nothing was done, since it takes the workspaces alone. */
async function placeCalls(
  tx: Transaction,
  calls: readonly PlacedCall[],
  nodeId: string,
  now: number,
  how: DialLock,
): Promise<{ verdicts: PlaceVerdict[] | null; needed: DialLock }> {
  const world = await hold(
    tx,
    calls.map(({ attemptId }) => attemptId),
    now,
    how,
  )
  const needed = neededLock(world)
  if (how === 'shared' && needed === 'alone') return { verdicts: null, needed }
  const changes = new ProgressChanges()
  const placed: { row: Row; callId: string }[] = []
  const returned: Row[] = []
  const suppressed: Row[] = []
  const slots = { trunk: [] as [number, number][], batch: [] as [number, number][] }
  const place = ({ attemptId, callId }: PlacedCall): PlaceVerdict => {
    const row = world.rows.get(attemptId)
    if (row === undefined || row.node_id !== nodeId) return 'lease-lost'
    // The commit that placed it was not acknowledged, so it was not dialled: what forbids it now still counts.
    const isPlaced = row.status === 'dialing' && row.call_id === callId
    if (row.status !== 'claimed' && !isPlaced) return 'lease-lost'
    const caller = callerOf(row, world.running.get(row.batch_id))
    if (isPlaced) {
      world.placing.takeBack(row)
      if (caller !== undefined) world.calls.takeBack(caller, row)
    }
    const checked = recheck(row, world, now)
    // The day's cap of its number has the last word: what is counted here is dialled.
    const isCapped = checked === 'placed' && caller !== undefined && !world.calls.place(caller, row)
    const verdict = isCapped ? 'over-limit' : checked
    if (isPlaced) changes.sum(row.batch_id, 'attempts', -1)
    if (verdict !== 'placed') {
      // It may stand in the group a second time.
      world.rows.delete(attemptId)
      if (verdict === 'suppressed') suppressed.push(row)
      else returned.push(row)
    } else {
      world.rows.set(attemptId, { ...row, status: 'dialing', call_id: callId, dialed_at: now })
      placed.push({ row, callId })
      changes.sum(row.batch_id, 'attempts', 1)
      world.placing.add(row)
      for (const { kind, id, at } of slotsHeldBack(row, world.running.get(row.batch_id)!, now, world.placing))
        slots[kind].push([id, at])
    }
    return verdict
  }
  const verdicts = calls.map(place)
  await Promise.all([
    setDialing(tx, placed, now),
    world.calls.write(tx, now),
    suppress(tx, suppressed, now, changes),
    unclaim(tx, returned, world, now, changes),
    moveSlots(tx, 'trunk', slots.trunk, null),
    moveSlots(tx, 'batch', slots.batch, null),
  ])
  if (placed.length < calls.length) await completeTouched(tx, await changes.write(tx), now)
  else changes.writeLast(tx)
  return { verdicts, needed }
}

/**
 * Locks the workspaces and rows of these attempts and reads them as they are then, all in one trip. Moves of their batches
 * hold the workspace as well; the batches' own locks come last, with their counters.
 */
async function hold(
  tx: Transaction,
  attemptIds: readonly number[],
  now: number,
  how: DialLock,
): Promise<World> {
  const [, , world] = await Promise.all([
    lockForDial(tx, attemptIds, how),
    tx.rows('SELECT FROM open_attempts WHERE id = ANY ($1::bigint[]) ORDER BY id FOR UPDATE', [attemptIds]),
    look(tx, attemptIds, now),
  ])
  return world
}

const ofAttempts = 'SELECT batch_id FROM open_attempts WHERE id = ANY ($1::bigint[])'

async function look(reader: Reader, attemptIds: readonly number[], now: number): Promise<World> {
  const [rows, running, counts, suppressed, storeNow] = await Promise.all([
    reader.rows(`SELECT ${openColumns} FROM open_attempts WHERE id = ANY ($1::bigint[])`, [attemptIds]),
    runningBatches(reader, { batchIds: ofAttempts, ids: attemptIds }),
    // An array, not a join: the planner once made half a second of a join for 1,000 calls.
    reader.rows(
      `SELECT workspace_id, trunk_id, phone_number_id, agent_id, batch_id,
         count(*) FILTER (WHERE status <> 'claimed') AS placed, count(*) FILTER (WHERE status = 'claimed') AS claimed
       FROM open_attempts
       WHERE workspace_id = ANY (ARRAY(SELECT DISTINCT workspace_id FROM open_attempts WHERE id = ANY ($1::bigint[])))
       GROUP BY workspace_id, trunk_id, phone_number_id, agent_id, batch_id`,
      [attemptIds],
    ),
    reader.rows(
      `SELECT o.id FROM open_attempts o JOIN suppressions s ON s.workspace_id = o.workspace_id AND s.number = o.number
       WHERE o.id = ANY ($1::bigint[])`,
      [attemptIds],
    ),
    readDatabaseTime(reader),
  ])
  const batchIds = [...new Set(rows.map(row => row.batch_id as number))]
  const figures = await readFigures(
    reader,
    [...running.values()].flatMap(({ callers }) => callers),
    now,
  )
  const stopped = batchIds.filter(batchId => !running.has(batchId))
  const cancelled =
    stopped.length === 0
      ? []
      : await reader.rows(`SELECT id FROM batches WHERE id = ANY ($1::bigint[]) AND status = 'cancelled'`, [
          stopped,
        ])
  return {
    rows: new Map(rows.map(row => [row.id, row])),
    running,
    cancelled: new Set(cancelled.map(row => row.id)),
    suppressed: new Set(suppressed.map(row => row.id)),
    placing: new Placing(counts),
    calls: new PlacedCalls(figures),
    storeNow,
  }
}

const recheck = (row: Row, { running, suppressed, placing, storeNow }: World, now: number): PlaceVerdict =>
  recheckClaim({
    row,
    batch: running.get(row.batch_id),
    now,
    storeNow,
    placing,
    isOnList: () => suppressed.has(row.id),
  })

async function setDialing(
  tx: Transaction,
  placed: readonly { row: Row; callId: string }[],
  now: number,
): Promise<void> {
  if (placed.length === 0) return
  await tx.change(
    `UPDATE open_attempts o SET status = 'dialing', call_id = c.call_id, dialed_at = $3
     FROM unnest($1::bigint[], $2::text[]) AS c (id, call_id) WHERE o.id = c.id`,
    [placed.map(({ row }) => row.id), placed.map(({ callId }) => callId), now],
  )
}

async function suppress(
  tx: Transaction,
  rows: readonly Row[],
  now: number,
  changes: ProgressChanges,
): Promise<void> {
  if (rows.length === 0) return
  await removeAttempts(tx, rows)
  await dropRecipients(tx, rows, 'suppressed', now)
  for (const row of rows) changes.move(row.batch_id, 'calling', 'suppressed')
}

/** Back where they came from, unspent; to `cancelled` when their batch was cancelled meanwhile. */
async function unclaim(
  tx: Transaction,
  rows: readonly Row[],
  { cancelled }: World,
  now: number,
  changes: ProgressChanges,
): Promise<void> {
  if (rows.length === 0) return
  await removeAttempts(tx, rows)
  const dropped = rows.filter(row => cancelled.has(row.batch_id))
  await dropRecipients(tx, dropped, 'cancelled', now)
  for (const row of dropped) changes.move(row.batch_id, 'calling', 'cancelled')
  const returned = rows
    .filter(row => !cancelled.has(row.batch_id))
    .map(row => {
      const standing = queueOf(row.ordinal)
      changes.move(row.batch_id, 'calling', standing)
      return { row, standing, dueAt: standing === 'queued' ? 0 : now, throttledAt: null }
    })
  await putBackRecipients(tx, returned)
}

const removeAttempts = (tx: Transaction, rows: readonly Row[]) =>
  tx.change('DELETE FROM open_attempts WHERE id = ANY ($1::bigint[])', [rows.map(row => row.id)])

// The second commit before the dial: everything that may have changed since the claim is looked at again.
import type { PlacedCall, PlaceVerdict } from '../dispatch-records.ts'
import { callerOf, Placing, recheckClaim, slotsHeldBack } from '../recheck-claim.ts'
import { queueOf, type Row } from '../rows.ts'
import type { Store } from '../store.ts'
import { callerCalls } from './caller-calls.ts'
import type { Connection } from './connection.ts'
import type { DueTimes } from './due-times.ts'
import { completeIfDone, ProgressChanges } from './moves.ts'
import { openAttempts } from './open-attempts.ts'
import type { Rules } from './rules.ts'

export function placingStatements(
  connection: Connection,
  rules: Rules,
  dueTimes: DueTimes,
): Pick<Store, 'placeCalls' | 'releaseClaims' | 'mayStillDial'> {
  const open = openAttempts(connection, dueTimes)
  const placedCounts = connection.prepare(
    `SELECT workspace_id, trunk_id, phone_number_id, agent_id, batch_id, sum(status <> 'claimed') AS placed,
       sum(status = 'claimed') AS claimed
     FROM open_attempts GROUP BY workspace_id, trunk_id, phone_number_id, agent_id, batch_id`,
  )
  const callers = callerCalls(connection)
  const isSuppressed = connection.prepare('SELECT 1 FROM suppressions WHERE workspace_id = ? AND number = ?')
  const setDialing = connection.prepare(
    `UPDATE open_attempts SET status = 'dialing', call_id = ?, dialed_at = ? WHERE id = ?`,
  )
  const holdSlots = {
    trunk: connection.prepare('UPDATE trunks SET next_slot_at = max(next_slot_at, ?) WHERE id = ?'),
    batch: connection.prepare('UPDATE batches SET next_slot_at = max(next_slot_at, ?) WHERE id = ?'),
  }

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
          const row = open.find(attemptId)
          if (row?.status === 'claimed') unclaim(row, now, changes)
        }
        for (const batchId of changes.write(connection)) completeIfDone(connection, batchId, now)
        connection.workChanged()
      }),

    async mayStillDial(attemptIds, nodeId, now) {
      const placing = new Placing(placedCounts.all() as Row[])
      return attemptIds.map(attemptId => {
        const row = open.find(attemptId)
        if (row === undefined || row.node_id !== nodeId) return false
        placing.takeBack(row)
        const isAllowed = recheck(row, now, placing) === 'placed'
        placing.add(row)
        return isAllowed
      })
    },
  }

  function place(
    call: PlacedCall,
    nodeId: string,
    now: number,
    placing: Placing,
    changes: ProgressChanges,
  ): PlaceVerdict {
    const row = open.find(call.attemptId)
    if (row === undefined || row.node_id !== nodeId) return 'lease-lost'
    // The commit that placed it was not acknowledged, so it was not dialled: what forbids it now still counts.
    const isPlaced = row.status === 'dialing' && row.call_id === call.callId
    if (row.status !== 'claimed' && !isPlaced) return 'lease-lost'
    if (isPlaced) {
      placing.takeBack(row)
      callers.takeBack(row)
    }
    const verdict = countCall(row, now, recheck(row, now, placing))
    if (isPlaced) changes.sum(row.batch_id, 'attempts', -1)
    if (verdict === 'suppressed') {
      open.remove(row.id)
      open.dropRecipient(row.recipient_id, 'suppressed', now)
      changes.move(row.batch_id, 'calling', 'suppressed')
    } else if (verdict !== 'placed') unclaim(row, now, changes)
    if (verdict !== 'placed') return verdict
    setDialing.run(call.callId, now, row.id)
    changes.sum(row.batch_id, 'attempts', 1)
    placing.add(row)
    holdLaterSlots(row, now, placing)
    return 'placed'
  }

  /** The day's cap of its number has the last word: what is counted here is dialled. */
  function countCall(row: Row, now: number, verdict: PlaceVerdict): PlaceVerdict {
    const caller = callerOf(row, rules.running().get(row.batch_id))
    if (verdict !== 'placed' || caller === undefined) return verdict
    return callers.place(caller, row.id, now) ? 'placed' : 'over-limit'
  }

  /** Everything that may have changed since the claim. */
  function recheck(row: Row, now: number, placing: Placing): PlaceVerdict {
    const batch = rules.running().get(row.batch_id)
    const isOnList = () =>
      rules.suppresses(row.workspace_id) && isSuppressed.get(row.workspace_id, row.number) !== undefined
    return recheckClaim({ row, batch, now, storeNow: connection.now(), placing, isOnList })
  }

  /** A call that went out later than its slot moves the slots after it: lateness is never caught up. */
  function holdLaterSlots(row: Row, now: number, placing: Placing): void {
    const batch = rules.running().get(row.batch_id)
    if (batch === undefined) return
    for (const { kind, id, at } of slotsHeldBack(row, batch, now, placing)) holdSlots[kind].run(at, id)
  }

  /** Back where it came from, unspent; to `cancelled` when its batch was cancelled meanwhile. */
  function unclaim(row: Row, now: number, changes: ProgressChanges): void {
    open.remove(row.id)
    if (open.statusOfBatch(row.batch_id) === 'cancelled') {
      open.dropRecipient(row.recipient_id, 'cancelled', now)
      changes.move(row.batch_id, 'calling', 'cancelled')
      return
    }
    const standing = queueOf(row.ordinal)
    open.putBack(row, standing, standing === 'queued' ? 0 : now)
    changes.move(row.batch_id, 'calling', standing)
  }
}

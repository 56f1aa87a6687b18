// A person is forgotten: found by number in every batch of the workspace, taken out of the queues, and masked. The number
// itself goes last, so that an erasure that a crash cut short is done by asking again.
import { erasedNumber, erasedText, namesNumber, numberTail } from '../../domain/erased.ts'
import type { Standing } from '../../domain/recipient.ts'
import { callUnderWay } from '../housekeeping-rows.ts'
import type { Row } from '../rows.ts'
import type { Store } from '../store.ts'
import type { Connection } from './connection.ts'
import { lockBatches, lockWorkspace } from './locks.ts'
import { completeDone, ProgressChanges } from './moves.ts'
import type { Reader, Transaction } from './transaction.ts'

const maxRowsPerStep = 5_000

interface Person {
  workspaceId: number
  number: string
}

export function erasureStatements(connection: Connection): Pick<Store, 'erasePerson'> {
  return {
    async erasePerson(workspaceId, number, now, removeRecordings) {
      const person = { workspaceId, number }
      const cancelled = await connection.write(tx => stopCalling(tx, person, now))
      const attempts = await attemptsOf(connection, person)
      const files = await recordingsOf(connection, attempts)
      await removeRecordings(files)
      const conversations = await connection.write(tx =>
        tx.change('DELETE FROM conversations WHERE attempt_id = ANY ($1::bigint[])', [attempts]),
      )
      // Also of calls that were put back, of which nothing but the trace is left.
      const traces = await connection.write(tx =>
        tx.change(
          'DELETE FROM traces WHERE workspace_id = $1 AND (attempt_id = ANY ($2::bigint[]) OR strpos(trace, $3) > 0)',
          [workspaceId, attempts, numberTail(number)],
        ),
      )
      const rejectedRows = await maskRejectedRows(connection, person)
      const events = await maskEvents(connection, person)
      const found = { attempts: attempts.length, conversations, recordings: files.length, traces }
      return connection.write(async tx => {
        const late = await stopCalling(tx, person, now)
        const answers = await maskAnswers(tx, person)
        const recipients = await maskRecipients(tx, person)
        const counts = { recipients, cancelled: cancelled + late, ...found, rejectedRows, events, answers }
        if (Object.values(counts).some(count => count > 0))
          tx.emit(workspaceId, null, 'person.erased', now, JSON.stringify(counts))
        return { ...counts, suppressed: await isSuppressed(tx, person) }
      })
    },
  }
}

function recipientsOf(reader: Reader, { workspaceId, number }: Person): Promise<Row[]> {
  return reader.rows(
    `SELECT r.id, r.batch_id, r.standing, r.attempts, r.last_attempt_id FROM batches b
       JOIN recipient_details d ON d.batch_id = b.id AND d.number = $2 JOIN recipients r ON r.id = d.id
     WHERE b.workspace_id = $1 ORDER BY r.id`,
    [workspaceId, number],
  )
}

/** Nobody calls them any more. Returns how many were still to be called. */
async function stopCalling(tx: Transaction, person: Person, now: number): Promise<number> {
  const { workspaceId, number } = person
  await lockWorkspace(tx, workspaceId)
  const open = await tx.row('SELECT id FROM open_attempts WHERE workspace_id = $1 AND number = $2', [
    workspaceId,
    number,
  ])
  if (open !== undefined) throw callUnderWay(open.id)
  const waiting = (await recipientsOf(tx, person)).filter(
    ({ standing }) => standing === 'queued' || standing === 'waiting',
  )
  await lockBatches(
    tx,
    waiting.map(({ batch_id: batchId }) => batchId),
  )
  await tx.change(
    `UPDATE recipients SET standing = 'cancelled', due_at = NULL, finished_at = $2 WHERE id = ANY ($1::bigint[])`,
    [waiting.map(({ id }) => id), now],
  )
  const changes = new ProgressChanges()
  for (const { batch_id: batchId, standing } of waiting)
    changes.move(batchId, standing as Standing, 'cancelled')
  await completeDone(tx, await changes.write(tx), now)
  return waiting.length
}

/** Ids of their calls. The last one stands with the recipient; earlier ones are looked for among the batch's. */
async function attemptsOf(connection: Connection, person: Person): Promise<number[]> {
  const found: number[] = []
  for (const recipient of await recipientsOf(connection, person)) {
    if (recipient.attempts === 1 && recipient.last_attempt_id !== null) found.push(recipient.last_attempt_id)
    if (recipient.attempts < 2) continue
    const rows = await connection.rows(
      'SELECT id FROM attempts WHERE batch_id = $1 AND recipient_id = $2 ORDER BY id',
      [recipient.batch_id, recipient.id],
    )
    found.push(...rows.map(({ id }) => id as number))
  }
  return found
}

async function recordingsOf(reader: Reader, attemptIds: readonly number[]): Promise<string[]> {
  const rows = await reader.rows(
    `SELECT recording_file AS file FROM conversations
     WHERE recording_file IS NOT NULL AND attempt_id = ANY ($1::bigint[]) ORDER BY attempt_id`,
    [attemptIds],
  )
  return rows.map(({ file }) => file)
}

/** Rows that were left out hold what the file had: a number in whatever way somebody wrote it. */
async function maskRejectedRows(connection: Connection, { workspaceId, number }: Person): Promise<number> {
  const batches = await connection.rows(
    'SELECT id FROM batches WHERE workspace_id = $1 AND invalid + duplicate + suppressed > 0',
    [workspaceId],
  )
  let masked = 0
  for (const { id: batchId } of batches)
    for (let after: number | undefined = -1; after !== undefined; ) {
      const rows: Row[] = await connection.rows(
        `SELECT row_number, value FROM rejected_rows WHERE batch_id = $1 AND row_number > $2
         ORDER BY row_number LIMIT $3`,
        [batchId, after, maxRowsPerStep],
      )
      const theirs = rows.filter(({ value }) => value !== null && namesNumber(value, number))
      if (theirs.length > 0)
        masked += await connection.write(tx =>
          tx.change(
            `UPDATE rejected_rows SET value = $4
             WHERE batch_id = $1 AND row_number = ANY ($2::integer[]) AND value = ANY ($3::text[])`,
            [batchId, theirs.map(row => row.row_number), theirs.map(({ value }) => value), erasedText],
          ),
        )
      after = rows.at(-1)?.row_number
    }
  return masked
}

async function maskEvents(connection: Connection, { workspaceId, number }: Person): Promise<number> {
  let masked = 0
  for (let after = 0; ; ) {
    const { last } = (await connection.row(
      'SELECT max(id) AS last FROM (SELECT id FROM events WHERE id > $1 ORDER BY id LIMIT $2) AS stretch',
      [after, maxRowsPerStep],
    )) as Row
    if (last === null) return masked
    masked += await connection.write(tx =>
      tx.change(
        `UPDATE events SET data = replace(data, $1, $2)
         WHERE id > $3 AND id <= $4 AND workspace_id = $5 AND strpos(data, $1) > 0`,
        [number, erasedText, after, last, workspaceId],
      ),
    )
    after = last
  }
}

/** The answer stays: without it a create that is sent again would call again. */
function maskAnswers(tx: Transaction, { workspaceId, number }: Person): Promise<number> {
  return tx.change(
    `UPDATE idempotency_keys SET body = replace(body, $1, $2) WHERE workspace_id = $3 AND strpos(body, $1) > 0`,
    [number, erasedText, workspaceId],
  )
}

async function maskRecipients(tx: Transaction, person: Person): Promise<number> {
  const ids = (await recipientsOf(tx, person)).map(({ id }) => id as number)
  return tx.change(
    `UPDATE recipient_details d SET number = m.number, variables = '{}'
     FROM unnest($1::bigint[], $2::text[]) AS m (id, number) WHERE d.id = m.id`,
    [ids, ids.map(erasedNumber)],
  )
}

async function isSuppressed(tx: Transaction, { workspaceId, number }: Person): Promise<boolean> {
  const row = await tx.row('SELECT 1 FROM suppressions WHERE workspace_id = $1 AND number = $2', [
    workspaceId,
    number,
  ])
  return row !== undefined
}

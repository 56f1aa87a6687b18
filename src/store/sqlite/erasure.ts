// A person is forgotten: found by number in every batch of the workspace, taken out of the queues, and masked. Long walks
// are taken in steps; the number itself goes last, so that an erasure that a crash cut short is done by asking again.
import { setImmediate } from 'node:timers/promises'
import { erasedNumber, erasedText, namesNumber, numberTail } from '../../domain/erased.ts'
import { callUnderWay } from '../housekeeping-rows.ts'
import type { Erasure } from '../housekeeping-store.ts'
import type { Row } from '../rows.ts'
import type { Store } from '../store.ts'
import type { Connection } from './connection.ts'
import { completeIfDone, leaveQueue, ProgressChanges } from './moves.ts'

/** Rows looked at between two turns of the event loop: some 5 ms. */
const maxRowsPerStep = 5_000
/** About 10 kB each. */
const maxTracesPerStep = 500

interface Person {
  workspaceId: number
  number: string
}

export function erasureStatements(connection: Connection): Pick<Store, 'erasePerson'> {
  return {
    async erasePerson(workspaceId, number, now, removeRecordings) {
      const person = { workspaceId, number }
      // What is freed in the file is overwritten as well.
      connection.db.exec('PRAGMA secure_delete = ON')
      try {
        const cancelled = await connection.write(() => stopCalling(connection, person, now))
        const attempts = await attemptsOf(connection, person)
        const files = recordingsOf(connection, attempts)
        await removeRecordings(files)
        const conversations = await removeConversations(connection, attempts)
        const traces = await removeTraces(connection, person, attempts)
        const rejectedRows = await maskRejectedRows(connection, person)
        const events = await maskEvents(connection, person)
        const found = { attempts: attempts.length, conversations, recordings: files.length, traces }
        return await connection.write(() => {
          const late = stopCalling(connection, person, now)
          const answers = maskAnswers(connection, person)
          const recipients = maskRecipients(connection, person)
          const masked = { recipients, cancelled: cancelled + late, rejectedRows, events, answers }
          const erasure = { ...masked, ...found, suppressed: isSuppressed(connection, person) }
          tell(connection, workspaceId, erasure, now)
          return erasure
        })
      } finally {
        connection.db.exec('PRAGMA secure_delete = OFF')
      }
    },
  }
}

function recipientsOf(connection: Connection, { workspaceId, number }: Person): Row[] {
  return connection
    .prepare(
      `SELECT r.id, r.batch_id, r.standing, r.attempts, r.last_attempt_id FROM batches b
         JOIN recipients r ON r.batch_id = b.id AND r.number = ?2 WHERE b.workspace_id = ?1 ORDER BY r.id`,
    )
    .all(workspaceId, number)
}

/** Nobody calls them any more. Returns how many were still to be called. */
function stopCalling(connection: Connection, person: Person, now: number): number {
  const { workspaceId, number } = person
  const open = connection
    .prepare('SELECT id FROM open_attempts WHERE workspace_id = ? AND number = ?')
    .get(workspaceId, number)
  if (open !== undefined) throw callUnderWay(open.id as number)
  const waiting = recipientsOf(connection, person).filter(
    ({ standing }) => standing === 'queued' || standing === 'waiting',
  )
  const changes = new ProgressChanges()
  for (const { id, batch_id: batchId, standing } of waiting) {
    leaveQueue(connection, id, 'cancelled', now)
    changes.move(batchId, standing, 'cancelled')
  }
  for (const batchId of changes.write(connection)) completeIfDone(connection, batchId, now)
  return waiting.length
}

/** Ids of their calls. The last one stands with the recipient; earlier ones are looked for among the batch's. */
async function attemptsOf(connection: Connection, person: Person): Promise<number[]> {
  const step = connection.prepare(
    'SELECT id, recipient_id FROM attempts WHERE batch_id = ? AND id > ? ORDER BY id LIMIT ?',
  )
  const found: number[] = []
  for (const recipient of recipientsOf(connection, person)) {
    if (recipient.attempts === 1 && recipient.last_attempt_id !== null) found.push(recipient.last_attempt_id)
    if (recipient.attempts < 2) continue
    for (let after: number | undefined = 0; after !== undefined; ) {
      const rows = step.all(recipient.batch_id, after, maxRowsPerStep) as Row[]
      found.push(...rows.filter(row => row.recipient_id === recipient.id).map(({ id }) => id as number))
      after = rows.at(-1)?.id
      await setImmediate()
    }
  }
  return found
}

function recordingsOf(connection: Connection, attemptIds: readonly number[]): string[] {
  return connection
    .prepare(
      `SELECT recording_file AS file FROM conversations
       WHERE recording_file IS NOT NULL AND attempt_id IN (SELECT value FROM json_each(?))`,
    )
    .all(JSON.stringify(attemptIds))
    .map((row: Row) => row.file)
}

async function removeConversations(connection: Connection, attemptIds: readonly number[]): Promise<number> {
  const remove = connection.prepare(
    'DELETE FROM conversations WHERE attempt_id IN (SELECT value FROM json_each(?))',
  )
  return connection.write(() => Number(remove.run(JSON.stringify(attemptIds)).changes))
}

/** Also of calls that were put back, of which nothing but the trace is left. */
async function removeTraces(
  connection: Connection,
  { workspaceId, number }: Person,
  attemptIds: readonly number[],
): Promise<number> {
  const step = connection.prepare(
    'SELECT max(id) AS last FROM (SELECT id FROM traces WHERE id > ? ORDER BY id LIMIT ?)',
  )
  const remove = connection.prepare(
    `DELETE FROM traces WHERE id > ? AND id <= ? AND workspace_id = ?
       AND (attempt_id IN (SELECT value FROM json_each(?)) OR instr(trace, ?) > 0)`,
  )
  const theirs = [workspaceId, JSON.stringify(attemptIds), numberTail(number)] as const
  let removed = 0
  for (let after = 0; ; ) {
    const { last } = step.get(after, maxTracesPerStep) as Row
    if (last === null) return removed
    removed += await connection.write(() => Number(remove.run(after, last, ...theirs).changes))
    after = last
  }
}

/** Rows that were left out hold what the file had: a number in whatever way somebody wrote it. */
async function maskRejectedRows(connection: Connection, { workspaceId, number }: Person): Promise<number> {
  const step = connection.prepare(
    `SELECT rowid AS id, row_number, value FROM rejected_rows WHERE batch_id = ? AND row_number > ?
     ORDER BY row_number LIMIT ?`,
  )
  const mask = connection.prepare('UPDATE rejected_rows SET value = ? WHERE rowid = ?')
  const batches = connection
    .prepare('SELECT id FROM batches WHERE workspace_id = ? AND invalid + duplicate + suppressed > 0')
    .all(workspaceId) as Row[]
  let masked = 0
  for (const { id: batchId } of batches) {
    for (let after: number | undefined = -1; after !== undefined; ) {
      const rows = step.all(batchId, after, maxRowsPerStep) as Row[]
      const theirs = rows.filter(({ value }) => value !== null && namesNumber(value, number))
      if (theirs.length > 0)
        await connection.write(() => {
          for (const { id } of theirs) mask.run(erasedText, id)
        })
      masked += theirs.length
      after = rows.at(-1)?.row_number
      await setImmediate()
    }
  }
  return masked
}

async function maskEvents(connection: Connection, { workspaceId, number }: Person): Promise<number> {
  const step = connection.prepare(
    `SELECT max(id) AS last FROM (SELECT id FROM events WHERE id > ? ORDER BY id LIMIT ?)`,
  )
  const mask = connection.prepare(
    `UPDATE events SET data = replace(data, ?1, ?2)
     WHERE id > ?3 AND id <= ?4 AND workspace_id = ?5 AND instr(data, ?1) > 0`,
  )
  let masked = 0
  for (let after = 0; ; ) {
    const { last } = step.get(after, maxRowsPerStep) as Row
    if (last === null) return masked
    masked += await connection.write(() =>
      Number(mask.run(number, erasedText, after, last, workspaceId).changes),
    )
    after = last
  }
}

/** The answer stays: without it a create that is sent again would call again. */
function maskAnswers(connection: Connection, { workspaceId, number }: Person): number {
  const { changes } = connection
    .prepare(
      'UPDATE idempotency_keys SET body = replace(body, ?1, ?2) WHERE workspace_id = ?3 AND instr(body, ?1) > 0',
    )
    .run(number, erasedText, workspaceId)
  return Number(changes)
}

function maskRecipients(connection: Connection, person: Person): number {
  const mask = connection.prepare(`UPDATE recipients SET number = ?, variables = '{}' WHERE id = ?`)
  const recipients = recipientsOf(connection, person)
  for (const { id } of recipients) mask.run(erasedNumber(id), id)
  return recipients.length
}

function isSuppressed(connection: Connection, { workspaceId, number }: Person): boolean {
  const row = connection
    .prepare('SELECT 1 FROM suppressions WHERE workspace_id = ? AND number = ?')
    .get(workspaceId, number)
  return row !== undefined
}

function tell(
  connection: Connection,
  workspaceId: number,
  { suppressed: _, ...counts }: Erasure,
  now: number,
): void {
  if (Object.values(counts).some(count => count > 0))
    connection.emit(workspaceId, null, 'person.erased', now, JSON.stringify(counts))
}

// The yardstick of bench/postgres-dispatch.ts as a process: the bare statements of a call's transitions, 256 to a
// transaction, claimed with SKIP LOCKED. No limits, windows, fairness or rechecks, no carrier, no leases.
import { Client } from 'pg'
import { answerParent } from './bench-process.ts'

const groupSize = 256
const client = new Client(process.argv[2])
const opened = client.connect()
let handled = 0
let isStopping = false

const claim = `WITH due AS MATERIALIZED (
    SELECT id, number FROM recipients WHERE standing = 'queued' ORDER BY id LIMIT ${groupSize} FOR UPDATE SKIP LOCKED),
  calling AS (UPDATE recipients SET standing = 'calling' FROM due WHERE recipients.id = due.id)
  INSERT INTO open_attempts (number, recipient_id, status) SELECT number, id, 'claimed' FROM due
  RETURNING id, recipient_id`
const place = `UPDATE open_attempts SET status = 'dialing', call_id = 'call-' || id, dialed_at = $2 WHERE id = ANY ($1)`
const end = `WITH ended AS (DELETE FROM open_attempts WHERE id = ANY ($1) RETURNING *),
  kept AS (INSERT INTO attempts SELECT id, 1, recipient_id, call_id, dialed_at, $2, 'answered', 'sip 200' FROM ended),
  told AS (INSERT INTO events (type, at, data)
    SELECT 'attempt.ended', $2, '{"attemptId":' || id || ',"recipientId":' || recipient_id || '}' FROM ended)
  UPDATE recipients SET standing = 'answered', attempts = 1 FROM ended WHERE recipients.id = ended.recipient_id`
const count = 'UPDATE progress SET queued = queued - $1, answered = answered + $1'

answerParent({
  open: () => opened,
  work: () => void work(),
  handled: () => handled,
  stop: async () => {
    isStopping = true
    await client.end()
  },
})

async function work(): Promise<void> {
  while (!isStopping) {
    const { rows } = await client.query({ name: 'claim', text: claim })
    if (rows.length === 0) return
    const ids = rows.map(row => row.id)
    await client.query({ name: 'place', text: place, values: [ids, Date.now()] })
    await client.query('BEGIN')
    await client.query({ name: 'end', text: end, values: [ids, Date.now()] })
    await client.query({ name: 'count', text: count, values: [ids.length] })
    await client.query('COMMIT')
    handled += rows.length
  }
}

// What a job's handler has to write down where a call must not be made twice: that it is being dialled, before the dial, and
// how it ended, with an event of it. Two commits a call, each on disk before it is answered, as many at once as there are jobs.
import { Pool } from 'pg'

const connections = 20

export interface CallBook {
  dialling(person: number): Promise<void>
  ended(person: number): Promise<void>
  close(): Promise<void>
}

export async function openCallBook(url: string): Promise<CallBook> {
  const pool = new Pool({ connectionString: url, max: connections })
  return {
    async dialling(person) {
      await pool.query({
        name: 'dialling',
        text: `INSERT INTO calls (person, call_id, dialled_at) VALUES ($1::bigint, 'call-' || $1::bigint, now())`,
        values: [person],
      })
    },
    async ended(person) {
      await pool.query({
        name: 'ended',
        text: `WITH call AS (UPDATE calls SET outcome = 'answered', ended_at = now() WHERE person = $1::bigint RETURNING person)
          INSERT INTO call_events (person, type, at) SELECT person, 'call.ended', now() FROM call`,
        values: [person],
      })
    },
    close: () => pool.end(),
  }
}

export async function makeCallBook(url: string): Promise<void> {
  const pool = new Pool({ connectionString: url, max: 1 })
  await pool.query(`CREATE TABLE calls (person bigint PRIMARY KEY, call_id text NOT NULL, dialled_at timestamptz NOT NULL,
      outcome text, ended_at timestamptz);
    CREATE TABLE call_events (id bigserial PRIMARY KEY, person bigint NOT NULL, type text NOT NULL, at timestamptz NOT NULL)`)
  await pool.end()
}

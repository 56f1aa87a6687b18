// The database as it stands, read past the store: nobody is lost in it, its counters are right, whoever is called has a call.
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { maxPutBacks } from '../../src/dispatcher/decide-next.ts'
import { leaseMs } from '../../src/dispatcher/leases.ts'
import type { Story } from './story.ts'

type Row = Record<string, number | string | null>

/** Each finds rows that must not exist; `what` says what such a row would mean. */
const impossible: readonly { what: string; sql: string }[] = [
  {
    what: 'somebody is being called without a call',
    sql: `SELECT r.id FROM recipients r WHERE r.standing = 'calling'
      AND NOT EXISTS (SELECT 1 FROM open_attempts o WHERE o.recipient_id = r.id)`,
  },
  {
    what: 'a call is open for somebody who is not being called',
    sql: `SELECT o.id FROM open_attempts o LEFT JOIN recipients r ON r.id = o.recipient_id
      WHERE r.standing IS NULL OR r.standing <> 'calling'`,
  },
  {
    what: 'somebody waits in a live batch, and for nothing',
    sql: `SELECT r.id FROM recipients r JOIN batches b ON b.id = r.batch_id
      WHERE r.standing IN ('queued', 'waiting') AND r.due_at IS NULL`,
  },
  {
    what: 'somebody was called more often than the batch allows',
    sql: `SELECT r.id FROM recipients r JOIN batches b ON b.id = r.batch_id
      WHERE r.attempts > json_extract(b.retry, '$.maxAttempts')`,
  },
  {
    what: 'somebody has another number of attempts than is written of them',
    sql: `SELECT r.id FROM recipients r
      WHERE r.attempts <> (SELECT count(*) FROM attempts a WHERE a.batch_id = r.batch_id AND a.recipient_id = r.id)`,
  },
  {
    what: 'a batch has other people than it accepted',
    sql: `SELECT b.id FROM batches b
      WHERE b.accepted <> (SELECT count(*) FROM recipients r WHERE r.id > b.id * 10000000 AND r.id < (b.id + 1) * 10000000)`,
  },
]

const unfinished: readonly { what: string; sql: string }[] = [
  {
    what: 'a batch runs on after its last person',
    sql: `SELECT b.id FROM batches b WHERE b.status IN ('running', 'paused') AND b.open = 0
      AND NOT EXISTS (SELECT 1 FROM recipients r WHERE r.batch_id = b.id AND r.standing IN ('queued', 'calling', 'waiting'))`,
  },
  {
    what: 'a batch is complete without its last person',
    sql: `SELECT b.id FROM batches b WHERE b.status = 'completed'
      AND EXISTS (SELECT 1 FROM recipients r WHERE r.batch_id = b.id AND r.standing IN ('queued', 'calling', 'waiting'))`,
  },
  {
    what: 'somebody was put back without end',
    sql: `SELECT id FROM recipients WHERE put_backs > ${maxPutBacks}`,
  },
]

/** A call ends this long after its ring time-out and its maximum age at the latest, in a world that lets it. */
const endingMs = 6_000

export class Books {
  readonly db: DatabaseSync
  readonly #story: Story
  readonly #impossible: { what: string; statement: StatementSync }[]
  readonly #unfinished: { what: string; statement: StatementSync }[]
  readonly #progress: StatementSync
  readonly #standings: StatementSync
  readonly #tooOld: StatementSync
  readonly #open: StatementSync
  readonly #attempt: StatementSync

  /** `path` is a database in memory that is shared by name: it lives as long as somebody has it open. */
  constructor(path: string, story: Story) {
    this.db = new DatabaseSync(path)
    this.#story = story
    const prepare = ({ what, sql }: { what: string; sql: string }) => ({
      what,
      statement: this.db.prepare(sql),
    })
    this.#impossible = impossible.map(prepare)
    this.#unfinished = unfinished.map(prepare)
    this.#progress = this.db.prepare('SELECT * FROM batch_progress')
    this.#standings = this.db.prepare(
      `SELECT batch_id, replace(standing, '-', '_') AS standing, count(*) AS people FROM recipients GROUP BY 1, 2`,
    )
    this.#tooOld = this.db.prepare(
      `SELECT o.id, o.node_id, o.dialed_at, b.ring_timeout_ms + b.max_call_ms AS age FROM open_attempts o
       JOIN batches b ON b.id = o.batch_id WHERE o.dialed_at IS NOT NULL`,
    )
    this.#open = this.db.prepare('SELECT id, node_id, lease_until FROM open_attempts')
    this.#attempt = this.db.prepare(
      `SELECT b.name AS batch, o.zone, o.slot_at AS slotAt FROM open_attempts o JOIN batches b ON b.id = o.batch_id WHERE o.id = ?`,
    )
  }

  /** Whose call this is. */
  describe(attemptId: number): { batch: string; zone: string; slotAt: number } {
    return this.#attempt.get(attemptId) as { batch: string; zone: string; slotAt: number }
  }

  /** Who holds each open attempt, and until when. */
  leases(): Map<number, { nodeId: string; until: number }> {
    const rows = this.#open.all() as Row[]
    const leaseOf = (row: Row) => ({ nodeId: String(row.node_id), until: Number(row.lease_until) })
    return new Map(rows.map(row => [Number(row.id), leaseOf(row)]))
  }

  /** Lists whose import died with its process are cleared away. */
  checkNothingHalfDone(): void {
    const half = this.db.prepare(`SELECT id FROM batches WHERE status = 'importing'`).all()
    this.#story.holds('never lost', half.length === 0, () => `batch ${half[0]?.id} is importing for ever`)
  }

  check(now: number): void {
    const story = this.#story
    for (const { what, statement } of this.#impossible) {
      const row = statement.get() as Row | undefined
      story.holds('never lost', row === undefined, () => `${what} (${JSON.stringify(row)})`)
    }
    for (const { what, statement } of this.#unfinished) {
      const row = statement.get() as Row | undefined
      story.holds('always finished', row === undefined, () => `${what} (${JSON.stringify(row)})`)
    }
    this.#checkCounters()
    for (const { id, lease_until: until } of this.#open.all() as Row[])
      story.holds('never lost', Number(until) <= now + leaseMs, () => `attempt ${id} is leased for too long`)
  }

  /** `troubledAt`: until when its node had an excuse. */
  checkAges(now: number, troubledAt: (nodeId: string) => number): void {
    for (const { id, node_id: node, dialed_at: dialledAt, age } of this.#tooOld.all() as Row[]) {
      const since = Math.max(Number(dialledAt), troubledAt(String(node)))
      const isOld = now - since > Number(age) + endingMs + leaseMs
      this.#story.holds('always finished', !isOld, () => `attempt ${id} of ${node} goes on for ever`)
    }
  }

  #checkCounters(): void {
    const people = new Map<string, number>()
    for (const { batch_id: id, standing, people: count } of this.#standings.all() as Row[])
      people.set(`${id} ${standing}`, Number(count))
    for (const row of this.#progress.all() as Row[])
      for (const [column, counted] of Object.entries(row)) {
        if (column === 'batch_id' || isSum(column)) continue
        const found = people.get(`${row.batch_id} ${column}`) ?? 0
        const what = () => `batch ${row.batch_id} counts ${counted} ${column}, and has ${found}`
        this.#story.holds('never lost', counted === found, what)
      }
  }

  close(): void {
    this.db.close()
  }
}

/** Sums over attempts: the store's own recount is held against these. */
const isSum = (column: string) => /_ms$|attempts$|millicents$/.test(column)

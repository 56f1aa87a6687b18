// pg-boss on PostgreSQL. https://timgit.github.io/pg-boss/
import { Pool } from 'pg'
import { PgBoss } from 'pg-boss'
import { callsAtOnce, chunksOf, deadAfterMs, type JobQueue, type JobQueueOptions } from './job-queue.ts'

const name = 'calls'
/** A batch is fetched and completed with one statement each; the next follows at once while batches are full. */
const batches = {
  batchSize: 500,
  localConcurrency: 2,
  burstWhenBatchFull: true,
  pollingIntervalSeconds: 0.5,
} as const
const singly = { batchSize: 1, localConcurrency: callsAtOnce, pollingIntervalSeconds: 0.5 } as const

export async function openPgBoss({ url, tuning }: JobQueueOptions): Promise<JobQueue> {
  const watch = tuning === 'calls' ? { superviseIntervalSeconds: 1, monitorIntervalSeconds: 1 } : {}
  const boss = new PgBoss({ connectionString: url, max: 10, ...watch })
  boss.on('error', error => console.error(error))
  await boss.start()
  const expiry = tuning === 'calls' ? { expireInSeconds: deadAfterMs / 1_000 } : {}
  await boss.createQueue(name, expiry)
  const pool = new Pool({ connectionString: url, max: 1 })
  return {
    async fill(count) {
      for (const people of chunksOf(count))
        await boss.insert(
          name,
          people.map(person => ({ data: { person } })),
        )
      await pool.query('ANALYZE')
    },
    async work(handle) {
      await boss.work<{ person: number }>(name, tuning === 'calls' ? singly : batches, async jobs => {
        await Promise.all(jobs.map(job => handle(job.data.person)))
      })
    },
    async left() {
      const { rows } = await pool.query(
        `SELECT count(*)::int AS jobs FROM pgboss.job WHERE name = $1 AND state < 'completed'`,
        [name],
      )
      return rows[0].jobs
    },
    async takeBack() {},
    async close() {
      await boss.stop({ graceful: false })
      await pool.end()
    },
  }
}

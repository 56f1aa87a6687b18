// Graphile Worker on PostgreSQL. https://worker.graphile.org/docs/performance
import { Logger, makeWorkerUtils, type Runner, run } from 'graphile-worker'
import { Pool } from 'pg'
import { callsAtOnce, chunksOf, type JobQueue, type JobQueueOptions } from './job-queue.ts'

const task = 'call'
const logger = new Logger(() => (level, message) => {
  if (level === 'error') console.error(message)
})
/** As its page on performance has it. */
const batches = {
  concurrentJobs: 24,
  maxPoolSize: 25,
  localQueue: { size: 500 },
  completeJobBatchDelay: 0,
  failJobBatchDelay: 0,
}
const singly = { concurrentJobs: callsAtOnce, maxPoolSize: 10, pollInterval: 500 }

export async function openGraphileWorker({ url, tuning }: JobQueueOptions): Promise<JobQueue> {
  const pool = new Pool({ connectionString: url, max: 2 })
  pool.on('error', error => console.error(error))
  pool.on('connect', client => client.on('error', error => console.error(error)))
  const utils = await makeWorkerUtils({ pgPool: pool, logger })
  await utils.migrate()
  let runner: Runner | undefined
  return {
    async fill(count) {
      for (const people of chunksOf(count))
        await utils.addJobs(people.map(person => ({ identifier: task, payload: { person } })))
      await pool.query('ANALYZE')
    },
    async work(handle) {
      runner = await run({
        preset: { worker: { connectionString: url, logger, ...(tuning === 'calls' ? singly : batches) } },
        noHandleSignals: true,
        taskList: { [task]: payload => handle((payload as { person: number }).person) },
      })
    },
    async left() {
      const { rows } = await pool.query('SELECT count(*)::int AS jobs FROM graphile_worker._private_jobs')
      return rows[0].jobs
    },
    /** It takes jobs back by itself after four hours, a number in its SQL; sooner by the ids of workers that died. */
    async takeBack() {
      const { rows } = await pool.query(
        'SELECT DISTINCT locked_by FROM graphile_worker._private_jobs WHERE locked_by IS NOT NULL',
      )
      await utils.forceUnlockWorkers(rows.map(row => row.locked_by))
    },
    async close() {
      await runner?.stop()
      await utils.release()
      await pool.end()
    },
  }
}

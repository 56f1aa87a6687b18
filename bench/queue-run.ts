// Times a job queue: jobs that are there already, handled by so many processes.
import { existsSync } from 'node:fs'
import { BenchProcess, sumOf, until, withProcesses } from './bench-process.ts'

export const queueNames = ['bullmq', 'pg-boss', 'graphile-worker'] as const
export type QueueName = (typeof queueNames)[number]

const lookEveryMs = 20

export type QueueTuning = 'throughput' | 'calls'

export function startQueueProcess(name: QueueName, url: string, tuning: QueueTuning): BenchProcess {
  return new BenchProcess('queues/queue-process.ts', [name, url, tuning])
}

/** Says what to do where the packages of bench/queues/ are missing. */
export function needQueues(): void {
  if (!existsSync(new URL('queues/node_modules', import.meta.url)))
    throw new Error('the job queues are not installed: npm ci --prefix bench/queues')
}

/**
 * Seconds from the word to start until the last job is completed in the queue's own books. Filling is not counted. `book`: the
 * database in which handlers write down their calls; null: they do nothing.
 */
export async function timeQueue(
  name: QueueName,
  url: string,
  jobs: number,
  workers: number,
  book: string | null = null,
): Promise<number> {
  return withProcesses(
    workers + 1,
    () => startQueueProcess(name, url, 'throughput'),
    async ([keeper, ...crew]) => {
      await keeper!.ask('open')
      await keeper!.ask('fill', jobs)
      await Promise.all(crew.map(worker => worker.ask('open')))
      if (book !== null) await keeper!.ask('makeBook', book)
      const since = performance.now()
      await Promise.all(crew.map(worker => (book === null ? worker.ask('work') : worker.ask('record', book))))
      await until(lookEveryMs, async () => (await sumOf(crew, 'handled')) >= jobs)
      await until(lookEveryMs, async () => (await keeper!.ask<number>('left')) === 0)
      const seconds = (performance.now() - since) / 1_000
      const handled = await sumOf(crew, 'handled')
      if (handled !== jobs) throw new Error(`${name} handled ${handled} jobs, not ${jobs}`)
      return seconds
    },
  )
}

// BullMQ on Redis. https://docs.bullmq.io/guide/workers/concurrency
import { Queue, Worker } from 'bullmq'
import { callsAtOnce, chunksOf, deadAfterMs, type JobQueue, type JobQueueOptions } from './job-queue.ts'

const name = 'calls'
/** For short jobs its guide names 100 to 300; 200 was the fastest of 50, 100, 200 and 400 here. */
const shortJobsAtOnce = 200

export function openBullmq({ url, tuning }: JobQueueOptions): JobQueue {
  const { hostname: host, port } = new URL(url)
  const connection = { host, port: Number(port), maxRetriesPerRequest: null }
  const queue = new Queue(name, { connection })
  const settings =
    tuning === 'throughput'
      ? { concurrency: shortJobsAtOnce }
      : { concurrency: callsAtOnce, lockDuration: deadAfterMs, stalledInterval: 1_000 }
  let worker: Worker | undefined
  return {
    async fill(count) {
      for (const people of chunksOf(count))
        await queue.addBulk(people.map(person => ({ name: 'call', data: { person } })))
    },
    async work(handle) {
      worker = new Worker(name, job => handle(job.data.person), {
        connection,
        removeOnComplete: { count: 0 },
        ...settings,
      })
      worker.on('error', error => console.error(error))
      await worker.waitUntilReady()
    },
    async left() {
      const counts = await queue.getJobCounts('wait', 'active', 'delayed', 'prioritized')
      return Object.values(counts).reduce((sum, each) => sum + each, 0)
    },
    async takeBack() {},
    async close() {
      await worker?.close()
      await queue.close()
    },
  }
}

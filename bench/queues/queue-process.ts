// One process at a job queue: fills it, or handles its jobs, as its parent asks.
// Started by bench/ with: the queue's name, its address, how it is set.
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { answerParent } from '../bench-process.ts'
import { openBullmq } from './bullmq.ts'
import { makeCallBook, openCallBook } from './call-book.ts'
import { openGraphileWorker } from './graphile-worker.ts'
import type { JobQueue, JobQueueOptions } from './job-queue.ts'
import { openPgBoss } from './pg-boss.ts'

const openers: Record<string, (options: JobQueueOptions) => JobQueue | Promise<JobQueue>> = {
  bullmq: openBullmq,
  'pg-boss': openPgBoss,
  'graphile-worker': openGraphileWorker,
}

const [name = '', url = '', tuning = ''] = process.argv.slice(2)
const opener = openers[name]
if (opener === undefined) throw new Error(`no such queue: ${name}`)
const opened = Promise.resolve(opener({ url, tuning: tuning as JobQueueOptions['tuning'] }))
let handled = 0

answerParent({
  /** Resolves once the queue's tables are there and it answers. */
  open: async () => void (await opened),
  fill: async (count: number) => (await opened).fill(count),
  /** Handles jobs that ask for nothing. */
  work: async () =>
    (await opened).work(async () => {
      handled++
    }),
  /** Makes the tables that `record` writes to. */
  makeBook: (database: string) => makeCallBook(database),
  /** Handles jobs that write down what a call must, before the dial and after its end. */
  record: async (database: string) => {
    const book = await openCallBook(database)
    await (await opened).work(async person => {
      await book.dialling(person)
      await book.ended(person)
      handled++
    })
  },
  /** Handles jobs that are calls: a line on disk that says who is dialled, then the talk. */
  call: async ({ log, talkMs }: { log: string; talkMs: number }) =>
    (await opened).work(async person => {
      writeDown(log, `dial ${person}\n`)
      await sleep(talkMs)
      handled++
    }),
  handled: () => handled,
  left: async () => (await opened).left(),
  takeBack: async () => (await opened).takeBack(),
  stop: async () => (await opened).close(),
})

function writeDown(path: string, line: string): void {
  const file = openSync(path, 'a')
  writeSync(file, line)
  fsyncSync(file)
  closeSync(file)
}

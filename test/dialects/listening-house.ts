// A whole server that listens and calls in real time, for clients that are programs of their own; it notes every answer.
import type { TestContext } from 'node:test'
import { SimulatedCarrier } from '../../src/carrier/simulated/simulated-carrier.ts'
import { type Dispatcher, startDispatcher } from '../../src/dispatcher/dispatcher.ts'
import { finishedBatchStatuses } from '../../src/domain/batch.ts'
import { realClock } from '../../src/runtime/clock.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import { type House, openHouse } from './house.ts'

export interface NotedAnswer {
  method: string
  url: string
  status: number
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape
  body: any
}

export interface ListeningHouse extends House {
  url: string
  /** What clients got, oldest first. */
  answers: NotedAnswer[]
  /** Resolves when the batch is over. */
  finished(batchId: number): Promise<void>
}

/** Telephones ring and are talked on for a few milliseconds, and are answered unless their last two digits say otherwise. */
const trunkSettings = { ringMs: [2, 5], ringOutMs: [10, 20], talkMs: [5, 20], answerRate: 1 }

export async function openListeningHouse(t: Pick<TestContext, 'after'>): Promise<ListeningHouse> {
  const answers: NotedAnswer[] = []
  let dispatcher: Dispatcher | undefined
  // Hooks run in the order in which they are made: calling ends before the store is closed.
  t.after(() => dispatcher?.stop({ graceMs: 0 }))
  const house = await openHouse(t, {
    trunkSettings,
    prepare: app => {
      app.addHook('onSend', async (request, reply, payload) => {
        const body = typeof payload === 'string' ? JSON.parse(payload) : payload
        answers.push({ method: request.method, url: request.url, status: reply.statusCode, body })
        return payload
      })
    },
  })
  const { store, app } = house
  const carrier = new SimulatedCarrier({ clock: realClock, seed: 7 })
  dispatcher = startDispatcher({ store, carrier, clock: realClock, logger: silentLogger })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  return { ...house, url, answers, finished: batchId => finished(house, batchId) }
}

function finished({ store, workspace }: House, batchId: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = async () => {
      const batch = await store.getBatch(workspace.id, batchId)
      if (batch === null) throw new Error(`no batch ${batchId}`)
      if (!finishedBatchStatuses.has(batch.status)) return
      unsubscribe()
      resolve()
    }
    const unsubscribe = store.onEvents(() => void look().catch(reject))
    void look().catch(reject)
  })
}

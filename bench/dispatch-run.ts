// A store on disk with a dispatcher over it and a watched carrier, for benchmarks that look at calls from the far end.
import { join } from 'node:path'
import { SimulatedCarrier } from '../src/carrier/simulated/simulated-carrier.ts'
import { type Dispatcher, startDispatcher } from '../src/dispatcher/dispatcher.ts'
import { realClock } from '../src/runtime/clock.ts'
import { silentLogger } from '../src/runtime/logger.ts'
import { openSqliteStore } from '../src/store/sqlite/sqlite-store.ts'
import type { Store } from '../src/store/store.ts'
import { withFolder } from './open-app.ts'
import type { SeededBatch } from './seed-batch.ts'
import { SlotWatch } from './slot-watch.ts'
import { WatchedCarrier } from './watched-carrier.ts'

export interface DispatchRun {
  store: Store
  watch: SlotWatch
  dispatcher: Dispatcher
}

/** Calls while `work` runs; calls still under way afterwards are hung up. */
export async function withDispatcher<T>(slots: number, work: (run: DispatchRun) => Promise<T>): Promise<T> {
  return withFolder(async folder => {
    const store = await openSqliteStore({ path: join(folder, 'outdial.db') })
    const watch = new SlotWatch(slots)
    const simulated = new SimulatedCarrier({ clock: realClock, seed: 1 })
    const carrier = new WatchedCarrier(simulated, change => watch.see(change))
    const dispatcher = startDispatcher({ store, carrier, clock: realClock, logger: silentLogger })
    try {
      await dispatcher.rescued
      return await work({ store, watch, dispatcher })
    } finally {
      await dispatcher.stop({ graceMs: 0 })
      await store.close()
    }
  })
}

/** Resolves when the batch has completed. */
export function completed(store: Store, { workspaceId, batchId }: SeededBatch): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = async () => {
      const batch = await store.getBatch(workspaceId, batchId)
      if (batch?.status === 'completed') {
        unsubscribe()
        resolve()
      } else if (batch?.status !== 'running') reject(new Error(`the batch is ${batch?.status}`))
    }
    const unsubscribe = store.onEvents(() => void look().catch(reject))
    void look().catch(reject)
  })
}

// Creates that go wrong at the one commit that counts: the process dies there, or does not hear of it.
import { type CreateBatchRequest, createBatch } from '../../src/batches/create-batch.ts'
import type { Deps } from '../../src/batches/deps.ts'
import type { Store } from '../../src/store/store.ts'
import { interpose } from '../dispatcher/interposed-store.ts'

/** The answer to the commit that makes a list whole is lost. */
export function losingFinish(store: Store): Store {
  return interpose(store, async (method, proceed) => {
    const result = await proceed()
    if (method === 'finishImport') throw new Error('finishImport: the connection was lost')
    return result
  })
}

/** The process ends at that commit: nobody hears anything any more. */
export async function createAndDie(
  deps: Deps,
  request: CreateBatchRequest,
  afterCommit: boolean,
): Promise<null> {
  const died = new Promise<null>(resolve => {
    const store = interpose(deps.store, async (method, proceed) => {
      if (method !== 'finishImport') return proceed()
      if (afterCommit) await proceed()
      resolve(null)
      return new Promise(() => {})
    })
    createBatch({ ...deps, store }, request).catch(() => resolve(null))
  })
  return died
}

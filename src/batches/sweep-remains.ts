// What dead processes left half done is cleared up: imports, the keys of requests that never answered, cancels.
import type { Clock, Timer } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Store } from '../store/store.ts'

export interface SweepDeps {
  store: Pick<Store, 'sweep'>
  clock: Clock
  logger: Logger
  /** null: once, at the start of the only process, to which everything half done belonged to an earlier life. */
  everyMs: number | null
}

/** Resolves when all of it is cleared up; returns what ends the repetition. */
export async function keepSwept({ store, clock, logger, everyMs }: SweepDeps): Promise<() => Promise<void>> {
  let timer: Timer | null = null
  let sweeping: Promise<void> = Promise.resolve()
  const sweep = async () => {
    const batches = await store.sweep(clock.now())
    if (batches > 0) logger.warn({ batches }, 'cleared up imports that a process left half done')
  }
  const arm = () => {
    if (everyMs === null) return
    timer = clock.at(clock.now() + everyMs, () => {
      sweeping = sweep()
        .catch(error =>
          logger.error({ err: error }, 'what dead nodes left could not be cleared up: next time'),
        )
        .finally(arm)
    })
  }
  await sweep()
  arm()
  return async () => {
    timer?.cancel()
    await sweeping
    timer?.cancel()
  }
}

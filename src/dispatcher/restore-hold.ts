// A store that came out of a backup, or was copied, is not called from until a person has accepted what it would do.
import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import { waitFor } from '../runtime/wait.ts'
import type { Store } from '../store/store.ts'

const askAgainMs = 1_000

/**
 * Resolves when nothing holds the store, or when we are told to stop. Calls that were open in the copy are not settled
 * before: they may be another server's, live.
 */
export async function untilAccepted(
  { store, clock, logger }: { store: Store; clock: Clock; logger: Logger },
  isStopping: () => boolean,
): Promise<void> {
  let isTold = false
  while (!isStopping()) {
    const hold = await store.getHold()
    if (hold === null) return
    if (!isTold)
      logger.warn(
        { reason: hold.reason },
        'this store is a copy: nothing is dialled. `outdial accept-restore` shows what it would dial, and accepts it',
      )
    isTold = true
    await waitFor(clock, askAgainMs)
  }
}

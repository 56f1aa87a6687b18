// Single calls that wait for a retry are parked until it is due: a claim goes through every running batch that is not, and
// with 1,000 of them each call took 24 ms of claims; parked, 1.

import type { Row } from '../rows.ts'
import type { Connection } from './connection.ts'

export interface Parking {
  /** Inside the transaction in which the batch's only recipient begins to wait; does nothing for a list. */
  park(batchId: number, until: number): void
  /** Takes out those that are due. Returns when the next one is; null: none waits. */
  release(now: number): number | null
}

export function parking(connection: Connection): Parking {
  const park = connection.prepare(`UPDATE batches SET parked_until = ? WHERE id = ? AND kind = 'call'`)
  const release = connection.prepare('UPDATE batches SET parked_until = NULL WHERE parked_until <= ?')
  const next = connection.prepare(
    'SELECT min(parked_until) AS at FROM batches WHERE parked_until IS NOT NULL',
  )
  return {
    park: (batchId, until) => park.run(until, batchId),
    release(now) {
      if (release.run(now).changes > 0) connection.workChanged()
      return (next.get() as Row).at
    },
  }
}

// Changes to a batch's counters, gathered so that each batch's row is written once per transaction.
import type { Standing } from '../domain/recipient.ts'
import { standings } from '../domain/recipient.ts'
import { columnOf } from './rows.ts'

type Sum = 'talk_ms' | 'attempts' | 'ended_attempts' | 'failed_attempts' | 'cost_millicents'

/** Every counter that batch_progress has. */
export const progressCounters: readonly string[] = [
  ...standings.map(columnOf),
  ...(['talk_ms', 'attempts', 'ended_attempts', 'failed_attempts', 'cost_millicents'] satisfies Sum[]),
]

export class GatheredChanges {
  protected readonly byBatch = new Map<number, Map<string, number>>()

  /** A recipient of `batchId` went from one standing to another (`null`: it was not there before). */
  move(batchId: number, from: Standing | null, to: Standing, count = 1): void {
    if (count === 0) return
    if (from !== null) this.#add(batchId, columnOf(from), -count)
    this.#add(batchId, columnOf(to), count)
  }

  sum(batchId: number, column: Sum, amount: number): void {
    if (amount !== 0) this.#add(batchId, column, amount)
  }

  #add(batchId: number, column: string, amount: number): void {
    let changes = this.byBatch.get(batchId)
    if (changes === undefined) {
      changes = new Map()
      this.byBatch.set(batchId, changes)
    }
    changes.set(column, (changes.get(column) ?? 0) + amount)
  }
}

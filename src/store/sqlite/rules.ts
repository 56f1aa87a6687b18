// What decides over running batches beside counts, cached until some of it changes.
import type { Row } from '../rows.ts'
import {
  type BatchCaller,
  type RunningBatch,
  selectCaller,
  selectRunning,
  toRunningBatch,
} from '../running-batch.ts'
import type { Connection } from './connection.ts'

export class Rules {
  readonly #connection: Connection
  #version = -1
  #running = new Map<number, RunningBatch>()
  #suppressing = new Map<number, boolean>()

  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** Running batches by id, oldest first. Inside a transaction it is as of that transaction. */
  running(): ReadonlyMap<number, RunningBatch> {
    if (this.#version !== this.#connection.rulesVersion) this.#load()
    return this.#running
  }

  /** Whether the workspace has any suppressed number at all: most have none, and each dial asks. */
  suppresses(workspaceId: number): boolean {
    if (this.#version !== this.#connection.rulesVersion) this.#load()
    let any = this.#suppressing.get(workspaceId)
    if (any === undefined) {
      const row = this.#connection
        .prepare('SELECT 1 FROM suppressions WHERE workspace_id = ? LIMIT 1')
        .get(workspaceId)
      any = row !== undefined
      this.#suppressing.set(workspaceId, any)
    }
    return any
  }

  #load(): void {
    const rows = this.#connection
      .prepare(`${selectRunning} AND b.parked_until IS NULL ORDER BY b.id`)
      .all() as Row[]
    const zones = this.#connection.prepare('SELECT zone FROM batch_zones WHERE batch_id = ?')
    const zonesOf = (id: number) => zones.all(id).map((row: Row) => row.zone as string)
    const callers = readCallers(this.#connection)
    this.#running = new Map(rows.map(row => [row.id, toRunningBatch(row, zonesOf(row.id), callers(row))]))
    this.#suppressing = new Map()
    this.#version = this.#connection.rulesVersion
  }
}

/** Each number is read once, each batch's own list only where it has one. */
function readCallers(connection: Connection): (batch: Row) => BatchCaller[] {
  const known = new Map<number, BatchCaller>()
  const several = connection.prepare('SELECT phone_number_id AS id FROM batch_callers WHERE batch_id = ?')
  const select = connection.prepare(`${selectCaller} WHERE id = ?`)
  const read = (id: number): BatchCaller =>
    known.getOrInsertComputed(id, () => ({ ...select.get(id) }) as unknown as BatchCaller)
  return ({ id, phone_number_id: first }) => {
    const named = several.all(id).map((row: Row) => read(row.id))
    return named.length === 0 ? [read(first)] : named
  }
}

// What one engine hands the other when a store moves: its tables, row by row.
import type { Row } from './rows.ts'

export interface StoreTable {
  name: string
  columns: string[]
  count: number
  /** The highest id it ever gave out: a deleted thing's id is never another's. */
  lastId: number
  rows(): Iterable<Row>
}

export interface MoveProgress {
  table: string
  rows: number
  of: number
}

/** The move cannot be made; the sentence says why, and nothing was changed. */
export class MoveProblem extends Error {}

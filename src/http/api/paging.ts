// Pages by cursor: `limit` and `cursor` in, `{data, nextCursor}` out.
import { z } from 'zod'
import { fieldRefusal, integerText, readId } from '../validation.ts'

const maxPageSize = 500
const defaultPageSize = 50

export const pageQuery = z.object({
  limit: integerText({ min: 1, max: maxPageSize }).default(defaultPageSize),
  cursor: z.string().max(100).optional(),
})

export interface Page<Item> {
  data: Item[]
  /** Send it back as `cursor`; null: that was the last page. */
  nextCursor: string | null
}

/** The number that a cursor stands for; undefined at the first page. */
export function readCursor(cursor: string | undefined): number | undefined {
  if (cursor === undefined) return undefined
  const position = readId(cursor)
  if (position === null) throw fieldRefusal([{ field: 'cursor', message: 'is not a cursor of this list' }])
  return position
}

/** @param found one item more than `limit` where there are more. */
export function toPage<Item, Shown>(
  found: readonly Item[],
  limit: number,
  cursorOf: (item: Item) => number | string,
  present: (item: Item) => Shown,
): Page<Shown> {
  const data = found.slice(0, limit)
  const last = data.at(-1)
  const nextCursor = found.length > limit && last !== undefined ? String(cursorOf(last)) : null
  return { data: data.map(present), nextCursor }
}

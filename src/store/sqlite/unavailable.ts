// What a disk may refuse, as a sentence that says what to do.
import { storeUnavailable } from '../refusals.ts'

/** SQLite's primary result codes (https://sqlite.org/rescode.html). */
const sentences: Readonly<Record<number, string>> = {
  8: 'The store cannot be written: its directory or disk is read-only. Nothing is dialled until it can be written again.',
  10: 'The store cannot be written: the disk reports an I/O error. Nothing is dialled until it can be written again.',
  13: 'The store cannot be written: the disk is full. Nothing is dialled until there is room again.',
  14: 'The store cannot be opened: its directory or disk is gone. Nothing is dialled until it is back.',
}

/** Refusal `store_unavailable` for what the disk refused; any other error as it is. */
export function explainDisk(error: unknown): unknown {
  const code = (error as { errcode?: unknown } | null)?.errcode
  const sentence = typeof code === 'number' ? sentences[code & 0xff] : undefined
  return sentence === undefined ? error : storeUnavailable(sentence, error)
}

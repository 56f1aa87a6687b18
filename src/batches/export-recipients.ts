// A batch's people as CSV, in chunks, safe to open in a spreadsheet.
import { setImmediate } from 'node:timers/promises'
import { type Recipient, type Standing, statusOf } from '../domain/recipient.ts'
import type { Deps } from './deps.ts'
import { findBatch } from './report-batch.ts'

const rowsPerChunk = 500
/** Columns of variables beyond these are left out: a spreadsheet with more cannot be read anyway. */
const maxVariableColumns = 200

const fixedColumns = [
  'row',
  'number',
  'status',
  'result',
  'attempts',
  'duration_seconds',
  'cause',
  'finished_at',
] as const

/**
 * Yields CSV text (RFC 4180, CRLF), the header first, one line a recipient in the order of the list, then one column
 * for each variable. Refusal `batch_not_found` before the first chunk.
 */
export async function exportRecipients(
  deps: Pick<Deps, 'store'>,
  workspaceId: number,
  batchId: number,
  filter: { standings?: Standing[] } = {},
): Promise<AsyncGenerator<string>> {
  await findBatch(deps, workspaceId, batchId)
  return csvChunks(() => recipientPages(deps, workspaceId, batchId, filter))
}

/** Two readings: which variables there are, then the rows. */
async function* csvChunks(pages: () => AsyncGenerator<Recipient[]>): AsyncGenerator<string> {
  const names = new Set<string>()
  for await (const page of pages())
    for (const { variables } of page)
      for (const name of Object.keys(variables)) if (names.size < maxVariableColumns) names.add(name)

  yield csvLine([...fixedColumns, ...names])
  for await (const page of pages())
    yield page
      .map(recipient => csvLine([...fixedCells(recipient), ...variableCells(recipient, names)]))
      .join('')
}

async function* recipientPages(
  { store }: Pick<Deps, 'store'>,
  workspaceId: number,
  batchId: number,
  filter: { standings?: Standing[] },
): AsyncGenerator<Recipient[]> {
  let afterPosition = 0
  for (;;) {
    const page = await store.listRecipients(workspaceId, batchId, filter, {
      afterPosition,
      limit: rowsPerChunk,
    })
    if (page.length > 0) yield page
    // The store answers at once: without a turn for others, 200,000 people held the loop for 4 s.
    await setImmediate()
    const last = page.at(-1)
    if (last === undefined || page.length < rowsPerChunk) return
    afterPosition = last.position
  }
}

function fixedCells(recipient: Recipient): string[] {
  const { lastAttempt, finishedAt } = recipient
  const answeredAt = lastAttempt?.answeredAt ?? null
  const endedAt = lastAttempt?.endedAt ?? null
  return [
    String(recipient.rowNumber),
    recipient.number,
    statusOf(recipient.standing),
    recipient.standing,
    String(recipient.attempts),
    answeredAt === null || endedAt === null ? '' : String(Math.round((endedAt - answeredAt) / 1_000)),
    lastAttempt?.outcome?.cause ?? '',
    finishedAt === null ? '' : new Date(finishedAt).toISOString(),
  ]
}

function variableCells({ variables }: Recipient, names: Iterable<string>): string[] {
  return Array.from(names, name => {
    const value = Object.hasOwn(variables, name) ? variables[name] : null
    if (value === null || value === undefined) return ''
    return typeof value === 'object' ? JSON.stringify(value) : String(value)
  })
}

function csvLine(cells: readonly string[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`
}

/**
 * A cell that a spreadsheet would run as a formula gets an apostrophe in front; a telephone number begins with `+` too
 * and is left as it is. https://owasp.org/www-community/attacks/CSV_Injection
 */
export function csvCell(text: string): string {
  const runs = /^[=+\-@\t\r]/.test(text) && !/^\+[1-9]\d{6,14}$/.test(text)
  const safe = runs ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

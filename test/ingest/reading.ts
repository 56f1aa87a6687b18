// Reads a list for a test and keeps what comes out.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Refusal } from '../../src/domain/refusal.ts'
import { type IngestLimits, ingestList, type ListRules } from '../../src/ingest/ingest.ts'
import type { AcceptedRow, RejectedRow } from '../../src/store/store.ts'

export const rules: ListRules = {
  formats: ['csv', 'xlsx', 'xls', 'json'],
  phoneColumns: ['phone', 'phone_number'],
  numbers: 'readable',
  region: null,
  destinations: null,
  zoneColumns: ['timezone'],
  fallbackZone: 'Etc/UTC',
  mode: 'lenient',
  refuseBadContact: false,
  maxBytes: 10_000_000,
  maxRows: 10_000,
}

export interface Reading {
  rows: number
  headers: string[]
  /** Row number → number, zone and variables. */
  accepted: Map<number, { number: string; zone: string; variables: Record<string, unknown> }>
  /** Row number → code and value. */
  rejected: Map<number, [code: string, value: string | null]>
  /** How often the sink was called. */
  chunks: number
}

export function fixture(name: string): Buffer {
  return readFileSync(join(import.meta.dirname, '../fixtures', name))
}

/** Reads the bytes as an uploaded file; a string is UTF-8. */
export async function readBytes(
  bytes: Uint8Array | string,
  changes: Partial<ListRules> = {},
  limits?: IngestLimits,
): Promise<Reading> {
  const folder = mkdtempSync(join(tmpdir(), 'outdial-ingest-'))
  const path = join(folder, 'upload')
  writeFileSync(path, bytes)
  try {
    return await collect(
      { kind: 'file', path, fileName: 'list.csv', bytes: bytes.length, sha256: '' },
      changes,
      limits,
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
}

export async function readContacts(
  contacts: readonly unknown[],
  changes: Partial<ListRules> = {},
): Promise<Reading> {
  return collect({ kind: 'contacts', contacts, sha256: '' }, changes)
}

/** The refusal of a reading that has to fail, with how many rows had reached the sink by then. */
export async function refusalOf(reading: () => Promise<Reading>): Promise<Refusal> {
  try {
    await reading()
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
  throw new Error('the list was read')
}

/** Rows that the last reading handed to the sink, also when it was refused. */
export let taken = 0

async function collect(
  source: Parameters<typeof ingestList>[0],
  changes: Partial<ListRules>,
  limits?: IngestLimits,
) {
  const reading: Reading = { rows: 0, headers: [], accepted: new Map(), rejected: new Map(), chunks: 0 }
  taken = 0
  const take = async (accepted: AcceptedRow[], rejected: RejectedRow[]) => {
    reading.chunks++
    taken += accepted.length + rejected.length
    for (const { rowNumber, number, zone, variablesJson } of accepted)
      reading.accepted.set(rowNumber, { number, zone, variables: JSON.parse(variablesJson) })
    for (const { rowNumber, code, value } of rejected) reading.rejected.set(rowNumber, [code, value])
  }
  const summary = await ingestList(source, { ...rules, ...changes }, { take }, limits)
  return Object.assign(reading, summary)
}

// What a list is made of, and how it is to be read.
import type { Destination } from '../domain/workspace.ts'

/** An upload on disk, or contacts that came as JSON in the request. */
export type ListSource =
  | { kind: 'file'; path: string; fileName: string; bytes: number; sha256: string }
  | { kind: 'contacts'; contacts: readonly unknown[]; sha256: string }

export type ListFormat = 'csv' | 'xlsx' | 'xls' | 'json'

/** How a dialect reads a list. */
export interface ListRules {
  formats: readonly ListFormat[]
  /** Header names of the number's column, compared without case and surrounding space; the first that is found counts. */
  phoneColumns: readonly string[]
  /** `e164`: only `+` and digits; `readable`: anything libphonenumber reads, with the region below. */
  numbers: 'e164' | 'readable'
  /** ISO 3166-1 alpha-2 for numbers without `+`; null: such numbers are invalid. */
  region: string | null
  /** null: everywhere. */
  destinations: readonly Destination[] | null
  /** Header names of a time zone column. */
  zoneColumns: readonly string[]
  /** Zone of numbers whose prefix has none. */
  fallbackZone: string
  /** `strict`: one bad row refuses the list (grouped reasons); `lenient`: bad rows are reported and left out. */
  mode: 'strict' | 'lenient'
  /** For contacts as JSON: a bad number refuses the whole list (one dialect). */
  refuseBadContact: boolean
  maxBytes: number
  maxRows: number
}

export interface IngestSummary {
  /** Data rows in the list, the header and wholly blank lines not counted. */
  rows: number
  /** As the user spelled them; of contacts as JSON: the keys of the first. */
  headers: string[]
}

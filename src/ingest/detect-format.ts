// What a file really is, by its first bytes: names and media types lie.
import { Refusal } from '../domain/refusal.ts'
import { decodeParts, findEncoding, type TextEncoding } from './decode-text.ts'
import type { ListFormat } from './list-rules.ts'
import { readZipDirectory } from './zip-directory.ts'

/** A file by its content. */
export type DetectedList =
  | { format: 'csv'; bytes: Uint8Array; encoding: TextEncoding }
  | { format: 'json'; bytes: Uint8Array; encoding: TextEncoding }
  | { format: 'xlsx'; bytes: Uint8Array }
  | { format: 'xls'; bytes: Uint8Array }

/**
 * Says what the file is. Throws `unsupported_format` for a known format that is no list or is not among `formats`, and
 * `invalid_csv` for an empty file and for bytes that are neither.
 */
export function detectFormat(bytes: Uint8Array, formats: readonly ListFormat[]): DetectedList {
  if (bytes.length === 0) throw new Refusal('invalid', 'invalid_csv', 'The file is empty.')
  const known = signatures.find(({ magic }) => startsWith(bytes, magic))
  if (known !== undefined) throw unsupported(known.what, formats)
  const list =
    startsWith(bytes, zipMagic) || startsWith(bytes, oleMagic)
      ? spreadsheet(bytes, formats)
      : text(bytes, formats)
  if (!formats.includes(list.format)) throw unsupported(formatNames[list.format], formats)
  return list
}

/** Enough to tell what a text is; even, so that it never cuts UTF-16 in two. */
const maxStartBytes = 4_096

const zipMagic = [0x50, 0x4b, 0x03, 0x04]
/** Compound files: .xls, and everything else that Office wrote before 2007. */
const oleMagic = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]
const signatures = [
  { what: 'a PDF document', magic: [0x25, 0x50, 0x44, 0x46] },
  { what: 'a PNG image', magic: [0x89, 0x50, 0x4e, 0x47] },
  { what: 'a JPEG image', magic: [0xff, 0xd8, 0xff] },
  { what: 'a GIF image', magic: [0x47, 0x49, 0x46, 0x38] },
  { what: 'a gzip archive', magic: [0x1f, 0x8b] },
  { what: 'a 7-Zip archive', magic: [0x37, 0x7a, 0xbc, 0xaf] },
  { what: 'a RAR archive', magic: [0x52, 0x61, 0x72, 0x21] },
  { what: 'an empty zip archive', magic: [0x50, 0x4b, 0x05, 0x06] },
  { what: 'a SQLite database', magic: [0x53, 0x51, 0x4c, 0x69, 0x74, 0x65, 0x20, 0x66] },
] as const
const formatNames: Record<ListFormat, string> = {
  csv: 'CSV',
  xlsx: 'an XLSX workbook',
  xls: 'an XLS workbook',
  json: 'JSON',
}

function spreadsheet(bytes: Uint8Array, formats: readonly ListFormat[]): DetectedList {
  if (startsWith(bytes, oleMagic)) return { format: 'xls', bytes }
  const names = readZipDirectory(bytes).map(({ name }) => name)
  if (names.includes('xl/workbook.xml')) return { format: 'xlsx', bytes }
  if (names.includes('xl/workbook.bin')) throw unsupported('an XLSB workbook', formats)
  if (names.includes('content.xml')) throw unsupported('an OpenDocument file', formats)
  if (names.includes('word/document.xml')) throw unsupported('a Word document', formats)
  throw unsupported('a zip archive', formats)
}

function text(bytes: Uint8Array, formats: readonly ListFormat[]): DetectedList {
  const encoding = findEncoding(bytes)
  const start = decodeParts(bytes.subarray(0, maxStartBytes), encoding).next().value?.trimStart() ?? ''
  if (/^(<!doctype|<html|<table|<\?xml|<meta)/i.test(start)) throw unsupported('a web page or XML', formats)
  // A CSV may begin with a bracket as well; what follows one in JSON does not look like a header.
  const format = /^\[\s*[{\]]|^\{\s*["}]/.test(start) ? 'json' : 'csv'
  return { format, bytes, encoding }
}

function startsWith(bytes: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, at) => bytes[at] === byte)
}

function unsupported(what: string, formats: readonly ListFormat[]): Refusal {
  const wanted = formats.map(format => format.toUpperCase())
  const sentence = `The file is ${what}. Send the list as ${wanted.join(', ').replace(/, ([^,]*)$/, ' or $1')}.`
  return new Refusal('invalid', 'unsupported_format', sentence, { found: what, formats: [...formats] })
}

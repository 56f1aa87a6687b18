// The directory at the end of a zip file, and its entries unpacked within bounds: 1.3 MB of zip can hold 1.3 GB of zeros.
import { crc32, inflateRawSync } from 'node:zlib'
import { Refusal } from '../domain/refusal.ts'

export interface ZipEntry {
  name: string
  /** 0 stored, 8 deflated. */
  method: number
  encrypted: boolean
  crc: number
  packedBytes: number
  bytes: number
  /** Of the local header. */
  offset: number
}

/** Reads the central directory (APPNOTE 4.3.12). Throws `invalid_csv` for a damaged file or one with too many entries. */
export function readZipDirectory(zip: Uint8Array): ZipEntry[] {
  const view = new DataView(zip.buffer, zip.byteOffset, zip.byteLength)
  const end = findEnd(view)
  const count = view.getUint16(end + 10, true)
  if (count > maxEntries) throw damaged(`it has ${count} parts`)
  const entries: ZipEntry[] = []
  let at = view.getUint32(end + 16, true)
  for (let index = 0; index < count; index++) {
    if (at + centralBytes > end || view.getUint32(at, true) !== centralMagic)
      throw damaged('its directory is broken')
    entries.push(readEntry(view, at))
    at +=
      centralBytes +
      view.getUint16(at + 28, true) +
      view.getUint16(at + 30, true) +
      view.getUint16(at + 32, true)
  }
  return entries
}

/**
 * Unpacks the entries whole. What the directory promises is summed before anything is unpacked, and zlib stops at what
 * was promised. Throws `file_too_large` above the bounds and `invalid_csv` for damage.
 */
export function unpackZip(zip: Uint8Array, entries: readonly ZipEntry[]): Map<string, Buffer> {
  const total = entries.reduce((sum, entry) => sum + entry.bytes, 0)
  const packed = entries.reduce((sum, entry) => sum + entry.packedBytes, 0)
  if (total > maxUnpackedBytes || (total > maxFreeBytes && total > packed * maxRatio)) throw tooLarge(total)
  return new Map(entries.map(entry => [entry.name, unpackEntry(zip, entry)]))
}

/** Workbooks have some dozens of parts. */
const maxEntries = 5_000
/** XML of a workbook, unpacked: about a million rows. More has to come as CSV. */
const maxUnpackedBytes = 384 * 1024 * 1024
/** Real sheets pack 5 to 20 times, identical rows up to 100 times; deflate's own limit is 1,032. */
const maxRatio = 150
/** Below this the ratio does not matter. */
const maxFreeBytes = 16 * 1024 * 1024

const endMagic = 0x06054b50
const endBytes = 22
const centralMagic = 0x02014b50
const centralBytes = 46
const localMagic = 0x04034b50
const localBytes = 30
/** In place of a size: the real one stands in a zip64 field, which files under 4 GB have no need of. */
const zip64Mark = 0xffffffff

function findEnd(view: DataView): number {
  // The comment after it may be 65,535 bytes long.
  const earliest = Math.max(0, view.byteLength - endBytes - 0xffff)
  for (let at = view.byteLength - endBytes; at >= earliest; at--) {
    if (view.getUint32(at, true) === endMagic) return at
  }
  throw damaged('its end is missing')
}

function readEntry(view: DataView, at: number): ZipEntry {
  const name = new Uint8Array(view.buffer, view.byteOffset + at + centralBytes, view.getUint16(at + 28, true))
  const entry = {
    name: Buffer.from(name).toString('utf8'),
    method: view.getUint16(at + 10, true),
    encrypted: (view.getUint16(at + 8, true) & 1) === 1,
    crc: view.getUint32(at + 16, true),
    packedBytes: view.getUint32(at + 20, true),
    bytes: view.getUint32(at + 24, true),
    offset: view.getUint32(at + 42, true),
  }
  if ([entry.packedBytes, entry.bytes, entry.offset].includes(zip64Mark))
    throw damaged('it is in the zip64 form')
  return entry
}

function unpackEntry(zip: Uint8Array, entry: ZipEntry): Buffer {
  if (entry.encrypted) throw damaged('it is protected by a password')
  const unpacked = inflate(packedPart(zip, entry), entry)
  if (unpacked.length !== entry.bytes || crc32(unpacked) !== entry.crc)
    throw damaged(`${entry.name} does not add up`)
  return unpacked
}

function packedPart(zip: Uint8Array, { name, offset, packedBytes }: ZipEntry): Uint8Array {
  const view = new DataView(zip.buffer, zip.byteOffset, zip.byteLength)
  if (offset + localBytes > zip.length || view.getUint32(offset, true) !== localMagic)
    throw damaged(`${name} is missing`)
  const start = offset + localBytes + view.getUint16(offset + 26, true) + view.getUint16(offset + 28, true)
  if (start + packedBytes > zip.length) throw damaged(`${name} is cut off`)
  return zip.subarray(start, start + packedBytes)
}

function inflate(packed: Uint8Array, { name, method, bytes }: ZipEntry): Buffer {
  if (method === 0) return Buffer.from(packed)
  if (method !== 8) throw damaged(`${name} is packed in an unknown way`)
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(1, bytes) })
  } catch {
    // Whatever zlib says (more than promised, broken codes): the reason is the same to the person who sent it.
    throw damaged(`${name} does not add up`)
  }
}

function damaged(why: string): Refusal {
  return new Refusal(
    'invalid',
    'invalid_csv',
    `The workbook cannot be read: ${why}. Save it anew and send it again.`,
    { why },
  )
}

function tooLarge(bytes: number): Refusal {
  const sentence = `The workbook unpacks to ${Math.round(bytes / 1024 / 1024)} MB, more than can be read. Send the list as CSV.`
  return new Refusal('too-large', 'file_too_large', sentence, { unpackedBytes: bytes, maxUnpackedBytes })
}

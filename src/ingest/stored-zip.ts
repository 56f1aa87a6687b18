// Writes a zip file that packs nothing: how a workbook that we have unpacked within bounds is handed to a reader.
import { crc32 } from 'node:zlib'

/** A zip of the files, stored (APPNOTE 4.3.7, 4.3.12, 4.3.16): it can unpack to nothing but what it is. */
export function storeZip(files: ReadonlyMap<string, Uint8Array>): Buffer {
  const locals: Uint8Array[] = []
  const directory: Uint8Array[] = []
  let offset = 0
  for (const [name, content] of files) {
    const nameBytes = Buffer.from(name)
    const head = fields(nameBytes, content)
    const local = Buffer.concat([Buffer.from([0x50, 0x4b, 0x03, 0x04]), head, nameBytes])
    const place = Buffer.alloc(14)
    place.writeUInt32LE(offset, 10)
    directory.push(Buffer.from([0x50, 0x4b, 0x01, 0x02, 20, 0]), head, place, nameBytes)
    locals.push(local, content)
    offset += local.length + content.length
  }
  const central = Buffer.concat(directory)
  return Buffer.concat([...locals, central, end(files.size, central.length, offset)])
}

/** What a local header and a directory entry have in common: version to extra length, 26 bytes. */
function fields(name: Uint8Array, content: Uint8Array): Buffer {
  const head = Buffer.alloc(26)
  head.writeUInt16LE(20, 0)
  head.writeUInt32LE(crc32(content), 10)
  head.writeUInt32LE(content.length, 14)
  head.writeUInt32LE(content.length, 18)
  head.writeUInt16LE(name.length, 22)
  return head
}

function end(count: number, bytes: number, offset: number): Buffer {
  const record = Buffer.alloc(22)
  record.writeUInt32LE(0x06054b50, 0)
  record.writeUInt16LE(count, 8)
  record.writeUInt16LE(count, 10)
  record.writeUInt32LE(bytes, 12)
  record.writeUInt32LE(offset, 16)
  return record
}

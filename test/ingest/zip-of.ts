// Builds zip files for tests, also such as lie about what they hold.
import { crc32, deflateRawSync } from 'node:zlib'

export interface ZipPart {
  name: string
  content: Uint8Array | string
  /** What the headers claim instead of the real length. */
  claimedBytes?: number
  flags?: number
}

/** `hidden` parts have a local header, but do not stand in the directory. */
export function zipOf(parts: ZipPart[], hidden: ZipPart[] = []): Buffer {
  const locals: Buffer[] = []
  const directory: Buffer[] = []
  for (const part of [...hidden, ...parts]) {
    const offset = locals.reduce((sum, { length }) => sum + length, 0)
    const content = Buffer.from(part.content)
    const packed = deflateRawSync(content)
    const fields = Buffer.alloc(26)
    fields.writeUInt16LE(20, 0)
    fields.writeUInt16LE(part.flags ?? 0, 2)
    fields.writeUInt16LE(8, 4)
    fields.writeUInt32LE(crc32(content), 10)
    fields.writeUInt32LE(packed.length, 14)
    fields.writeUInt32LE(part.claimedBytes ?? content.length, 18)
    fields.writeUInt16LE(part.name.length, 22)
    const place = Buffer.alloc(14)
    place.writeUInt32LE(offset, 10)
    locals.push(Buffer.concat([Buffer.from('PK\x03\x04'), fields, Buffer.from(part.name), packed]))
    if (!hidden.includes(part))
      directory.push(
        Buffer.concat([Buffer.from('PK\x01\x02\x14\x00'), fields, place, Buffer.from(part.name)]),
      )
  }
  const body = Buffer.concat(locals)
  const central = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06')
  end.writeUInt16LE(parts.length, 8)
  end.writeUInt16LE(parts.length, 10)
  end.writeUInt32LE(central.length, 12)
  end.writeUInt32LE(body.length, 16)
  return Buffer.concat([body, central, end])
}

/** The smallest workbook: one sheet with this XML as its data. */
export function workbookParts(sheetData: string): ZipPart[] {
  const main = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main'
  const rel = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships'
  const relations = 'http://schemas.openxmlformats.org/package/2006/relationships'
  return [
    { name: '[Content_Types].xml', content: '<Types/>' },
    {
      name: 'xl/workbook.xml',
      content: `<workbook xmlns="${main}" xmlns:r="${rel}"><sheets><sheet name="A" sheetId="1" r:id="rId1"/></sheets></workbook>`,
    },
    {
      name: 'xl/_rels/workbook.xml.rels',
      content: `<Relationships xmlns="${relations}"><Relationship Id="rId1" Type="${rel}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`,
    },
    {
      name: 'xl/worksheets/sheet1.xml',
      content: `<worksheet xmlns="${main}"><sheetData>${sheetData}</sheetData></worksheet>`,
    },
  ]
}

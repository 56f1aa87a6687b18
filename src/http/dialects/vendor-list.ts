// How all three vendors read a list; a dialect adds its own formats, column, strictness and bounds.
import type { Workspace } from '../../domain/workspace.ts'
import type { ListRules } from '../../ingest/ingest.ts'

type OwnRules = Pick<
  ListRules,
  'formats' | 'phoneColumns' | 'numbers' | 'mode' | 'refuseBadContact' | 'maxBytes' | 'maxRows'
>

/** The region is the caller ID's, found later; `fallbackZone` is for numbers whose prefix has none. */
export function vendorList({ destinations }: Workspace, fallbackZone: string, own: OwnRules): ListRules {
  return { region: null, destinations, zoneColumns: ['timezone'], fallbackZone, ...own }
}

// Reading a list for a batch that is being made or added to: the rules made local to its caller, and the reasons remembered.
import type { IngestCounts } from '../domain/batch.ts'
import { readPhoneNumber } from '../domain/phone-number.ts'
import { Refusal, rowReasons } from '../domain/refusal.ts'
import type { Workspace } from '../domain/workspace.ts'
import { ingestList, type ListRules, type ListSource } from '../ingest/ingest.ts'
import type { AcceptedRow, RejectedRow } from '../store/store.ts'
import type { Caller } from './find-caller.ts'

/** How many bad rows a refusal quotes. */
const maxQuotedReasons = 10

export type SeenReasons = { row: number; code: string; reason: string }[]

/**
 * The dialect's rules for this caller. Numbers without `+` are read in the rules' region, else the caller ID's country,
 * else the workspace's. The workspace's destinations hold on every trunk but a SIP trunk, which is exempt unless its
 * settings say `exemptFromDestinations: false`.
 */
export function localListRules(
  rules: ListRules,
  workspace: Workspace,
  { phoneNumber, trunk }: Pick<Caller, 'phoneNumber' | 'trunk'>,
): ListRules {
  const exempt = trunk.kind === 'sip' && trunk.settings.exemptFromDestinations !== false
  return {
    ...rules,
    region: rules.region ?? countryOf(phoneNumber.e164) ?? workspace.defaultRegion,
    destinations: exempt ? null : (rules.destinations ?? workspace.destinations),
  }
}

/** Streams the list into `take`. An open batch may start without anybody in it. */
export async function readList(
  source: ListSource,
  rules: ListRules,
  mayBeEmpty: boolean,
  take: (accepted: AcceptedRow[], rejected: RejectedRow[]) => Promise<void>,
): Promise<{ rows: number; reasons: SeenReasons }> {
  const reasons: SeenReasons = []
  if (mayBeEmpty && source.kind === 'contacts' && source.contacts.length === 0) return { rows: 0, reasons }
  const { rows } = await ingestList(source, rules, {
    take(accepted, rejected) {
      for (const { rowNumber, code } of rejected.slice(0, maxQuotedReasons - reasons.length))
        reasons.push({ row: rowNumber, code, reason: rowReasons[code] })
      return take(accepted, rejected)
    },
  })
  return { rows, reasons }
}

/** Nobody can be called: says how the rows ended and why the first ones did. */
export function noValidContacts(counts: IngestCounts, reasons: SeenReasons): Refusal {
  const [first] = reasons
  const example = first === undefined ? '' : ` Row ${first.row}: ${first.reason}.`
  return new Refusal(
    'invalid',
    'no_valid_contacts',
    `The list has no contact that can be called (${counts.rows} rows).${example}`,
    { counts, reasons },
  )
}

function countryOf(e164: string): string | null {
  const read = readPhoneNumber(e164, { region: null, rule: 'e164' })
  return read.ok ? read.country : null
}

// A person is forgotten by their number, everywhere in the workspace.
import { readPhoneNumber } from '../domain/phone-number.ts'
import { Refusal } from '../domain/refusal.ts'
import type { Workspace } from '../domain/workspace.ts'
import type { Erasure } from '../store/housekeeping-store.ts'
import type { Deps } from './deps.ts'
import { removeRecordings } from './find-attempt.ts'

/**
 * Nobody calls them any more; number, variables, transcripts, recordings are gone; counts stay. An entry on the
 * suppression list stays, or the person would be called again from the next list. Asked again, it finds nothing more.
 * Refusals `invalid_phone`, `call_under_way` (conflict).
 */
export async function erasePerson(
  { store, clock, recordingsDir, logger }: Pick<Deps, 'store' | 'clock' | 'recordingsDir' | 'logger'>,
  workspace: Workspace,
  number: string,
): Promise<Erasure> {
  const read = readPhoneNumber(number, { region: workspace.defaultRegion, rule: 'readable' })
  if (!read.ok)
    throw new Refusal('invalid', 'invalid_phone', 'This is no phone number; write it as +12025550101.')
  const erasure = await store.erasePerson(workspace.id, read.e164, clock.now(), files =>
    removeRecordings(recordingsDir, files),
  )
  logger.info({ workspaceId: workspace.id, ...erasure }, 'a person was erased')
  return erasure
}

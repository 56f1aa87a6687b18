// The list of numbers that are never dialled: put on, read, taken off.
import { readPhoneNumber } from '../domain/phone-number.ts'
import { Refusal } from '../domain/refusal.ts'
import type { Suppression, Workspace } from '../domain/workspace.ts'
import type { Idempotency } from '../store/store.ts'
import type { Deps } from './deps.ts'

/**
 * Takes effect before the next dial, in every batch of the workspace. Numbers without `+` are read in the workspace's
 * default region. Refusal `invalid_phone` with `details.errors` naming each number's place.
 */
export async function suppressNumbers(
  { store, clock }: Pick<Deps, 'store' | 'clock'>,
  request: { workspace: Workspace; numbers: readonly string[]; reason: string },
  idempotency?: Idempotency<Suppression[]>,
): Promise<Suppression[]> {
  const { workspace, numbers, reason } = request
  const read = numbers.map(number =>
    readPhoneNumber(number, { region: workspace.defaultRegion, rule: 'readable' }),
  )
  const errors = read.flatMap((number, index) =>
    number.ok ? [] : [{ field: `numbers.${index}`, message: 'is not a phone number' }],
  )
  if (errors.length > 0)
    throw new Refusal(
      'invalid',
      'invalid_phone',
      'The list has entries that are not phone numbers; write them as +12025550101.',
      { errors },
    )
  const e164 = read.flatMap(number => (number.ok ? [number.e164] : []))
  return store.suppress(workspace.id, [...new Set(e164)], reason, clock.now(), idempotency)
}

/** Refusal `suppression_not_found`. */
export async function unsuppressNumber(
  { store, clock }: Pick<Deps, 'store' | 'clock'>,
  workspace: Workspace,
  number: string,
): Promise<void> {
  const read = readPhoneNumber(number, { region: workspace.defaultRegion, rule: 'readable' })
  if (read.ok && (await store.unsuppress(workspace.id, read.e164, clock.now()))) return
  throw new Refusal('not-found', 'suppression_not_found', 'This number is not on the suppression list.')
}

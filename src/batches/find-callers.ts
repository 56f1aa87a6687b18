// The numbers from which a batch calls in turns: those that were named, or every number of a trunk.
import { Refusal } from '../domain/refusal.ts'
import type { PhoneNumber } from '../domain/workspace.ts'
import type { Deps } from './deps.ts'
import { findNumber } from './find-caller.ts'

/** As the client spelled them: ids in digits, aliases, or the numbers themselves; or the trunk's id. */
export type CallersWanted = { phoneNumberRefs: readonly string[] } | { trunkRef: string }

/** A claim goes through all of them for each person. */
export const maxCallers = 100

/**
 * Refusals: `phone_number_not_found`, `trunk_not_found` (not-found), `several_trunks` where the numbers are not all on
 * one trunk, `trunk_without_numbers`, `too_many_callers` (invalid).
 */
export async function findCallers(
  { store }: Pick<Deps, 'store'>,
  workspaceId: number,
  wanted: CallersWanted,
): Promise<PhoneNumber[]> {
  if ('trunkRef' in wanted) return numbersOfTrunk(store, workspaceId, wanted.trunkRef)
  const found = new Map<number, PhoneNumber>()
  for (const ref of wanted.phoneNumberRefs) {
    const number = await findNumber(store, workspaceId, ref)
    found.set(number.id, number)
  }
  const numbers = [...found.values()]
  refuseTooMany(numbers)
  const trunks = [...new Set(numbers.map(({ trunkId }) => trunkId))]
  if (trunks.length <= 1) return numbers
  throw new Refusal(
    'invalid',
    'several_trunks',
    `These phone numbers call over different trunks (${trunks.join(', ')}), and a batch calls over one: make a batch for each.`,
    { trunkIds: trunks },
  )
}

async function numbersOfTrunk(
  store: Deps['store'],
  workspaceId: number,
  trunkRef: string,
): Promise<PhoneNumber[]> {
  const trunk = await store.findTrunk(workspaceId, trunkRef)
  if (trunk === null)
    throw new Refusal('not-found', 'trunk_not_found', `Trunk ${trunkRef} not found`, { ref: trunkRef })
  const numbers: PhoneNumber[] = []
  const limit = 200
  for (let after = 0; ; ) {
    const page = await store.listPhoneNumbers(workspaceId, { after, limit })
    numbers.push(...page.filter(({ trunkId }) => trunkId === trunk.id))
    if (page.length < limit) break
    after = page.at(-1)!.id
  }
  refuseTooMany(numbers)
  if (numbers.length > 0) return numbers
  throw new Refusal(
    'invalid',
    'trunk_without_numbers',
    `Trunk ${trunk.id} has no phone number to call from: add one first.`,
  )
}

function refuseTooMany({ length }: readonly PhoneNumber[]): void {
  if (length <= maxCallers) return
  throw new Refusal(
    'invalid',
    'too_many_callers',
    `A batch calls from at most ${maxCallers} phone numbers, not ${length}.`,
    { max: maxCallers },
  )
}

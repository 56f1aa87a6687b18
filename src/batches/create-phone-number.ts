// A new phone number: a caller ID of ours, its trunk, its outbound agent.
import { readPhoneNumber } from '../domain/phone-number.ts'
import { Refusal } from '../domain/refusal.ts'
import type { PhoneNumber } from '../domain/workspace.ts'
import type { Idempotency } from '../store/store.ts'
import type { Deps } from './deps.ts'
import { findAgent } from './find-caller.ts'

export interface CreatePhoneNumberRequest {
  workspaceId: number
  e164: string
  /** Id or alias; null: no outbound agent. */
  agentRef: string | null
  /** null: the workspace's simulated trunk. */
  trunkId: number | null
  maxConcurrentCalls: number | null
  /** In any 24 hours. Absent: no cap. */
  maxCallsPerDay?: number | null
  aliases: string[]
}

/** Refusals `invalid_phone`, `agent_not_found`, `unknown_trunk` (not-found), `alias_taken`, `number_taken` (conflict). */
export async function createPhoneNumber(
  { store, clock }: Pick<Deps, 'store' | 'clock'>,
  request: CreatePhoneNumberRequest,
  idempotency?: Idempotency<PhoneNumber>,
): Promise<PhoneNumber> {
  const { workspaceId, agentRef, trunkId, maxConcurrentCalls, maxCallsPerDay = null, aliases } = request
  const read = readPhoneNumber(request.e164, { region: null, rule: 'e164' })
  if (!read.ok) {
    const message = 'must be a phone number in E.164 format, such as +12025550100'
    throw new Refusal('invalid', 'invalid_phone', `\`e164\`: ${message}`, {
      errors: [{ field: 'e164', message }],
    })
  }
  const agent = agentRef === null ? null : await findAgent(store, workspaceId, agentRef)
  return store.createPhoneNumber(
    {
      workspaceId,
      e164: read.e164,
      trunkId,
      agentId: agent?.id ?? null,
      maxConcurrentCalls,
      maxCallsPerDay,
      aliases,
      createdAt: clock.now(),
    },
    idempotency,
  )
}

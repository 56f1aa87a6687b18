// Who calls: the agent and the caller ID of a batch, from whatever of the two the client named.
import { Refusal } from '../domain/refusal.ts'
import type { Agent, PhoneNumber, Trunk } from '../domain/workspace.ts'
import type { Deps } from './deps.ts'

export interface Caller {
  agent: Agent
  phoneNumber: PhoneNumber
  trunk: Trunk
}

const phoneNumbersPerPage = 200

/**
 * A number brings its outbound agent, an agent its first number (else the workspace's). Refusals:
 * `phone_number_not_found`, `agent_not_found` (not-found), `no_outbound_agent`, `no_phone_number`, `text_agent`,
 * `silent_agent`, `no_caller` (invalid).
 */
export async function findCaller(
  { store }: Pick<Deps, 'store'>,
  workspaceId: number,
  refs: { agentRef: string | null; phoneNumberRef: string | null },
): Promise<Caller> {
  const { agentRef, phoneNumberRef } = refs
  const sent = phoneNumberRef === null ? null : await findNumber(store, workspaceId, phoneNumberRef)
  const agent =
    agentRef === null ? await agentOfNumber(store, sent) : await findAgent(store, workspaceId, agentRef)
  if (agent.architecture === 'text')
    throw new Refusal(
      'invalid',
      'text_agent',
      'A text agent cannot make calls: choose a pipeline or a realtime agent.',
    )
  const phoneNumber = sent ?? (await store.defaultPhoneNumber(workspaceId, agent.id))
  if (phoneNumber === null)
    throw new Refusal(
      'invalid',
      'no_phone_number',
      'Neither the agent nor the workspace has a phone number to call from: add one first.',
    )
  const trunk = await store.getTrunk(phoneNumber.trunkId)
  if (trunk === null) throw new Error('A phone number has no trunk')
  if (trunk.kind === 'sip' && agent.connection === null && agent.firstMessage === null)
    throw new Refusal(
      'invalid',
      'silent_agent',
      'This agent has nothing to say to real people: give it a connection or a first message.',
    )
  return { agent, phoneNumber, trunk }
}

/** By id, alias, or the E.164 number itself. Refusal `phone_number_not_found`. */
export async function findNumber(
  store: Deps['store'],
  workspaceId: number,
  ref: string,
): Promise<PhoneNumber> {
  const found = (await store.findPhoneNumber(workspaceId, ref)) ?? (await findByE164(store, workspaceId, ref))
  if (found !== null) return found
  throw new Refusal('not-found', 'phone_number_not_found', `Phone number ${ref} not found`, { ref })
}

/**
 * The number that a test of this trunk calls from: as named, else the trunk's first. Refusals `phone_number_not_found`,
 * `number_of_another_trunk`, `trunk_without_number`.
 */
export async function findNumberOfTrunk(
  { store }: Pick<Deps, 'store'>,
  workspaceId: number,
  trunk: Trunk,
  ref: string | null,
): Promise<PhoneNumber> {
  const sent = ref === null ? null : await findNumber(store, workspaceId, ref)
  if (sent !== null && sent.trunkId !== trunk.id)
    throw new Refusal(
      'invalid',
      'number_of_another_trunk',
      `Phone number ${ref} does not call over ${trunk.name}.`,
    )
  const found = sent ?? (await findWhere(store, workspaceId, number => number.trunkId === trunk.id))
  if (found !== null) return found
  throw new Refusal(
    'invalid',
    'trunk_without_number',
    `No phone number calls over ${trunk.name}: add one, the carrier wants to know who calls.`,
  )
}

function findByE164(store: Deps['store'], workspaceId: number, e164: string): Promise<PhoneNumber | null> {
  if (!/^\+\d+$/.test(e164)) return Promise.resolve(null)
  return findWhere(store, workspaceId, number => number.e164 === e164)
}

/** A workspace has few caller IDs: they are read through rather than indexed. */
async function findWhere(
  store: Deps['store'],
  workspaceId: number,
  holds: (number: PhoneNumber) => boolean,
): Promise<PhoneNumber | null> {
  let after = 0
  for (;;) {
    const page = await store.listPhoneNumbers(workspaceId, { after, limit: phoneNumbersPerPage })
    const found = page.find(holds)
    if (found !== undefined) return found
    const last = page.at(-1)
    if (last === undefined || page.length < phoneNumbersPerPage) return null
    after = last.id
  }
}

/** Refusal `agent_not_found`. */
export async function findAgent(store: Deps['store'], workspaceId: number, ref: string): Promise<Agent> {
  const agent = await store.findAgent(workspaceId, ref)
  if (agent === null) throw new Refusal('not-found', 'agent_not_found', `Agent ${ref} not found`, { ref })
  return agent
}

async function agentOfNumber(store: Deps['store'], number: PhoneNumber | null): Promise<Agent> {
  if (number === null)
    throw new Refusal('invalid', 'no_caller', 'Name the agent that calls, or the phone number to call from.')
  const agent = number.agentId === null ? null : await store.getAgent(number.agentId)
  if (agent !== null) return agent
  throw new Refusal(
    'invalid',
    'no_outbound_agent',
    'The phone number has no outbound agent assigned: assign one first.',
  )
}

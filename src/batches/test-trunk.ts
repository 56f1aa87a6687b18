// A test of a trunk: its gateways are looked up and asked, or one number of the operator's own is rung over it. The call is
// an ordinary batch of one, so that limits, suppression, the emergency stop and a crash are what they are for any call.
import type { Batch } from '../domain/batch.ts'
import type { CallTrace } from '../domain/call-trace.ts'
import type { GatewayProbe } from '../domain/gateway.ts'
import { judgeCall, judgeGateways, type LineTest } from '../domain/line-test.ts'
import { readPhoneNumber } from '../domain/phone-number.ts'
import { Refusal } from '../domain/refusal.ts'
import type { PhoneNumber, Trunk, Workspace } from '../domain/workspace.ts'
import { findTrunk } from './change-trunk.ts'
import { createTestBatch } from './create-test-batch.ts'
import type { Deps } from './deps.ts'
import { type Caller, findAgent, findNumberOfTrunk } from './find-caller.ts'
import { lineTestAgent } from './line-test-agent.ts'
import { type EndedTestCall, waitForTestCall } from './wait-for-test-call.ts'

export interface TrunkTestRequest {
  workspace: Workspace
  /** The trunk's id, in digits. */
  trunkRef: string
  /** The number to ring, as a person writes it; null: no call is made. */
  to: string | null
  /** Whom it is called by; null: the trunk's first number, and the line-test agent. */
  phoneNumberRef: string | null
  agentRef: string | null
  ringTimeoutMs: number
}

export interface TrunkTest extends LineTest {
  trunk: Trunk
  /** Of the call; null: none was made. */
  batchId: number | null
  attemptId: number | null
  trace: CallTrace | null
}

/** Trunks under test in this process, by store. */
const underWay = new WeakMap<Deps['store'], Set<number>>()

/**
 * Answers when the call is over. Refusals: `trunk_not_found`, `trunk_not_sip`, and before a call `workspace_stopped`,
 * `invalid_phone`, `number_suppressed`, `trunk_resting`, `trunk_without_number`, `number_of_another_trunk`,
 * `test_under_way`, and those of find-caller.
 */
export async function testTrunk(deps: Deps, request: TrunkTestRequest): Promise<TrunkTest> {
  const { workspace, trunkRef, to } = request
  const trunk = await findSipTrunk(deps, workspace.id, trunkRef)
  if (to !== null) return testByCall(deps, request, trunk, to)
  const probes = await probe(deps, trunk, true)
  const judged = judgeGateways(probes, restOf(trunk, deps.clock.now()))
  return { ...judged, trunk, batchId: null, attemptId: null, trace: null }
}

async function testByCall(
  deps: Deps,
  request: TrunkTestRequest,
  trunk: Trunk,
  to: string,
): Promise<TrunkTest> {
  const { workspace } = request
  const tests = underWay.getOrInsertComputed(deps.store, () => new Set())
  if (tests.has(trunk.id))
    throw new Refusal(
      'conflict',
      'test_under_way',
      `Trunk ${trunk.name} is being tested: one call at a time.`,
    )
  tests.add(trunk.id)
  try {
    refuseWhileResting(workspace, trunk, deps.clock.now())
    const caller = await findTestCaller(deps, request, trunk)
    const number = readNumber(to, caller.phoneNumber)
    const probes = await probe(deps, trunk, false)
    const batch = await createTestBatch(deps, { ...request, ...caller, number })
    const call = await waitForTestCall(deps, batch)
    if (call === null) throw neverPlaced(trunk)
    return { ...judgeCall(probes, call), trunk, ...keptOf(batch, call) }
  } finally {
    tests.delete(trunk.id)
  }
}

/** Opens the SIP ports, too, where no call did so far. */
async function probe({ probeTrunk }: Deps, trunk: Trunk, ask: boolean): Promise<GatewayProbe[]> {
  if (probeTrunk === undefined) {
    if (!ask) return []
    throw new Refusal(
      'unavailable',
      'no_calls_here',
      'This node makes no calls and sees no gateways: ask one that does, or test with a call.',
    )
  }
  try {
    return await probeTrunk(trunk, ask)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new Refusal(
      'unavailable',
      'sip_not_open',
      `This server cannot open its SIP ports or media workers: ${why}. See OUTDIAL_SIP_PORT, OUTDIAL_SIP_TLS_PORT and OUTDIAL_RTP_PORTS.`,
    )
  }
}

function keptOf(batch: Batch, { attempt, trace }: EndedTestCall) {
  return { batchId: batch.id, attemptId: attempt.id, trace }
}

async function findSipTrunk(deps: Deps, workspaceId: number, ref: string): Promise<Trunk> {
  const trunk = await findTrunk(deps, workspaceId, ref)
  if (trunk.kind === 'sip') return trunk
  throw new Refusal(
    'invalid',
    'trunk_not_sip',
    `Trunk ${trunk.name} leads to simulated telephones: there is nothing to test.`,
  )
}

function refuseWhileResting(workspace: Workspace, trunk: Trunk, now: number): void {
  if (workspace.stopped)
    throw new Refusal(
      'conflict',
      'workspace_stopped',
      'The workspace is stopped: nothing is dialled, not even a test.',
    )
  const rest = restOf(trunk, now)
  if (rest !== null)
    throw new Refusal(
      'conflict',
      'trunk_resting',
      `The trunk rests ${rest}. Test it then, or now without a call.`,
    )
}

/** `until 2027-03-01T09:00:00.000Z, since its calls failed: sip 403 Forbidden`; null: its breaker is closed. */
function restOf({ breakerUntil, breakerReason }: Trunk, now: number): string | null {
  if (breakerUntil === null || breakerUntil <= now) return null
  const why = breakerReason === null ? '' : `, since its calls failed: ${breakerReason}`
  return `until ${new Date(breakerUntil).toISOString()}${why}`
}

async function findTestCaller(
  deps: Deps,
  { workspace, phoneNumberRef, agentRef }: TrunkTestRequest,
  trunk: Trunk,
): Promise<Caller> {
  const phoneNumber = await findNumberOfTrunk(deps, workspace.id, trunk, phoneNumberRef)
  const agent =
    agentRef === null
      ? await lineTestAgent(deps, workspace.id)
      : await findAgent(deps.store, workspace.id, agentRef)
  if (agent.breakerUntil !== null && agent.breakerUntil > deps.clock.now())
    throw new Refusal(
      'conflict',
      'agent_resting',
      `The agent ${agent.name} rests after failed calls: name another one for the test.`,
    )
  return { agent, phoneNumber, trunk }
}

function readNumber(to: string, { e164 }: PhoneNumber): string {
  const ours = readPhoneNumber(e164, { region: null, rule: 'e164' })
  const read = readPhoneNumber(to, { region: ours.ok ? ours.country : null, rule: 'readable' })
  if (read.ok) return read.e164
  throw new Refusal('invalid', 'invalid_phone', `${to} is no phone number: write it like +12025550163.`)
}

function neverPlaced({ name }: Trunk): Refusal {
  return new Refusal(
    'unavailable',
    'test_not_placed',
    `No call could be placed over ${name} for 20 s: other calls hold its channels or the workspace's. The test was withdrawn.`,
  )
}

// What a test of a trunk has shown: the stages of its call (or of the look without one), a verdict, and what to do. Pure.
import type { CallTrace } from './call-trace.ts'
import type { Conversation } from './conversation.ts'
import type { GatewayAnswer, GatewayProbe } from './gateway.ts'
import { adviceOnCall, adviceOnGateways } from './line-test-advice.ts'
import { stagesOfCall } from './line-test-stages.ts'
import type { Attempt } from './recipient.ts'

export type StageVerdict = 'ok' | 'warning' | 'failed' | 'skipped'

/** In the order in which a call passes them. */
export type StageName =
  | 'breaker'
  | 'lookup'
  | 'options'
  | 'gateway'
  | 'connection'
  | 'authentication'
  | 'ringing'
  | 'answer'
  | 'audio'
  | 'keys'
  | 'hang-up'

export interface Stage {
  stage: StageName
  verdict: StageVerdict
  /** What happened, half a sentence. */
  says: string
  /** Since the first message of the call; null: not a moment of it. */
  afterMs: number | null
}

export interface TestCall {
  attempt: Pick<Attempt, 'number' | 'callerId' | 'outcome' | 'answeredAt' | 'endedAt'>
  conversation: Conversation | null
  trace: CallTrace | null
}

export interface LineTest {
  verdict: Exclude<StageVerdict, 'skipped'>
  summary: string
  /** Empty where nothing is to be done. */
  advice: string[]
  stages: Stage[]
}

/** Without a call: do the names lead somewhere, and does anybody answer there? */
export function judgeGateways(probes: readonly GatewayProbe[], breaker: string | null): LineTest {
  const stages = [...breakerStage(breaker), ...probes.map(lookupStage), ...probes.flatMap(optionsStages)]
  const answers = probes.flatMap(probe => probe.answers)
  const isThere = answers.some(isUp)
  // One gateway that answers carries the trunk: that others do not is worth a look, no more.
  const shown = isThere ? stages.map(softened) : stages
  const silentOnly = !isThere && answers.some(({ failure }) => failure?.startsWith('no answer') === true)
  const summary = isThere
    ? 'A gateway of the trunk is there. Only a call proves the rest: give --to with a number of yours.'
    : silentOnly
      ? 'No gateway answers OPTIONS. Some carriers never do: a call to a number of yours will tell.'
      : 'No gateway of the trunk can be reached.'
  return { verdict: worst(shown), summary, advice: adviceOnGateways(probes), stages: shown }
}

/** With a call: how far it came, and whether sound came through. */
export function judgeCall(probes: readonly GatewayProbe[], call: TestCall): LineTest {
  const stages = [...probes.map(lookupStage), ...stagesOfCall(call)]
  const reached = stages.some(({ stage, verdict }) => stage === 'connection' && verdict === 'ok')
  const shown = reached ? stages.map(stage => (stage.stage === 'lookup' ? softened(stage) : stage)) : stages
  const verdict = worst(shown)
  return { verdict, summary: summaryOf(call, verdict), advice: adviceOnCall(call), stages: shown }
}

function summaryOf({ attempt, conversation }: TestCall, verdict: LineTest['verdict']): string {
  const { outcome } = attempt
  const disposition = outcome?.disposition ?? 'lost'
  if (attempt.answeredAt === null) {
    const taken = { busy: 'was busy', 'no-answer': 'did not answer', declined: 'declined the call' } as const
    const words = Object.hasOwn(taken, disposition) ? taken[disposition as keyof typeof taken] : null
    if (words !== null && verdict === 'warning')
      return `The carrier took the call, and the number ${words}: whether sound comes through is not proven.`
    return `The call failed: ${outcome?.cause ?? 'it was not placed'}.`
  }
  if (verdict === 'failed') return 'The call was answered, and it was no conversation.'
  if ((conversation?.line.packetsReceived ?? 0) === 0) return 'The call was answered.'
  return 'The trunk works: the call was answered, and sound came through.'
}

function breakerStage(breaker: string | null): Stage[] {
  return breaker === null
    ? []
    : [{ stage: 'breaker', verdict: 'warning', says: `the trunk rests ${breaker}`, afterMs: null }]
}

function lookupStage({ gateway, addresses, lookupMs, lookupFailure }: GatewayProbe): Stage {
  const says =
    lookupFailure === null
      ? `${gateway} leads to ${addresses.join(', ')} (${lookupMs} ms)`
      : `${gateway} leads nowhere: ${lookupFailure}`
  return { stage: 'lookup', verdict: lookupFailure === null ? 'ok' : 'failed', says, afterMs: null }
}

function optionsStages({ gateway, answers }: GatewayProbe): Stage[] {
  return answers.map(answer => {
    const { remote, status, roundTripMs, failure } = answer
    const says =
      failure === null
        ? `${gateway} at ${remote} answers ${status} in ${roundTripMs} ms`
        : `${gateway} at ${remote}: ${failure}`
    // Silence proves nothing: some carriers answer no OPTIONS.
    const isSilent = failure?.startsWith('no answer') === true
    return {
      stage: 'options',
      verdict: isUp(answer) ? 'ok' : isSilent ? 'warning' : 'failed',
      says,
      afterMs: null,
    }
  })
}

/** Any answer but 503 shows that somebody is there: many carriers refuse OPTIONS. */
function isUp({ status }: GatewayAnswer): boolean {
  return status !== null && status !== 503
}

function softened(stage: Stage): Stage {
  return stage.verdict === 'failed' ? { ...stage, verdict: 'warning' } : stage
}

function worst(stages: readonly Stage[]): LineTest['verdict'] {
  const has = (verdict: StageVerdict) => stages.some(stage => stage.verdict === verdict)
  return has('failed') ? 'failed' : has('warning') ? 'warning' : 'ok'
}

// How far a test call came, stage by stage, as its SIP messages and the figures of its line show it.
import { firstLineOf } from './call-trace.ts'
import { headerOf, type LadderStep, ladderOf } from './ladder.ts'
import type { Stage, StageName, StageVerdict, TestCall } from './line-test.ts'

/** Above these a talk is hard to follow. */
const maxGoodLoss = 0.03
const maxGoodJitterMs = 40

/** From the first INVITE to the last BYE; stages after the one that failed are left out. */
export function stagesOfCall(call: TestCall): Stage[] {
  const steps = ladderOf(call.trace)
  const startedAt = steps[0]?.at ?? 0
  const tell = (stage: StageName, verdict: StageVerdict, says: string, step?: LadderStep): Stage => ({
    stage,
    verdict,
    says,
    afterMs: step === undefined ? null : step.at - startedAt,
  })
  const stages: Stage[] = []
  for (const judge of [gateway, connection, authentication, ringing, answer, audio, keys, hangUp]) {
    const stage = judge(call, steps, tell)
    if (stage === null) continue
    stages.push(stage)
    if (stage.verdict === 'failed' && stage.stage !== 'audio') break
  }
  return stages
}

type Tell = (stage: StageName, verdict: StageVerdict, says: string, step?: LadderStep) => Stage
type Judge = (call: TestCall, steps: readonly LadderStep[], tell: Tell) => Stage | null

const gateway: Judge = ({ attempt }, steps, tell) => {
  const invites = steps.filter(isInvite)
  const [first] = invites
  const last = invites.at(-1)
  if (first === undefined || last === undefined)
    return tell('gateway', 'failed', attempt.outcome?.cause ?? 'the call was not placed')
  const before = [...new Set(invites.map(({ remote }) => remote))].filter(remote => remote !== last.remote)
  const passed = before.length === 0 ? '' : `; before it ${before.join(', ')} refused`
  return tell('gateway', 'ok', `${last.remote} over ${last.transport}${passed}`, first)
}

const connection: Judge = ({ attempt }, steps, tell) => {
  const heard = steps.find(({ direction }) => direction === 'received')
  if (heard !== undefined) return tell('connection', 'ok', `the first answer: ${lineOf(heard)}`, heard)
  const cause = attempt.outcome?.cause ?? ''
  if (cause.includes('refused')) return tell('connection', 'failed', cause)
  const times = steps.filter(isInvite).length
  return tell(
    'connection',
    'failed',
    `nothing was heard; the INVITE was sent ${times === 1 ? 'once' : `${times} times`}`,
  )
}

const authentication: Judge = (_call, steps, tell) => {
  const challenge = steps.find(isChallenge)
  if (challenge === undefined) return tell('authentication', 'ok', 'no password was asked for')
  const answered = steps.find(step => isInvite(step) && hasCredentials(step))
  if (answered === undefined)
    return tell('authentication', 'failed', `${lineOf(challenge)}, and the trunk has no password`, challenge)
  const refusal = steps.findLast(isFinalAnswer)
  if (refusal !== undefined && isChallenge(refusal))
    return tell('authentication', 'failed', `the password is not accepted: ${lineOf(refusal)}`, refusal)
  return tell('authentication', 'ok', `${lineOf(challenge)}, answered with our password`, answered)
}

const ringing: Judge = (_call, steps, tell) => {
  const rang = steps.find(step => isAnswerToInvite(step) && step.status > 100 && step.status < 200)
  return rang === undefined ? null : tell('ringing', 'ok', lineOf(rang), rang)
}

const answer: Judge = ({ attempt }, steps, tell) => {
  const final = steps.findLast(isFinalAnswer)
  const { outcome, answeredAt } = attempt
  if (answeredAt !== null) return tell('answer', 'ok', 'picked up', steps.find(isSuccess))
  const says = outcome?.cause ?? 'not known'
  // The trunk did its part: it is the person who was not there.
  const isPersons = ['busy', 'no-answer', 'declined'].includes(outcome?.disposition ?? '')
  return tell('answer', isPersons ? 'warning' : 'failed', says, final)
}

const audio: Judge = ({ attempt, conversation }, _steps, tell) => {
  if (attempt.answeredAt === null) return null
  if (attempt.outcome?.disposition === 'agent-failure') return tell('audio', 'failed', attempt.outcome.cause)
  if (conversation === null) return tell('audio', 'skipped', 'the figures of the line are not known')
  const { packetsReceived: received, packetsLost: lost, packetsSent: sent, jitterMs } = conversation.line
  if (received === 0) return tell('audio', 'failed', `none came in; we sent ${sent} packets`)
  const loss = lost / (received + lost)
  const figures = `${received} packets came in, ${(loss * 100).toFixed(1)}% lost, jitter ${jitterMs.toFixed(1)} ms; ${sent} sent`
  const isGood = loss <= maxGoodLoss && jitterMs <= maxGoodJitterMs && sent > 0
  return tell('audio', isGood ? 'ok' : 'warning', figures)
}

const keys: Judge = ({ attempt, conversation }, _steps, tell) => {
  if (attempt.answeredAt === null || conversation === null) return null
  const pressed = conversation.transcript.find(
    ({ role, message }) => role === 'human' && message.startsWith('[pressed '),
  )
  return pressed === undefined
    ? tell('keys', 'skipped', 'none came: that the other side hears us is not proven')
    : tell('keys', 'ok', `${pressed.message.slice(1, -1)}: keys come through, and we are heard`)
}

const hangUp: Judge = ({ attempt }, steps, tell) => {
  if (attempt.answeredAt === null) return null
  const bye = steps.find(({ method, status }) => method === 'BYE' && status === null)
  if (bye === undefined) return tell('hang-up', 'warning', 'neither side said BYE')
  if (bye.direction === 'received') return tell('hang-up', 'ok', 'by the other side', bye)
  const reply = steps.findLast(({ method, status }) => method === 'BYE' && status !== null)
  if (reply === undefined) return tell('hang-up', 'warning', 'by us; nobody confirmed it', bye)
  const isConfirmed = reply.status !== null && reply.status < 300
  const says = isConfirmed ? 'by us, confirmed' : `by us; the answer was ${lineOf(reply)}`
  return tell('hang-up', isConfirmed ? 'ok' : 'warning', says, bye)
}

export function isInvite({ method, status, direction }: LadderStep): boolean {
  return method === 'INVITE' && status === null && direction === 'sent'
}

export function hasCredentials(step: LadderStep): boolean {
  return headerOf(step, 'Authorization') !== null || headerOf(step, 'Proxy-Authorization') !== null
}

function isAnswerToInvite(step: LadderStep): step is LadderStep & { status: number } {
  return step.method === 'INVITE' && step.status !== null && step.direction === 'received'
}

function isFinalAnswer(step: LadderStep): boolean {
  return isAnswerToInvite(step) && step.status >= 200
}

function isSuccess(step: LadderStep): boolean {
  return isAnswerToInvite(step) && step.status >= 200 && step.status < 300
}

export function isChallenge(step: LadderStep): boolean {
  return isAnswerToInvite(step) && (step.status === 401 || step.status === 407)
}

/** `407 Proxy Authentication Required`. */
function lineOf(step: LadderStep): string {
  return firstLineOf(step).replace(/^SIP\/2\.0 /, '')
}

// What happens to a simulated call: a pure function of seed, number and ordinal. Two last digits force an outcome.
import { type Random, seededRandom } from '../../runtime/random.ts'
import { type Chance, chances, type SimulatedSettings, type SpanMs } from './settings.ts'

/** The final answer of a call, as a SIP trunk would give it. */
export interface FinalAnswer {
  sipStatus: number
  phrase: string
  /** Q.850 cause of the Reason header. */
  q850: number | null
  voicemail: boolean
  agentFailed: boolean
}

/** Times count from the dial, in ms; null: it does not happen by itself. */
export interface CallScript {
  ringsAfterMs: number | null
  /** null: it goes on until it is hung up. */
  answersAfterMs: number | null
  /** From a 200 to the BYE of the other side. */
  talkMs: number
  final: FinalAnswer
}

/** When the final answer comes: without ringing, after ringing, when nobody answered; or it never does. */
type Pace = 'at once' | 'after ringing' | 'rung out' | 'rings for ever' | 'silence'

interface Plan {
  pace: Pace
  final: FinalAnswer
}

interface ForcedOutcome {
  /** The last two digits of the number. */
  ending: string
  /** For the guide: what the person who dials it meets. */
  happens: string
  /** `earlierDials`: how often this carrier was asked to dial the number before, refused calls included. */
  plan(ordinal: number, earlierDials: number): Plan
}

/** Before a trunk says anything at all. */
const setupMs = 10

const refusal = (sipStatus: number, phrase: string, q850: number | null = null): FinalAnswer => ({
  sipStatus,
  phrase,
  q850,
  voicemail: false,
  agentFailed: false,
})
const ok = refusal(200, 'OK')

const answered: Plan = { pace: 'after ringing', final: ok }
const voicemail: Plan = { pace: 'after ringing', final: { ...ok, voicemail: true } }
const agentFails: Plan = {
  pace: 'after ringing',
  final: { ...ok, phrase: 'the agent could not be reached', agentFailed: true },
}
const busy: Plan = { pace: 'at once', final: refusal(486, 'Busy Here', 17) }
const rungOut: Plan = { pace: 'rung out', final: refusal(480, 'Temporarily Unavailable', 19) }
const timedOut: Plan = { pace: 'rung out', final: refusal(408, 'Request Timeout', 18) }
const declined: Plan = { pace: 'after ringing', final: refusal(603, 'Decline', 21) }
const unreachable: Plan = { pace: 'at once', final: refusal(404, 'Not Found', 1) }
const carrierFails: Plan = { pace: 'at once', final: refusal(503, 'Service Unavailable', 38) }
const throttled: Plan = { pace: 'at once', final: refusal(429, 'Too Many Requests') }
const blocked: Plan = { pace: 'after ringing', final: refusal(607, 'Unwanted') }
const flagged: Plan = { pace: 'at once', final: refusal(608, 'Rejected') }
const forbidden: Plan = { pace: 'at once', final: refusal(403, 'Forbidden') }
const noCodec: Plan = { pace: 'at once', final: refusal(488, 'Not Acceptable Here') }
const ringsForEver: Plan = { pace: 'rings for ever', final: ok }
const silence: Plan = { pace: 'silence', final: ok }

const always = (plan: Plan) => () => plan

const throttledTwice = '98'

/** The numbers that tests and demos dial on purpose; docs/guide/simulated-carrier.md prints this table. */
export const forcedOutcomes: readonly ForcedOutcome[] = [
  { ending: '99', happens: 'answered, then the agent fails', plan: always(agentFails) },
  {
    ending: throttledTwice,
    happens: 'throttled twice (429), then answered',
    plan: (_, earlierDials) => (earlierDials % 3 < 2 ? throttled : answered),
  },
  { ending: '97', happens: 'carrier failure (503)', plan: always(carrierFails) },
  { ending: '96', happens: 'unreachable (404)', plan: always(unreachable) },
  { ending: '95', happens: 'declined (603)', plan: always(declined) },
  { ending: '94', happens: 'rings, then times out (408)', plan: always(timedOut) },
  { ending: '93', happens: 'rings out (480)', plan: always(rungOut) },
  { ending: '92', happens: 'busy (486)', plan: always(busy) },
  { ending: '91', happens: 'answered by a machine', plan: always(voicemail) },
  { ending: '90', happens: 'answered', plan: always(answered) },
  { ending: '88', happens: 'the person wants no calls (607)', plan: always(blocked) },
  { ending: '87', happens: 'our caller ID is flagged (608)', plan: always(flagged) },
  { ending: '86', happens: 'trunk misconfigured (403)', plan: always(forbidden) },
  { ending: '85', happens: 'no common codec (488)', plan: always(noCodec) },
  { ending: '84', happens: 'nothing is ever heard of the call', plan: always(silence) },
  {
    ending: '83',
    happens: 'busy at the first call (486), answered at the second',
    plan: ordinal => (ordinal === 1 ? busy : answered),
  },
  { ending: '82', happens: 'rings until we hang up (487)', plan: always(ringsForEver) },
]

const byEnding: ReadonlyMap<string, ForcedOutcome> = new Map(
  forcedOutcomes.map(forced => [forced.ending, forced]),
)

const byChance: Readonly<Record<Chance, Plan>> = {
  answered,
  voicemail,
  busy,
  'no-answer': rungOut,
  declined,
  unreachable,
  failure: carrierFails,
}

/** Whether a call to `number` cannot be scripted without knowing how often it was dialled before. */
export function dependsOnEarlierDials(number: string): boolean {
  return number.endsWith(throttledTwice)
}

/** What happens to call number `ordinal` to `number` (E.164). */
export function scriptCall(
  seed: number,
  number: string,
  ordinal: number,
  earlierDials: number,
  settings: SimulatedSettings,
): CallScript {
  const random = seededRandom(hashOf(seed, number, ordinal))
  const luck = random()
  const forced = settings.forcedEndings ? byEnding.get(number.slice(-2)) : undefined
  const plan = forced?.plan(ordinal, earlierDials) ?? byChance[pick(settings, luck)]
  const perMs = settings.zeroLength ? 0 : 1 / settings.speedFactor
  const ringMs = between(plan.pace === 'rung out' ? settings.ringOutMs : settings.ringMs, random)
  const talkMs = between(settings.talkMs, random) * perMs
  return { ...timesOf(plan.pace, setupMs * perMs, ringMs * perMs), talkMs, final: plan.final }
}

function timesOf(
  pace: Pace,
  setup: number,
  ring: number,
): Pick<CallScript, 'ringsAfterMs' | 'answersAfterMs'> {
  switch (pace) {
    case 'at once':
      return { ringsAfterMs: null, answersAfterMs: setup }
    case 'after ringing':
    case 'rung out':
      return { ringsAfterMs: setup, answersAfterMs: setup + ring }
    case 'rings for ever':
      return { ringsAfterMs: setup, answersAfterMs: null }
    case 'silence':
      return { ringsAfterMs: null, answersAfterMs: null }
  }
}

function pick({ rates }: SimulatedSettings, luck: number): Chance {
  let left = luck
  for (const chance of chances) {
    left -= rates[chance]
    if (left < 0) return chance
  }
  return 'answered'
}

function between([from, to]: SpanMs, random: Random): number {
  return from + (to - from) * random()
}

/** FNV-1a over the number, with seed and ordinal mixed in: neighbouring numbers must not share their fate. */
function hashOf(seed: number, number: string, ordinal: number): number {
  let hash = 0x811c9dc5 ^ seed
  for (let at = 0; at < number.length; at++) hash = Math.imul(hash ^ number.charCodeAt(at), 0x01000193)
  hash = Math.imul(hash ^ ordinal, 0x01000193)
  return hash ^ (hash >>> 15)
}

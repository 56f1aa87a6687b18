// What becomes of one call at the far end, drawn from its trunk's temper and from the weather.
import { refusalEvidence } from '../../src/carrier/simulated/refusal.ts'
import type { Evidence } from '../../src/domain/outcome.ts'
import type { Chance } from './chance.ts'
import type { Weather } from './weather.ts'

/** How a trunk mostly is. */
export const tempers = ['mixed', 'mixed', 'mixed', 'answering', 'ringing', 'throttling'] as const
/** Those that take hours. */
export const slowTempers = [...tempers, ...tempers, 'misconfigured', 'jammed'] as const
export type Temper = (typeof slowTempers)[number]

/** Times count from the dial, ms; null: it does not happen by itself. */
export interface CallPlan {
  ringsAfterMs: number | null
  decidesAfterMs: number | null
  talkMs: number
  /** The far end's last word; status 200: it is answered. */
  evidence: Evidence
  /** Says that it is over while it goes on. */
  liesAfterMs: number | null
  lie: Evidence
  /** How many of its signals we hear. */
  muteAfter: number
  lateMs: number
  twice: boolean
  hangUp: { kind: 'obeys' | 'deaf' | 'crossing'; afterMs: number }
  /** One of these is not as it should be. */
  isSpoiled: boolean
}

const second = 1_000
/** Longer than any batch lets a call be. */
const endlessTalkMs = 540 * second
const answered = refusalEvidence(200, 'OK')
type Ending = [evidence: Evidence | null, pace: 'at once' | 'after ringing' | 'rung out']

const endings: readonly Ending[] = [
  [answered, 'after ringing'],
  [answered, 'after ringing'],
  [answered, 'after ringing'],
  [answered, 'after ringing'],
  [answered, 'after ringing'],
  [{ ...answered, voicemail: true }, 'after ringing'],
  [{ ...answered, agentFailed: true, phrase: 'the agent could not be reached' }, 'after ringing'],
  [refusalEvidence(486, 'Busy Here', 17), 'at once'],
  [refusalEvidence(486, 'Busy Here', 17), 'at once'],
  [refusalEvidence(480, 'Temporarily Unavailable', 19), 'rung out'],
  [refusalEvidence(480, 'Temporarily Unavailable', 19), 'rung out'],
  [refusalEvidence(408, 'Request Timeout', 18), 'rung out'],
  [refusalEvidence(603, 'Decline', 21), 'after ringing'],
  [refusalEvidence(404, 'Not Found', 1), 'at once'],
  [refusalEvidence(503, 'Service Unavailable', 38), 'at once'],
  [refusalEvidence(429, 'Too Many Requests'), 'at once'],
  [refusalEvidence(607, 'Unwanted'), 'after ringing'],
  [refusalEvidence(608, 'Rejected'), 'at once'],
  [null, 'at once'],
  [null, 'after ringing'],
]

const byTemper: Readonly<Record<Exclude<Temper, 'mixed'>, readonly Ending[]>> = {
  answering: [[answered, 'after ringing']],
  ringing: [
    [answered, 'rung out'],
    [refusalEvidence(480, 'Temporarily Unavailable', 19), 'rung out'],
    [null, 'after ringing'],
  ],
  throttling: [
    [refusalEvidence(429, 'Too Many Requests'), 'at once'],
    [refusalEvidence(503, 'CPS limit exceeded', 42), 'at once'],
    [answered, 'after ringing'],
  ],
  jammed: [[refusalEvidence(429, 'Too Many Requests'), 'at once']],
  misconfigured: [[refusalEvidence(403, 'Forbidden'), 'at once']],
}

export function planCall(chance: Chance, temper: Temper, weather: Weather): CallPlan {
  const [evidence, pace] = chance.pick(temper === 'mixed' ? endings : byTemper[temper])
  const setupMs = chance.int(1, 200)
  const ringMs = pace === 'rung out' ? chance.int(10, 60) * second : chance.int(100, 8_000)
  const plan: CallPlan = {
    ringsAfterMs: pace === 'at once' ? null : setupMs,
    decidesAfterMs: evidence === null ? null : pace === 'at once' ? setupMs : setupMs + ringMs,
    talkMs: chance.happens(0.05) ? endlessTalkMs : chance.int(0, 40 * second),
    evidence: evidence ?? answered,
    liesAfterMs: null,
    lie: answered,
    muteAfter: Number.POSITIVE_INFINITY,
    lateMs: 0,
    twice: false,
    hangUp: { kind: 'obeys', afterMs: chance.int(0, 50) },
    isSpoiled: false,
  }
  return weather.lies() ? { ...spoil(plan, chance), isSpoiled: true } : plan
}

/** One way in which a carrier is bad. */
function spoil(plan: CallPlan, chance: Chance): CallPlan {
  switch (chance.int(0, 8)) {
    case 0:
      return { ...plan, lateMs: chance.int(1, 90) * second }
    case 1:
      return { ...plan, muteAfter: chance.int(0, 2) }
    case 2:
      // It rings, it is answered, and nobody says when it is over.
      return { ...plan, muteAfter: 2 }
    case 8:
      return { ...plan, twice: true }
    case 3:
      return { ...plan, hangUp: { kind: 'deaf', afterMs: 0 } }
    case 4:
      return { ...plan, hangUp: { kind: 'obeys', afterMs: chance.int(1, 30) * second } }
    case 5:
      return { ...plan, hangUp: { kind: 'crossing', afterMs: chance.int(0, 3_000) } }
    case 6:
      return {
        ...plan,
        liesAfterMs: chance.int(1, 20) * second,
        lie: chance.pick([refusalEvidence(480, 'Temporarily Unavailable'), refusalEvidence(503, null)]),
      }
    default:
      return { ...plan, twice: true, lateMs: chance.int(0, 5_000), muteAfter: chance.int(1, 3) }
  }
}

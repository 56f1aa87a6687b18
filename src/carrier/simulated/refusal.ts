// Calls that the carrier does not take: the evidence, and the call that ends with it.
import type { Evidence } from '../../domain/outcome.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Call, CallObserver } from '../carrier.ts'

/** Ends a call that was never placed, in the next turn: an observer hears nothing while `dial` is still running. */
export function refuseCall(clock: Clock, observer: CallObserver, evidence: Evidence): Call {
  clock.at(clock.now(), () => observer.ended(evidence, clock.now()))
  return { hangUp: () => {} }
}

/** Evidence of a call that nobody took: a final answer of the carrier's own, or nothing at all (`null`). */
export function refusalEvidence(
  sipStatus: number | null,
  phrase: string | null,
  q850: number | null = null,
): Evidence {
  return { sipStatus, phrase, q850, endedBy: null, answeredAt: null, voicemail: false, agentFailed: false }
}

/** 488 as for any trunk that is set up wrongly: it opens the trunk's breaker and costs nobody an attempt. */
export function misconfigured(error: string): Evidence {
  return refusalEvidence(488, `Trunk settings: ${error}`)
}

// What to do about an answering machine, as the batch says: three states over verdicts, beeps and time, no sound in it.
import type { AmdVerdict } from './amd.ts'

/** off: never listen · hang-up · leave-message: speak after the beep · hand-to-agent: the agent deals with it. */
export type MachinePolicy = 'off' | 'hang-up' | 'leave-message' | 'hand-to-agent'

/** What was heard: who it is, a beep, or nothing new. */
export type MachineSign = AmdVerdict['verdict'] | 'beep' | 'nothing'

/** hang-up: as voicemail · wait-for-beep: hold the agent's words back · speak: the recorder runs · hand-over: the agent goes on. */
export type MachineOrder = 'hang-up' | 'wait-for-beep' | 'speak' | 'hand-over'

export interface MachineDecision {
  /** A sign, at so many ms of line time since the answer. What is to be done now; null: go on as before. */
  decide(sign: MachineSign, atMs: number): MachineOrder | null
  /** Nothing that may still be heard changes anything: stop listening. */
  isSettled(): boolean
}

/** listening: who it is is open · awaiting-beep: a machine whose greeting still runs · settled. */
type State = { at: 'listening' } | { at: 'awaiting-beep'; untilMs: number } | { at: 'settled' }

/** Long greetings, with the carrier's own words behind them, reach 25 seconds. */
export const usualBeepWaitMs = 30_000

const settled: State = { at: 'settled' }

/**
 * Unsure means human: the call goes on. Yet until a human verdict, a beep proves a machine, for `maxBeepWaitMs` from the
 * answer. A human verdict is final: nobody's call is cut or talked over because they whistled. A machine that has not
 * beeped for `maxBeepWaitMs` is spoken to all the same: most record by then.
 */
export function machinePolicy(
  policy: MachinePolicy,
  maxBeepWaitMs: number = usualBeepWaitMs,
): MachineDecision {
  let state: State = policy === 'off' ? settled : { at: 'listening' }
  return {
    decide(sign, atMs) {
      const [next, order] = step(state, sign, atMs, policy, maxBeepWaitMs)
      state = next
      return order
    },
    isSettled: () => state.at === 'settled',
  }
}

type Step = readonly [next: State, order: MachineOrder | null]

function step(state: State, sign: MachineSign, atMs: number, policy: MachinePolicy, maxWaitMs: number): Step {
  if (state.at === 'settled') return [state, null]
  if (state.at === 'awaiting-beep') {
    return sign === 'beep' || atMs >= state.untilMs ? [settled, 'speak'] : [state, null]
  }
  if (sign === 'machine' || sign === 'beep') return metMachine(sign, atMs, policy, maxWaitMs)
  return [sign === 'human' || atMs >= maxWaitMs ? settled : state, null]
}

function metMachine(sign: 'machine' | 'beep', atMs: number, policy: MachinePolicy, maxWaitMs: number): Step {
  if (policy === 'hang-up') return [settled, 'hang-up']
  if (policy === 'hand-to-agent') return [settled, 'hand-over']
  if (sign === 'beep') return [settled, 'speak']
  return [{ at: 'awaiting-beep', untilMs: atMs + maxWaitMs }, 'wait-for-beep']
}

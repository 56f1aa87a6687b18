// All that a line needs about answering machines: frames in from the answer on, and what to tell and to do comes out.
import { type AmdSettings, type AmdVerdict, createAmd, usualAmd } from './amd.ts'
import { type Beep, createBeepEar } from './beep.ts'
import { frameMs } from './g711.ts'
import { type MachineOrder, type MachinePolicy, machinePolicy, usualBeepWaitMs } from './machine-policy.ts'

export interface MachineWatch {
  /** One frame of theirs (160 bytes of µ-law, 20 ms) since the answer, silence included. Null: nothing to do. */
  hear(frame: Uint8Array): MachineNews | null
  /** True once nothing more will come: frames need not be handed in. */
  isOver(): boolean
}

export interface MachineNews {
  /** Who it is; comes once, a beep before it being a machine. */
  verdict: AmdVerdict | null
  beep: Beep | null
  order: MachineOrder | null
}

/** 9 µs of CPU a frame while it listens (measured over the corpus), none afterwards. */
export function createMachineWatch(
  policy: MachinePolicy,
  settings: AmdSettings = usualAmd,
  maxBeepWaitMs: number = usualBeepWaitMs,
): MachineWatch {
  const decision = machinePolicy(policy, maxBeepWaitMs)
  const amd = createAmd(settings)
  const ear = createBeepEar()
  let verdictGiven = false
  let elapsedMs = 0
  return {
    hear(frame) {
      if (decision.isSettled()) return null
      elapsedMs += frameMs
      const beep = ear.hear(frame)
      const verdict = verdictGiven ? null : beep === null ? amd.hear(frame) : beepVerdict(elapsedMs)
      verdictGiven ||= verdict !== null
      const sign = beep !== null ? 'beep' : (verdict?.verdict ?? 'nothing')
      const order = decision.decide(sign, elapsedMs)
      return verdict === null && beep === null && order === null ? null : { verdict, beep, order }
    },
    isOver: () => decision.isSettled(),
  }
}

function beepVerdict(afterMs: number): AmdVerdict {
  return { verdict: 'machine', cause: 'beep', afterMs }
}

// The echo agent: says back what it hears, for testing a line end to end.
import type { AgentSession, CallLeg } from './agent.ts'

/** Answers each frame with itself. Keys are pressed back. */
export async function connectEcho(leg: CallLeg): Promise<AgentSession> {
  let isOpen = true
  return {
    answered() {},
    hear(frame) {
      if (isOpen) leg.play(frame)
    },
    keyPressed(digit) {
      if (isOpen) leg.pressKeys(digit)
    },
    markPlayed() {},
    close() {
      isOpen = false
    },
  }
}

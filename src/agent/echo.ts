// The echo agent: says back what it hears, for testing a line end to end.
import type { AgentSession, CallLeg } from './agent.ts'

/** Answers each frame with itself. Keys are pressed back. */
export async function connectEcho(leg: CallLeg): Promise<AgentSession> {
  return {
    answered() {},
    hear: frame => leg.play(frame),
    keyPressed: digit => leg.pressKeys(digit),
    markPlayed() {},
    close() {},
  }
}

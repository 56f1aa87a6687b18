// Picks the adapter for an agent's settings.
import { type Clock, realClock } from '../runtime/clock.ts'
import type { AgentSession, CallLeg, ConnectAgent } from './agent.ts'
import { connectEcho } from './echo.ts'
import { openSpeech, type Speech } from './scripted/speech.ts'
import { type CheckedSettings, readAgentSettings } from './settings.ts'

export interface AgentTools {
  clock: Clock
  speech: Speech
}

/** Connections on `tools`; each rejects with one sentence that holds no secret and no number. */
export function createConnectAgent(tools: AgentTools): ConnectAgent {
  return async (leg, settings) => connectByKind(leg, readAgentSettings(settings), tools)
}

/** With the real clock and a speech thread, which starts with the first sentence: what a media worker uses. */
export const connectAgent: ConnectAgent = createConnectAgent({ clock: realClock, speech: openSpeech() })

/** An adapter and its libraries are loaded by the first call that needs them: an echo line needs none. */
async function connectByKind(
  leg: CallLeg,
  settings: CheckedSettings,
  { clock, speech }: AgentTools,
): Promise<AgentSession> {
  switch (settings.kind) {
    case 'echo':
      return connectEcho(leg)
    case 'scripted': {
      const { connectScripted } = await import('./scripted/connect-scripted.ts')
      return connectScripted(leg, settings, speech)
    }
    case 'media-stream': {
      const { connectMediaStream } = await import('./media-stream/connect-media-stream.ts')
      return connectMediaStream(leg, settings, clock)
    }
    case 'openai-realtime': {
      const { connectOpenaiRealtime } = await import('./openai-realtime/connect-openai-realtime.ts')
      return connectOpenaiRealtime(leg, settings, clock)
    }
  }
}

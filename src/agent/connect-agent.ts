// Picks the adapter for an agent's settings.
import { type Clock, realClock } from '../runtime/clock.ts'
import type { ConnectAgent } from './agent.ts'
import { connectEcho } from './echo.ts'
import { connectMediaStream } from './media-stream/connect-media-stream.ts'
import { connectOpenaiRealtime } from './openai-realtime/connect-openai-realtime.ts'
import { connectScripted } from './scripted/connect-scripted.ts'
import { openSpeech, type Speech } from './scripted/speech.ts'
import { readAgentSettings } from './settings.ts'

export interface AgentTools {
  clock: Clock
  speech: Speech
}

/** Connects by `tools`; rejects with one sentence that holds no secret and no number. */
export function createConnectAgent({ clock, speech }: AgentTools): ConnectAgent {
  return async (leg, given) => {
    const settings = readAgentSettings(given)
    switch (settings.kind) {
      case 'echo':
        return connectEcho(leg)
      case 'scripted':
        return connectScripted(leg, settings, speech, clock)
      case 'media-stream':
        return connectMediaStream(leg, settings, clock)
      case 'openai-realtime':
        return connectOpenaiRealtime(leg, settings, clock)
    }
  }
}

/** With the real clock and a speech thread, which starts with the first sentence: what a media worker uses. */
export const connectAgent: ConnectAgent = createConnectAgent({ clock: realClock, speech: openSpeech() })

// The session as we ask for it: G.711 both ways, the agent's instructions, and the tools that every agent gets.
import { renderVariables } from '../../domain/variables.ts'
import type { OpenaiRealtimeSettings } from './openai-realtime-settings.ts'
import { tools } from './telephone-tools.ts'

/** The first message to the service, with GA names. µ-law at 8 kHz is what the line carries: nothing is converted. */
export function sessionUpdate(
  settings: OpenaiRealtimeSettings,
  variables: Readonly<Record<string, unknown>>,
): object {
  const { instructions, transcriptionModel, turnDetection, voice } = settings
  const transcription = transcriptionModel === null ? {} : { transcription: { model: transcriptionModel } }
  return {
    type: 'session.update',
    session: {
      type: 'realtime',
      ...(instructions === null ? {} : { instructions: renderVariables(instructions, variables).text }),
      output_modalities: ['audio'],
      audio: {
        input: { format: { type: 'audio/pcmu' }, turn_detection: turnDetection, ...transcription },
        output: { format: { type: 'audio/pcmu' }, voice },
      },
      tools,
      tool_choice: 'auto',
    },
  }
}

/** Makes the agent speak first: the given words, or its own. */
export function firstResponse(
  { firstMessage }: OpenaiRealtimeSettings,
  variables: Readonly<Record<string, unknown>>,
): object {
  if (firstMessage === null) return { type: 'response.create' }
  const words = renderVariables(firstMessage, variables).text
  return {
    type: 'response.create',
    response: {
      instructions: `Begin the call by saying exactly this, and nothing else: ${JSON.stringify(words)}`,
    },
  }
}

// The agent that talks on test calls: says what this is, and asks for a key, which proves that it is heard.
import { Refusal } from '../domain/refusal.ts'
import type { Agent } from '../domain/workspace.ts'
import { createAgent } from './create-agent.ts'
import type { Deps } from './deps.ts'

/** An agent of that alias takes the test calls of its workspace: whoever wants other words makes one. */
export const lineTestAlias = 'line-test'

const anyKey = Object.fromEntries([...'0123456789*#'].map(key => [key, { goTo: 'heard' }]))

const connection = {
  kind: 'scripted',
  steps: [
    { pauseMs: 500 },
    {
      menu: {
        say: 'This is a test call of Outdial. If you hear this, please press any key.',
        keys: anyKey,
        result: 'key',
        timeoutMs: 6_000,
        attempts: 1,
        otherwise: 'silent',
      },
    },
    { name: 'heard', say: 'Thank you. The line works both ways. Goodbye.' },
    { hangUp: true },
    { name: 'silent', say: 'No key was heard. Goodbye.' },
  ],
}

/** Made at the first test of a workspace. */
export async function lineTestAgent(
  deps: Pick<Deps, 'store' | 'clock'>,
  workspaceId: number,
): Promise<Agent> {
  const known = await deps.store.findAgent(workspaceId, lineTestAlias)
  if (known !== null) return known
  try {
    return await createAgent(deps, {
      workspaceId,
      name: 'Line test',
      architecture: 'pipeline',
      prompt: null,
      firstMessage: null,
      connection,
      maxConcurrentCalls: null,
      aliases: [lineTestAlias],
    })
  } catch (error) {
    // Another test was quicker.
    const made = error instanceof Refusal ? await deps.store.findAgent(workspaceId, lineTestAlias) : null
    if (made === null) throw error
    return made
  }
}

// Who picks up at a number of the street, and what they do then: the simulated carrier's fate, with a voice. Pure.
import type { AgentSettings } from '../agent/agent.ts'
import { type CallScript, scriptCall } from '../carrier/simulated/behaviour.ts'
import { readSettings } from '../carrier/simulated/settings.ts'
import { type Random, seededRandom } from '../runtime/random.ts'
import { answers, goodbyes, greetings, hellos, nobody, remarks, voices } from './words.ts'

export type Manner = 'talks' | 'presses-keys' | 'hangs-up' | 'machine'

export interface Person {
  /** When the telephone rings, and what its final answer is. */
  script: CallScript
  /** What they do once they have picked up, and the agent that does it for them; null: they do not pick up. */
  life: { manner: Manner; agent: AgentSettings } | null
}

/** What of the simulated carrier's table has more to it here; docs/guide/phones.md prints this. */
export const mannersByEnding: Readonly<Record<string, { manner: Manner; happens: string }>> = {
  '99': { manner: 'hangs-up', happens: 'picks up and hangs up in mid-call' },
  '91': { manner: 'machine', happens: 'a machine greets, beeps, and takes a message' },
  '90': { manner: 'talks', happens: 'picks up and talks' },
  '89': { manner: 'presses-keys', happens: 'picks up and presses 1 where others would talk' },
}

/** Short enough to be waited for, long enough to be heard; a settings object that leaves the rest as it is. */
const patience = { ringMs: [800, 2_500], ringOutMs: [4_000, 6_000] }
/** Of those who pick up. */
const pressingShare = 0.25
const hangingUpShare = 0.05

/** People think a little before they speak, and do not wait for ever. */
const turn = { maxMs: 15_000, silenceMs: 900 }
/** How long a machine takes a message. */
const messageMs = 30_000

/** @param number begins with a plus; `earlierCalls` to it were taken before. @param beep a file in `audioDir` */
export function personAt(
  street: { seed: number; audioDir: string; beep: string },
  number: string,
  earlierCalls: number,
): Person {
  const read = readSettings({
    ...patience,
    // Some who never pick up in the simulated carrier do here.
    ...(number.endsWith('89') && { answerRate: 1 }),
  })
  if ('error' in read) throw new Error(read.error)
  const script = scriptCall(street.seed, number, earlierCalls + 1, earlierCalls, read.settings)
  if (script.final.sipStatus !== 200 || script.answersAfterMs === null) return { script, life: null }
  const random = seededRandom(street.seed ^ Number(number.slice(-9)) ^ (earlierCalls << 20))
  const manner = mannersByEnding[number.slice(-2)]?.manner ?? mannerBy(random(), script)
  const voice = pick(voices, random)
  const steps = stepsOf(manner, random, street.beep)
  return { script, life: { manner, agent: { kind: 'scripted', voice, audioDir: street.audioDir, steps } } }
}

function mannerBy(luck: number, { final }: CallScript): Manner {
  if (final.voicemail) return 'machine'
  if (luck < pressingShare) return 'presses-keys'
  return luck < pressingShare + hangingUpShare ? 'hangs-up' : 'talks'
}

function stepsOf(manner: Manner, random: Random, beep: string): object[] {
  switch (manner) {
    case 'machine':
      return [{ say: pick(greetings, random) }, { play: beep }, { pauseMs: messageMs }]
    case 'hangs-up':
      return [{ say: pick(hellos, random) }, { pauseMs: 2_500 + Math.round(1_500 * random()) }]
    case 'presses-keys':
      return conversation([{ pressKeys: '1' }], random)
    case 'talks':
      return conversation([{ say: pick(answers, random) }, { say: pick(remarks, random) }], random)
  }
}

/** Hello, then a reply each time that the caller falls silent; after the last step they hang up. */
function conversation(replies: readonly object[], random: Random): object[] {
  return [
    { say: pick(hellos, random) },
    { listen: { ...turn, otherwise: 'nobody' } },
    ...replies.flatMap(reply => [reply, { listen: turn }]),
    { say: pick(goodbyes, random) },
    { hangUp: true },
    { name: 'nobody', say: nobody },
    { listen: turn },
  ]
}

function pick<Item>(items: readonly Item[], random: Random): Item {
  return items[Math.floor(random() * items.length)]!
}

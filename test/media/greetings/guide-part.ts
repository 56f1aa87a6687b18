// The generated tables of docs/guide/answering-machines.md: made from the corpus, so that they cannot grow stale unseen.
import { fileURLToPath } from 'node:url'
import { type AmdSettings, asteriskAmd, usualAmd } from '../../../src/media/amd.ts'
import type { Greeting } from './corpus.ts'
import type { Half } from './phrases.ts'
import { beepScoreOf, type Confusion, confusionOf, takenByLine, verdictOn } from './score.ts'

export const guidePath = fileURLToPath(new URL('../../../docs/guide/answering-machines.md', import.meta.url))

const open = '<!-- generated: answering machines -->\n'
const close = '<!-- end of answering machines -->'

/** The guide with its generated part replaced. */
export function withGuidePart(page: string, part: string): string {
  const [start, end] = [page.indexOf(open), page.indexOf(close)]
  if (start === -1 || end === -1) throw new Error(`The guide lacks ${open.trim()} … ${close}`)
  return `${page.slice(0, start + open.length)}\n${part}\n\n${page.slice(end)}`
}

export function guidePart(corpus: readonly Greeting[]): string {
  const heldOut = corpus.filter(({ half }) => half === 'held-out')
  const voices = new Set(corpus.map(({ voice }) => voice)).size
  return [
    `${corpus.length} calls: ${voices} voices, ${heldOut.length} of the calls held out.`,

    '### Settings',
    settingsTable(),
    '### Who was taken for what',
    ...(['held-out', 'tuning'] as const).map(half => confusionTable(corpus, half)),
    '### How soon',
    `On held-out greetings a person is known after ${median(heldOut, 'person')} ms (median), a machine after ${median(heldOut, 'machine')} ms.`,
    '### Beeps',
    beepTable(corpus),
  ].join('\n\n')
}

function settingsTable(): string {
  const rows = (Object.keys(usualAmd) as (keyof AmdSettings)[]).map(
    name => `| \`${name}\` | ${usualAmd[name]} | ${asteriskAmd[name]} |`,
  )
  return ['| setting | Outdial | Asterisk |', '|---|---|---|', ...rows].join('\n')
}

function confusionTable(corpus: readonly Greeting[], half: Half): string {
  const greetings = corpus.filter(greeting => greeting.half === half)
  const ours = confusionOf(greetings, ulaw => takenByLine(ulaw).taken)
  const asterisks = confusionOf(greetings, ulaw => verdictOn(ulaw, asteriskAmd)?.verdict ?? 'unsure')
  return [
    half === 'held-out' ? '**Held out** (words and voices that no setting was chosen on):' : '**Tuning:**',
    '',
    "| there was | taken for a human | for a machine | unsure | with Asterisk's times: human | machine | unsure |",
    '|---|---|---|---|---|---|---|',
    `| a person | ${cells(ours, 'person')} | ${cells(asterisks, 'person')} |`,
    `| a machine | ${cells(ours, 'machine')} | ${cells(asterisks, 'machine')} |`,
  ].join('\n')
}

function cells(confusion: Confusion, speaker: 'person' | 'machine'): string {
  const { human, machine, unsure } = confusion[speaker]
  return [human, machine, unsure].join(' | ')
}

function median(greetings: readonly Greeting[], speaker: 'person' | 'machine'): number {
  const right = speaker === 'person' ? 'human' : 'machine'
  const times = greetings
    .filter(greeting => greeting.speaker === speaker)
    .map(({ ulaw }) => takenByLine(ulaw))
    .flatMap(({ taken, afterMs }) => (taken === right ? [afterMs] : []))
    .sort((one, other) => one - other)
  return times[times.length >> 1] ?? 0
}

function beepTable(corpus: readonly Greeting[]): string {
  const rows = (['held-out', 'tuning'] as const).map(half => {
    const score = beepScoreOf(corpus.filter(greeting => greeting.half === half))
    const minutes = (score.seconds / 60).toFixed(1)
    return `| ${half} | ${score.beeps} | ${score.heard} | ${score.falseAlarms} in ${minutes} minutes |`
  })
  return ['| greetings | with a beep | heard | false alarms |', '|---|---|---|---|', ...rows].join('\n')
}

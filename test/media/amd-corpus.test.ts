// The corpus of greetings: people are not taken for machines, beeps are heard, and the guide says what is true.
// It stands in one file because making it takes seconds.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { before, test } from 'node:test'
import { corpusSeed, type Greeting, makeCorpus } from './greetings/corpus.ts'
import { guidePart, guidePath, withGuidePart } from './greetings/guide-part.ts'
import { beepScoreOf, takenByLine } from './greetings/score.ts'

const minGreetings = 60
/** Hanging up on a person is the worse error. */
const maxPeopleLost = 0.02
/** A greeting of under five seconds that does not beep is a firm's: nothing tells them apart. */
const maxMachinesMissed = 0.2

let corpus: Greeting[]
let heldOut: Greeting[]
before(() => {
  console.log(`corpus seed ${corpusSeed}`)
  corpus = makeCorpus()
  heldOut = corpus.filter(({ half }) => half === 'held-out')
})

function shareTaken(speaker: Greeting['speaker'], asMachine: boolean): number {
  const greetings = heldOut.filter(greeting => greeting.speaker === speaker)
  const taken = greetings.filter(({ ulaw }) => (takenByLine(ulaw).taken === 'machine') === asMachine)
  return taken.length / greetings.length
}

test('the corpus is large enough, and no words or voices are in both halves', () => {
  assert.ok(corpus.length >= minGreetings)
  const wordsAndVoices = (half: Greeting['half']) =>
    new Set(corpus.filter(greeting => greeting.half === half).flatMap(({ voice, phrase }) => [voice, phrase]))
  assert.deepEqual([...wordsAndVoices('tuning').intersection(wordsAndVoices('held-out'))], [])
})

test('of people who were not tuned on at most 2 in 100 are called a machine', () => {
  const lost = shareTaken('person', true)
  assert.ok(lost <= maxPeopleLost, `${lost * 100}% of people`)
})

test('of recorders that were not tuned on at most 1 in 5 is missed', () => {
  const missed = shareTaken('machine', false)
  assert.ok(missed <= maxMachinesMissed, `${missed * 100}% of machines`)
})

test('every beep in the corpus is told within 100 ms of its end, and none in what people and machines say', () => {
  const { beeps, heard, falseAlarms, seconds } = beepScoreOf(corpus)
  assert.ok(beeps > 50 && seconds > 1800)
  assert.deepEqual({ heard, falseAlarms }, { heard: beeps, falseAlarms: 0 })
})

test('the tables in the guide are those of this corpus (node scripts/make-greetings.ts writes them)', () => {
  const page = readFileSync(guidePath, 'utf8')
  assert.ok(withGuidePart(page, guidePart(corpus)) === page, 'docs/guide/answering-machines.md is stale')
})

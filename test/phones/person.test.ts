// Who picks up at a number of the street: the simulated carrier's table, and what has a voice.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { readAgentSettings } from '../../src/agent/settings.ts'
import { forcedOutcomes, scriptCall } from '../../src/carrier/simulated/behaviour.ts'
import { readSettings } from '../../src/carrier/simulated/settings.ts'
import { mannersByEnding, personAt } from '../../src/phones/person.ts'

const street = { seed: 1, audioDir: '/nowhere', beep: 'beep.wav' }
const numbers = Array.from({ length: 400 }, (_, index) => `+1202555${1_000 + index}`)

test('a call ends as it would on the simulated carrier, whatever the number', () => {
  const read = readSettings({})
  assert.ok('settings' in read)
  for (const number of numbers.filter(one => !one.endsWith('89')))
    for (const earlier of [0, 1, 2])
      assert.deepEqual(
        personAt(street, number, earlier).script.final,
        scriptCall(street.seed, number, earlier + 1, earlier, read.settings).final,
        number,
      )
})

test('whoever picks up has words that the scripted agent can say', () => {
  const manners = new Set<string>()
  for (const number of numbers) {
    const { life, script } = personAt(street, number, 0)
    assert.equal(life === null, script.final.sipStatus !== 200 || script.answersAfterMs === null, number)
    if (life === null) continue
    manners.add(life.manner)
    readAgentSettings(life.agent)
  }
  assert.deepEqual([...manners].sort(), ['hangs-up', 'machine', 'presses-keys', 'talks'])
})

test('the last two digits say who it is, and the guide says the same', () => {
  const guide = readFileSync(new URL('../../docs/guide/phones.md', import.meta.url), 'utf8')
  for (const [ending, { manner, happens }] of Object.entries(mannersByEnding)) {
    for (const area of [202, 212, 312, 415])
      assert.equal(personAt(street, `+1${area}55501${ending}`, 0).life?.manner, manner, ending)
    assert.ok(guide.includes(`| ${ending} | ${happens} |`), ending)
  }
  for (const { ending, happens } of forcedOutcomes)
    if (!(ending in mannersByEnding)) assert.ok(guide.includes(`| ${ending} | ${happens} |`), ending)
})

test('the same seed is the same street, another seed is another one', () => {
  const lives = (seed: number) => numbers.map(number => personAt({ ...street, seed }, number, 0))
  assert.deepEqual(lives(1), lives(1))
  assert.notDeepEqual(lives(1), lives(2))
})

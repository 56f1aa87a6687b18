// The simulated carrier in our own process, on virtual time.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { forcedOutcomes, scriptCall } from '../../src/carrier/simulated/behaviour.ts'
import { readAddress, readSettings, type SimulatedSettings } from '../../src/carrier/simulated/settings.ts'
import { SimulatedCarrier } from '../../src/carrier/simulated/simulated-carrier.ts'
import { classify } from '../../src/domain/outcome.ts'
import { VirtualClock } from '../../src/runtime/virtual-clock.ts'
import {
  type CarrierUnderTest,
  dialAndRecord,
  quickSettings,
  simulatedTrunk,
  testCarrier,
} from './carrier-conformance.ts'

function openVirtual(settings: Record<string, unknown>, remembersAll = false) {
  const clock = new VirtualClock(1_000_000)
  const carrier = new SimulatedCarrier({ clock, seed: 7, remembersAll })
  const until = async <T>(promise: Promise<T>): Promise<T> => {
    let settled = false
    promise.then(() => {
      settled = true
    })
    await clock.run({ done: () => settled })
    return promise
  }
  const under: CarrierUnderTest = {
    carrier,
    trunk: simulatedTrunk(settings),
    until,
    close: () => carrier.close(),
  }
  return { ...under, carrier, clock }
}

const settingsOf = (raw: Record<string, unknown>): SimulatedSettings => {
  const read = readSettings(raw)
  assert.ok('settings' in read)
  return read.settings
}

testCarrier('simulated in process', async () => openVirtual(quickSettings))
testCarrier('simulated, outliving its callers', async () => openVirtual(quickSettings, true))

test('every forced outcome ends as the table says', async () => {
  const expected: Record<string, string> = {
    99: 'agent-failure none',
    98: 'carrier-failure put-back',
    97: 'carrier-failure none',
    96: 'unreachable none',
    95: 'declined none',
    94: 'no-answer none',
    93: 'no-answer none',
    92: 'busy none',
    91: 'voicemail none',
    90: 'answered none',
    88: 'blocked suppress-number',
    87: 'blocked rest-caller-id',
    86: 'carrier-failure open-trunk-breaker',
    85: 'carrier-failure open-trunk-breaker',
    83: 'busy none',
  }
  const under = openVirtual({})
  for (const { ending } of forcedOutcomes.filter(({ ending }) => ending !== '84' && ending !== '82')) {
    const { evidence } = await under.until(dialAndRecord(under, `+120255501${ending}`).ended)
    const { disposition, consequence } = classify(evidence)
    assert.equal(`${disposition} ${consequence}`, expected[ending], ending)
  }
})

test('98 is throttled twice and then answered, 83 is busy at the first call and answered at the second', async () => {
  const under = openVirtual({})
  const statusOf = async (to: string, ordinal: number) =>
    (await under.until(dialAndRecord(under, to, { ordinal }).ended)).evidence.sipStatus
  assert.deepEqual([await statusOf('+12025550198', 1), await statusOf('+12025550198', 1)], [429, 429])
  assert.equal(await statusOf('+12025550198', 1), 200)
  assert.deepEqual([await statusOf('+12025550183', 1), await statusOf('+12025550183', 2)], [486, 200])
})

test('a trunk may leave all numbers to chance', async () => {
  const under = openVirtual({ forcedEndings: false, answerRate: 1 })
  for (const { ending } of forcedOutcomes) {
    const { evidence } = await under.until(dialAndRecord(under, `+120255501${ending}`).ended)
    assert.equal(classify(evidence).disposition, 'answered')
  }
})

test('82 rings and 84 is silent for a whole day', async () => {
  const under = openVirtual({})
  const rings = dialAndRecord(under, '+12025550182')
  const silent = dialAndRecord(under, '+12025550184')
  await under.clock.run({ until: under.clock.now() + 24 * 60 * 60_000 })
  assert.deepEqual([rings.heard, silent.heard], [['ringing'], []])
})

test('the guide lists every forced outcome as the code has it', () => {
  const guide = readFileSync(new URL('../../docs/guide/simulated-carrier.md', import.meta.url), 'utf8')
  for (const { ending, happens } of forcedOutcomes)
    assert.ok(guide.includes(`| ${ending} | ${happens} |`), ending)
})

test('the same seed, number and ordinal always meet the same fate, another seed another one', () => {
  const settings = settingsOf({})
  const scripts = (seed: number) =>
    Array.from({ length: 200 }, (_, n) => scriptCall(seed, `+1202555${1000 + n}`, 1, 0, settings))
  assert.deepEqual(scripts(7), scripts(7))
  assert.notDeepEqual(scripts(7), scripts(8))
})

test('over 20,000 numbers the outcomes come as often as the rates say', () => {
  const settings = settingsOf({})
  const counts = new Map<string, number>()
  for (let n = 0; n < 20_000; n++) {
    const { final } = scriptCall(3, `+1202${1_000_000 + n * 100 + (n % 80)}`, 1, 0, settings)
    const key = `${final.sipStatus}${final.voicemail ? ' voicemail' : ''}`
    counts.set(key, (counts.get(key) ?? 0) + 1 / 20_000)
  }
  const expected = {
    '200': 0.72,
    '200 voicemail': 0.08,
    '486': 0.08,
    '480': 0.09,
    '603': 0.01,
    '404': 0.01,
    '503': 0.01,
  }
  for (const [key, rate] of Object.entries(expected))
    assert.ok(Math.abs(counts.get(key)! - rate) < 0.015, key)
})

test('rates that are set stand, the others share the rest in their usual proportions', () => {
  assert.equal(settingsOf({ answerRate: 1 }).rates.busy, 0)
  const { rates } = settingsOf({ answerRate: 0.44 })
  assert.ok(Math.abs(rates.busy - 0.16) < 1e-9 && Math.abs(rates['no-answer'] - 0.18) < 1e-9)
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 0.5, noNaN: true }),
      fc.double({ min: 0, max: 0.5, noNaN: true }),
      (busy, failure) => {
        const sum = Object.values(settingsOf({ busyRate: busy, failureRate: failure }).rates).reduce(
          (a, b) => a + b,
        )
        assert.ok(Math.abs(sum - 1) < 1e-9)
      },
    ),
  )
})

test('a wrong setting is named in one sentence', () => {
  const wrong: [Record<string, unknown>, RegExp][] = [
    [{ answerRate: 1.5 }, /^answerRate must be a number from 0 to 1$/],
    [{ busyRate: '0.5' }, /^busyRate must be a number/],
    [{ answerRate: 0.8, busyRate: 0.3 }, /must not sum to more than 1/],
    [{ talkMs: [5, 1] }, /^talkMs must be \[from, to\]/],
    [{ ringMs: [1, 2, 3] }, /^ringMs must be/],
    [{ ringMs: [Number.NaN, 2] }, /^ringMs must be/],
    [{ speedFactor: 0 }, /^speedFactor must be/],
    [{ seed: 1.5 }, /^seed must be a whole number/],
    [{ zeroLength: 'yes' }, /^zeroLength must be true or false/],
    [
      {
        answerRate: 0.1,
        voicemailRate: 0,
        busyRate: 0,
        noAnswerRate: 0,
        declinedRate: 0,
        unreachableRate: 0,
        failureRate: 0,
      },
      /they must sum to 1/,
    ],
  ]
  for (const [raw, sentence] of wrong) {
    const read = readSettings(raw)
    assert.match('error' in read ? read.error : 'no error', sentence)
  }
  for (const address of [
    'example.org:7070',
    '127.0.0.1',
    '127.0.0.1:0',
    '127.0.0.1:99999',
    7070,
    '10.0.0.1:7070',
  ])
    assert.ok('error' in readAddress({ address }), String(address))
  assert.deepEqual(readAddress({ address: '127.0.0.1:7070' }), { port: 7070 })
  assert.deepEqual(readAddress({}), { port: null })
})

test('above its calls per second the trunk refuses with a CPS text, and takes calls again a second later', async () => {
  const under = openVirtual({ ...quickSettings, maxCallsPerSecond: 2 })
  const calls = [1, 2, 3].map(() => dialAndRecord(under, '+12025550190'))
  const third = await under.until(calls[2]!.ended)
  assert.deepEqual([third.evidence.sipStatus, classify(third.evidence).consequence], [503, 'put-back'])
  await under.clock.run({ until: 1_001_000 })
  assert.equal((await under.until(dialAndRecord(under, '+12025550190').ended)).evidence.sipStatus, 200)
})

test('above its channels the trunk refuses with a channel text', async () => {
  const under = openVirtual({ maxConcurrentCalls: 1 })
  const first = dialAndRecord(under, '+12025550182')
  const { evidence } = await under.until(dialAndRecord(under, '+12025550190').ended)
  assert.deepEqual([evidence.sipStatus, classify(evidence).consequence], [503, 'put-back'])
  first.call.hangUp()
  await under.until(first.ended)
  assert.equal((await under.until(dialAndRecord(under, '+12025550190').ended)).evidence.sipStatus, 200)
})

test('it reports the largest concurrency, the densest second, the shortest spacing and Call-IDs dialled twice', async () => {
  const under = openVirtual({ talkMs: [5000, 5000], answerRate: 1 })
  for (const at of [0, 100, 250, 1_000, 1_099, 6_000]) {
    await under.clock.run({ until: 1_000_000 + at })
    dialAndRecord(under, '+12025550190', at === 250 ? { callId: 'twice' } : {})
  }
  await under.clock.run()
  dialAndRecord(under, '+12025550190', { callId: 'twice' })
  await under.clock.run()
  const seen = { dials: 7, maxConcurrent: 5, maxCallsPerSecond: 4, minSpacingMs: 99, duplicateCallIds: 1 }
  assert.deepEqual(under.carrier.seen(), seen)
  assert.deepEqual(under.carrier.seen(1), seen)
  assert.equal(under.carrier.seen(2).dials, 0)
})

test('the densest second is that of a recount, whatever the times', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(700), { minLength: 1, maxLength: 60 }), async gaps => {
      const under = openVirtual({ zeroLength: true })
      const times: number[] = []
      for (const gap of gaps) {
        await under.clock.run({ until: under.clock.now() + gap })
        times.push(under.clock.now())
        dialAndRecord(under, '+12025550190')
      }
      const densest = Math.max(...times.map(end => times.filter(at => at > end - 1000 && at <= end).length))
      assert.equal(under.carrier.seen().maxCallsPerSecond, densest)
    }),
    { numRuns: 30 },
  )
})

test('zero-length calls are answered and end together in the next turn, at the same instant', async () => {
  const under = openVirtual({ zeroLength: true, answerRate: 1 })
  const calls = Array.from({ length: 100 }, (_, n) => dialAndRecord(under, `+12025550${100 + (n % 80)}`))
  const ends = await under.until(Promise.all(calls.map(({ ended }) => ended)))
  assert.ok(ends.every(({ at, evidence }) => at === 1_000_000 && evidence.answeredAt === at))
  assert.ok(calls.every(({ heard }) => heard.join() === 'answered,ended'))
  assert.equal(under.carrier.seen().maxConcurrent, 100)
})

test('a carrier that outlives its callers swears that an unseen call was never placed, one in our process does not', async () => {
  const outliving = openVirtual({}, true)
  const inProcess = openVirtual({}, false)
  assert.deepEqual(await outliving.carrier.rescue(outliving.trunk, ['x']), ['never-placed'])
  assert.deepEqual(await inProcess.carrier.rescue(inProcess.trunk, ['x']), ['unknown'])
})

test('when it closes, nothing more is heard of the calls under way', async () => {
  const under = openVirtual({})
  const { heard } = dialAndRecord(under, '+12025550190')
  await under.carrier.close()
  await under.clock.run()
  assert.deepEqual(heard, [])
})

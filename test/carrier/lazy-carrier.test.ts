// A carrier that is opened by its first call: nothing before that, nobody rung twice, nothing left behind.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Carrier } from '../../src/carrier/carrier.ts'
import { carriersByKind } from '../../src/carrier/carriers-by-kind.ts'
import { LazyCarrier } from '../../src/carrier/lazy-carrier.ts'
import { SimulatedCarrier } from '../../src/carrier/simulated/simulated-carrier.ts'
import { classify } from '../../src/domain/outcome.ts'
import { realClock } from '../../src/runtime/clock.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import { dialAndRecord, quickSettings, simulatedTrunk } from './carrier-conformance.ts'

const clock = realClock
const trunk = simulatedTrunk(quickSettings)

function lazily(open: () => Promise<Carrier>): LazyCarrier {
  return new LazyCarrier({ open, clock, logger: silentLogger })
}

test('it is opened once, by the first call, and closed with the rest', async () => {
  const inside = new SimulatedCarrier({ clock, seed: 7 })
  let opened = 0
  let closed = 0
  const close = async () => {
    closed++
    await inside.close()
  }
  const sip = lazily(async () => {
    opened++
    return {
      dial: (...call) => inside.dial(...call),
      rescue: (trunk, callIds) => inside.rescue(trunk, callIds),
      close,
    }
  })
  const carrier = carriersByKind({ simulated: new SimulatedCarrier({ clock, seed: 7 }), sip })
  await dialAndRecord({ carrier, trunk }, '+12025550192').ended
  assert.equal(opened, 0)
  const overSip = { carrier, trunk: { ...trunk, kind: 'sip' as const } }
  const calls = [dialAndRecord(overSip, '+12025550192'), dialAndRecord(overSip, '+12025550190')]
  const statuses = (await Promise.all(calls.map(call => call.ended))).map(end => end.evidence.sipStatus)
  assert.deepEqual([opened, statuses, inside.seen().dials], [1, [486, 200], 2])
  await carrier.close()
  assert.equal(closed, 1)
})

test('where it cannot be opened, people are put back unspent and the trunk is not blamed', async () => {
  const carrier = lazily(() => Promise.reject(new Error('EADDRINUSE')))
  const { evidence } = await dialAndRecord({ carrier, trunk }, '+12025550190').ended
  const { consequence, fault, cause } = classify(evidence)
  assert.deepEqual([consequence, fault], ['put-back', 'us'])
  assert.match(cause, /not placed: the SIP ports/)
  await assert.rejects(carrier.rescue(trunk, ['x']))
  await carrier.close()
})

test('a call that is hung up while it opens is never placed', async () => {
  const inside = new SimulatedCarrier({ clock, seed: 7 })
  const { promise, resolve } = Promise.withResolvers<Carrier>()
  const carrier = lazily(() => promise)
  const { call, ended } = dialAndRecord({ carrier, trunk }, '+12025550190')
  call.hangUp()
  resolve(inside)
  assert.equal(classify((await ended).evidence).consequence, 'put-back')
  assert.equal(inside.seen().dials, 0)
  await carrier.close()
})

test('one that was never opened closes at once, and opens nothing afterwards', async () => {
  const carrier = lazily(() => assert.fail('opened'))
  await carrier.close()
  const { evidence } = await dialAndRecord({ carrier, trunk }, '+12025550190').ended
  assert.equal(evidence.notPlaced, true)
})

test('a look at its gateways opens nothing; asking them does, and traces come through', async () => {
  const inside = new SimulatedCarrier({ clock, seed: 7 })
  const standing = {
    host: 'a',
    transport: 'udp',
    remote: 'a:1',
    downUntil: null,
    reason: null,
    since: 0,
  } as const
  const trace = { messages: [], leftOut: 3 }
  let opened = 0
  const carrier = lazily(async () => {
    opened++
    return {
      dial: (...call) => ({ ...inside.dial(...call), takeTrace: () => trace }),
      rescue: (trunk, callIds) => inside.rescue(trunk, callIds),
      probe: async () => [],
      gateways: () => [standing],
      close: () => inside.close(),
    }
  })
  assert.deepEqual([carrier.gateways(trunk), opened], [[], 0])
  const first = dialAndRecord({ carrier, trunk }, '+12025550192')
  await first.ended
  assert.deepEqual(first.call.takeTrace?.(), trace)
  assert.deepEqual([await carrier.probe(trunk, true), carrier.gateways(trunk), opened], [[], [standing], 1])
  await carrier.close()
})

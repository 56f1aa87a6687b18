// Which carrier takes a call: the one that the trunk's settings lead to.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { CarrierRouter } from '../../src/carrier/simulated/carrier-router.ts'
import { CarrierServer } from '../../src/carrier/simulated/carrier-server.ts'
import { SimulatedCarrier } from '../../src/carrier/simulated/simulated-carrier.ts'
import { classify } from '../../src/domain/outcome.ts'
import { realClock } from '../../src/runtime/clock.ts'
import { dialAndRecord, quickSettings, simulatedTrunk } from './carrier-conformance.ts'

test('a trunk without an address is played here, one with an address by the process there', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'outdial-carrier-'))
  const logPath = join(folder, 'carrier.log')
  const onFailure = (error: unknown) => assert.fail(String(error))
  const server = await CarrierServer.start({ port: 0, logPath, seed: 7, clock: realClock, onFailure })
  const inProcess = new SimulatedCarrier({ clock: realClock, seed: 7 })
  const carrier = new CarrierRouter({ inProcess, clock: realClock })
  const here = simulatedTrunk(quickSettings, 1)
  const there = simulatedTrunk({ ...quickSettings, address: `127.0.0.1:${server.port}` }, 2)
  await dialAndRecord({ carrier, trunk: here }, '+12025550190').ended
  await dialAndRecord({ carrier, trunk: there }, '+12025550190').ended
  await dialAndRecord({ carrier, trunk: there }, '+12025550192').ended
  assert.deepEqual([inProcess.seen().dials, server.seen().dials], [1, 2])
  assert.deepEqual(await carrier.rescue(here, ['x']), ['unknown'])
  assert.deepEqual(await carrier.rescue(there, ['x']), ['never-placed'])
  await carrier.close()
  await server.close()
  await rm(folder, { recursive: true })
})

test('a SIP trunk and a wrong address open the breaker instead of ringing anybody or costing an attempt', async () => {
  const inProcess = new SimulatedCarrier({ clock: realClock, seed: 7 })
  const carrier = new CarrierRouter({ inProcess, clock: realClock })
  const sip = { ...simulatedTrunk({}), kind: 'sip' as const }
  for (const trunk of [sip, simulatedTrunk({ address: 'example.org:5060' })]) {
    const { evidence } = await dialAndRecord({ carrier, trunk }, '+12025550190').ended
    assert.equal(classify(evidence).consequence, 'open-trunk-breaker')
  }
  assert.deepEqual(await carrier.rescue(sip, ['x']), ['never-placed'])
  assert.deepEqual(await carrier.rescue(simulatedTrunk({ address: 7 }), ['x']), ['unknown'])
  assert.equal(inProcess.seen().dials, 0)
  await carrier.close()
})

// Names into hops: SRV priorities and weights, what is kept and for how long (RFC 3263, RFC 2782).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createResolver, type Dns, type Gateway, type SrvRecord } from '../../src/carrier/sip/resolver.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { VirtualClock } from '../../src/runtime/virtual-clock.ts'

const gateway: Gateway = { host: 'trunk.example', port: null, protocol: 'udp' }

function open(srv: SrvRecord[] | null, addresses: Record<string, string[]>) {
  const clock = new VirtualClock(0)
  const asked: string[] = []
  const dns: Dns = {
    async resolveSrv(name) {
      asked.push(name)
      if (srv === null) throw Object.assign(new Error('none'), { code: 'ENODATA' })
      return srv
    },
    async resolveAddresses(name) {
      asked.push(name)
      const found = addresses[name]
      if (found === undefined) throw Object.assign(new Error('none'), { code: 'ENOTFOUND' })
      return found
    },
  }
  const random = seededRandom(5)
  return { clock, asked, addresses, resolver: createResolver({ dns, clock, random }) }
}

const record = (name: string, priority: number, weight: number): SrvRecord => ({
  name,
  port: 5_060 + priority,
  priority,
  weight,
})

test('an IP address is not looked up', async () => {
  const { resolver, asked } = open(null, {})
  const hops = await resolver.resolve({ host: '192.0.2.1', port: null, protocol: 'tls' })
  assert.deepEqual(
    [hops, asked],
    [[{ protocol: 'tls', address: '192.0.2.1', port: 5_061, serverName: '192.0.2.1' }], []],
  )
})

test('a name with a port is not looked up by SRV', async () => {
  const { resolver, asked } = open([], { 'trunk.example': ['192.0.2.1'] })
  const [hop] = await resolver.resolve({ ...gateway, port: 5_090 })
  assert.deepEqual([hop?.port, hop?.serverName, asked], [5_090, 'trunk.example', ['trunk.example']])
})

test('without SRV records the name itself is asked for its addresses', async () => {
  const { resolver, asked } = open(null, { 'trunk.example': ['192.0.2.1', '192.0.2.2'] })
  const hops = await resolver.resolve(gateway)
  assert.deepEqual(
    hops.map(({ address, port }) => [address, port]),
    [
      ['192.0.2.1', 5_060],
      ['192.0.2.2', 5_060],
    ],
  )
  assert.deepEqual(asked, ['_sip._udp.trunk.example', 'trunk.example'])
})

test('the lowest priority goes first; within one, chance goes by weight', async () => {
  const srv = [record('far', 20, 1), record('heavy', 10, 90), record('light', 10, 10)]
  const { resolver, clock } = open(srv, { far: ['192.0.2.3'], heavy: ['192.0.2.1'], light: ['192.0.2.2'] })
  let heavyFirst = 0
  for (let turn = 0; turn < 500; turn++) {
    const hops = (await resolver.resolve(gateway)).map(({ address }) => address)
    assert.equal(hops.at(-1), '192.0.2.3')
    if (hops[0] === '192.0.2.1') heavyFirst++
    await clock.run({ until: clock.now() + 60_001 })
  }
  assert.ok(heavyFirst > 400 && heavyFirst < 490, `${heavyFirst} of 500`)
})

test('a target without an address is passed over, and the server name stays that of the trunk', async () => {
  const { resolver } = open([record('gone', 1, 1), record('there', 2, 1)], { there: ['192.0.2.9'] })
  assert.deepEqual(await resolver.resolve(gateway), [
    { protocol: 'udp', address: '192.0.2.9', port: 5_062, serverName: 'trunk.example' },
  ])
})

test('what was found is kept for a minute, a failure not at all', async () => {
  const under = open(null, {})
  await assert.rejects(under.resolver.resolve(gateway), { code: 'ENOTFOUND' })
  under.addresses['trunk.example'] = ['192.0.2.1']
  await under.resolver.resolve(gateway)
  const before = under.asked.length
  await under.resolver.resolve(gateway)
  assert.equal(under.asked.length, before)
  await under.clock.run({ until: 60_001 })
  await under.resolver.resolve(gateway)
  assert.ok(under.asked.length > before)
})

// Calls through Kamailio: a carrier that demands digest and stays in the way, over UDP, TCP and TLS.
import assert from 'node:assert/strict'
import type { Gateway } from '../../src/carrier/sip/resolver.ts'
import { openFarSide } from './far-side.ts'
import { startKamailio } from './kamailio.ts'
import { peerTest, startSipp } from './peers.ts'
import { openAgent, ring } from './ringing-agent.ts'

const credentials = { username: 'trunk1', password: 's3cret' }
const programs = ['kamailio', 'sipp', 'openssl'] as const

for (const protocol of ['udp', 'tcp', 'tls'] as const)
  peerTest(
    `a call over ${protocol} is challenged, relayed, answered and hung up through the proxy`,
    programs,
    async t => {
      const peer = await startSipp(t, { scenario: 'answer' })
      const carrier = await startKamailio(t, { nextPort: peer.port })
      const agent = await openAgent(t, { ca: carrier.ca })
      const gateway: Gateway =
        protocol === 'tls'
          ? { host: 'localhost', port: carrier.tlsPort, protocol }
          : { host: '127.0.0.1', port: carrier.port, protocol }
      const { call, answered, ended } = ring(agent, [gateway], { credentials })
      await Promise.race([answered, ended])
      call.hangUp()
      assert.deepEqual([(await ended).sipStatus, await peer.done], [200, ''])
      assert.deepEqual(carrier.calls(), [call.callId])
    },
  )

for (const protocol of ['udp', 'tls'] as const)
  peerTest(
    `a call over ${protocol} that the far end hangs up is ended through the proxy`,
    programs,
    async t => {
      const peer = await startSipp(t, { scenario: 'hangs-up' })
      const carrier = await startKamailio(t, { nextPort: peer.port })
      const agent = await openAgent(t, { ca: carrier.ca })
      const port = protocol === 'tls' ? carrier.tlsPort : carrier.port
      const { ended } = ring(agent, [{ host: 'localhost', port, protocol }], { credentials })
      const { sipStatus, q850 } = await ended
      assert.deepEqual([sipStatus, q850, await peer.done], [200, 31, ''])
    },
  )

peerTest('a call that is cancelled through the proxy ends with its 487', ['kamailio', 'openssl'], async t => {
  const far = await openFarSide()
  t.after(() => far.close())
  const carrier = await startKamailio(t, { nextPort: far.port })
  const agent = await openAgent(t)
  const requestUri = 'sip:+12025550182@carrier.test'
  const { call, ringing, ended } = ring(agent, [carrier.port], { credentials, requestUri })
  await Promise.race([ringing, ended])
  call.hangUp()
  assert.equal((await ended).sipStatus, 487)
  assert.ok(far.seen.includes('CANCEL +12025550182'))
})

peerTest('the carrier refuses a wrong password, and its own endings are heard', programs, async t => {
  const carrier = await startKamailio(t, { nextPort: 9 })
  const agent = await openAgent(t)
  const wrong = ring(agent, [carrier.port], { credentials: { ...credentials, password: 'guess' } })
  assert.equal((await wrong.ended).sipStatus, 407)
  for (const status of [486, 404, 603]) {
    const requestUri = `sip:+12025550${status}@carrier.test`
    const { ended } = ring(agent, [carrier.port], { credentials, requestUri })
    assert.equal((await ended).sipStatus, status)
  }
})

peerTest(
  'a certificate that nobody trusts leads to the next gateway: nothing was sent',
  programs,
  async t => {
    const peer = await startSipp(t, { scenario: 'answer' })
    const carrier = await startKamailio(t, { nextPort: peer.port })
    const agent = await openAgent(t)
    const distrusted: Gateway = { host: 'localhost', port: carrier.tlsPort, protocol: 'tls' }
    const { call, answered, ended } = ring(agent, [distrusted, carrier.port], { credentials })
    await Promise.race([answered, ended])
    call.hangUp()
    assert.equal((await ended).sipStatus, 200)
    assert.match(agent.gateways().find(({ hop }) => hop.protocol === 'tls')?.reason ?? '', /SELF_SIGNED|CERT/)
  },
)

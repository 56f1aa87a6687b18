// Batches over TLS through the real configuration: a carrier with an authority of its own, trusted, unknown, or not asked.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import type { TestContext } from 'node:test'
import { createLogger } from '../../src/runtime/logger.ts'
import { startKamailio } from '../sip/kamailio.ts'
import { peerTest, startSipp, tempFolder } from '../sip/peers.ts'
import { realCalls } from './real-calls.ts'

const programs = ['kamailio', 'sipp', 'openssl'] as const
const connection = { kind: 'scripted', steps: [{ hangUp: true }] }

async function carrierAndTrunk(t: TestContext, calls: number) {
  const peer = await startSipp(t, { scenario: 'street', calls })
  const carrier = await startKamailio(t, { nextPort: peer.port })
  const gateways = [`tls:localhost:${carrier.tlsPort}`]
  const trunk = { gateways, domain: 'carrier.test', username: 'trunk1', password: 's3cret' }
  return { carrier, trunk }
}

/** One call, and the first words of what was sent. */
async function callOne(server: Awaited<ReturnType<typeof realCalls>>) {
  const { attempts } = await server.callEverybody([{ phone: '+12025550200' }], {
    trace: true,
    retry: { maxAttempts: 1 },
  })
  return attempts[0]!.outcome
}

peerTest('a carrier with an authority of its own is trusted by OUTDIAL_SIP_TLS_CA', programs, async t => {
  const { carrier, trunk } = await carrierAndTrunk(t, 1)
  const ca = join(tempFolder(t), 'authority.pem')
  writeFileSync(ca, carrier.ca)
  const environment = { OUTDIAL_SIP_TLS_CA: ca }
  const server = await realCalls(t, { sipPort: 0, firstRtpPort: 22_000, connection, trunk, environment })
  const { disposition } = await callOne(server)
  assert.deepEqual([disposition, carrier.calls().length], ['answered', 1])
})

peerTest('without it nothing is sent to the carrier, and the outcome says why', programs, async t => {
  const { carrier, trunk } = await carrierAndTrunk(t, 1)
  const server = await realCalls(t, { sipPort: 0, firstRtpPort: 22_800, connection, trunk })
  const { disposition, cause } = await callOne(server)
  assert.equal(disposition, 'carrier-failure')
  assert.match(cause, /SELF_SIGNED_CERT/)
  assert.deepEqual(carrier.calls(), [])
})

peerTest(
  'a trunk with tlsVerify false asks for no authority, and the log says so once',
  programs,
  async t => {
    const { trunk } = await carrierAndTrunk(t, 2)
    const lines: string[] = []
    const destination = new Writable({
      write(chunk: Buffer, _encoding, done) {
        lines.push(chunk.toString('utf8'))
        done()
      },
    })
    const logger = createLogger({ level: 'warn', destination })
    const unchecked = { ...trunk, tlsVerify: false }
    const server = await realCalls(t, {
      ...{ sipPort: 0, firstRtpPort: 23_600, connection, trunk: unchecked, logger },
    })
    for (let call = 0; call < 2; call++) assert.equal((await callOne(server)).disposition, 'answered')
    assert.equal(lines.filter(line => line.includes('certificates of this trunk are not checked')).length, 1)
  },
)

// A server that is killed while people are talking: its next life hangs up what the carrier still holds.
import assert from 'node:assert/strict'
import { freePort, peerTest, startSipp, tempFolder } from '../sip/peers.ts'
import { Changes } from '../torture/changes.ts'
import { startServer } from '../torture/server-process.ts'

peerTest(
  'after kill -9 and a restart the carrier sees BYE for every call it still held',
  ['sipp'],
  async t => {
    const dataDir = tempFolder(t)
    const changes = new Changes(dataDir)
    t.after(() => changes.close())
    const people = 5
    const peer = await startSipp(t, { scenario: 'street', calls: people })
    const settings = {
      OUTDIAL_SIP_HOST: '127.0.0.1',
      // The same in both lives: SIPp answers where the INVITE came from.
      OUTDIAL_SIP_PORT: String(await freePort()),
      OUTDIAL_SIP_TLS_PORT: '0',
      OUTDIAL_RTP_PORTS: '29000-29198',
      OUTDIAL_MEDIA_WORKERS: '1',
    }
    const first = await startServer(dataDir, settings)
    t.after(() => first.kill())
    const trunk = await first.send('POST', '/api/v1/trunks', {
      name: 'loopback',
      kind: 'sip',
      settings: { gateways: [`127.0.0.1:${peer.port}`], optionsSeconds: 0 },
    })
    await first.send('POST', '/api/v1/agents', {
      name: 'Echo',
      connection: { kind: 'echo' },
      aliases: ['echo'],
    })
    const number = { e164: '+12025550100', agentId: 'echo', trunkId: trunk.id }
    await first.send('POST', '/api/v1/phone-numbers', number)
    const recipients = Array.from({ length: people }, (_, index) => ({ phone: `+1202555${index + 2}200` }))
    const window = [{ days: [1, 2, 3, 4, 5, 6, 7], from: '00:00', to: '24:00' }]
    const { id } = await first.send('POST', '/api/v1/batches', { agentId: 'echo', recipients, window })
    const path = `/api/v1/batches/${id}`
    await changes.until(async () => {
      const { data } = await first.send('GET', `${path}/attempts`)
      return data.filter(({ status }: { status: string }) => status === 'answered').length === people
    })
    await first.kill()
    const second = await startServer(dataDir, settings)
    t.after(() => second.kill())
    assert.equal(await peer.done, '')
    await changes.until(async () => (await second.send('GET', path)).status === 'completed')
    const { counts, attempts } = await second.send('GET', path)
    assert.deepEqual([counts.lost, attempts], [people, people])
  },
)

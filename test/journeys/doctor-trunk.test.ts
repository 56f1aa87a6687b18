// `outdial doctor trunk` against carriers that work and carriers that do not: what it shows, what it says to do.
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { type Ran, reasonOf, run } from '../cli/running-app.ts'
import { startKamailio } from '../sip/kamailio.ts'
import { freePort, peerTest, startSipp } from '../sip/peers.ts'
import { apiKey, type RealCalls, realCalls } from './real-calls.ts'

const connection = { kind: 'scripted', steps: [{ say: 'Hello.' }, { hangUp: true }] }
const answered = '+12025550200'

interface Tested extends RealCalls {
  doctor(...args: string[]): Promise<Ran>
}

async function testing(
  t: TestContext,
  trunk: { sipPort?: number; firstRtpPort: number; settings?: object },
): Promise<Tested> {
  const { sipPort = 0, firstRtpPort, settings = {} } = trunk
  const server = await realCalls(t, { sipPort, firstRtpPort, connection, trunk: settings })
  const at = ['--url', server.app.url, '--key', apiKey]
  return { ...server, doctor: (...args) => run(['doctor', 'trunk', 'loopback', ...args, ...at]) }
}

peerTest('a trunk that works is shown stage by stage, with its ladder', ['sipp'], async t => {
  const peer = await startSipp(t, { scenario: 'street', args: ['-mi', '127.0.0.1', '-rtp_echo'] })
  const server = await testing(t, { sipPort: peer.port, firstRtpPort: 17_000 })
  const { failure, out, err } = await server.doctor('--to', '+1 202 555 0200', '--agent', 'ann', '--yes')
  assert.equal(failure, null, out)
  assert.match(err, /Ringing \+1 202 555 0200 over loopback/)
  const there = `127\\.0\\.0\\.1:${peer.port}`
  for (const line of [
    `^ok {6}lookup: udp:${there} leads to ${there}`,
    `^ok {6}gateway: ${there} over udp \\(after 0\\.00 s\\)`,
    '^ok {6}connection: the first answer: 180 Ringing',
    '^ok {6}authentication: no password was asked for',
    '^ok {6}ringing: 180 Ringing',
    '^ok {6}answer: picked up',
    '^ok {6}audio: \\d+ packets came in, [\\d.]+% lost, jitter [\\d.]+ ms; \\d+ sent',
    '^skipped keys: none came',
    '^ok {6}hang-up: by us, confirmed',
    `^ {11}us +${there} \\(udp\\)$`,
    '^ +0\\.000 s \\|--- INVITE -+>\\|$',
    '^ +[\\d.]+ s \\|<-- 200 OK -+\\|$',
    '^ +[\\d.]+ s \\|--- BYE -+>\\|$',
    '^The trunk works: the call was answered, and sound came through\\.$',
  ])
    assert.match(out, new RegExp(line, 'm'))
  assert.equal(await peer.done, '')
})

peerTest('a busy number proves the trunk and not the sound, and is not rung again', ['sipp'], async t => {
  const peer = await startSipp(t, { scenario: 'street' })
  const server = await testing(t, { sipPort: peer.port, firstRtpPort: 17_800 })
  const { failure, out } = await server.doctor('--to', '+12025550486', '-y', '-o', 'json')
  assert.equal(failure, null)
  const test = JSON.parse(out)
  assert.deepEqual([test.verdict, test.trunkName, test.messages.length], ['warning', 'loopback', 3])
  assert.match(test.summary, /^The carrier took the call, and the number was busy/)
  const batch = await server.send<{ name: string; status: string; attempts: number }>(
    'GET',
    `/api/v1/batches/${test.batchId}`,
  )
  assert.deepEqual([batch.name, batch.status, batch.attempts], ['Test of trunk loopback', 'completed', 1])
  assert.equal((await server.download(`/api/v1/attempts/${test.attemptId}/trace`)).status, 200)
})

peerTest('a wrong password is told from a missing one', ['kamailio', 'openssl'], async t => {
  const { port } = await startKamailio(t, { nextPort: 9 })
  const wrong = await testing(t, {
    ...{ sipPort: port, firstRtpPort: 18_600, settings: { username: 'trunk1', password: 'guess' } },
  })
  const refused = await wrong.doctor('--to', answered, '--yes')
  assert.equal(reasonOf(refused), 'failed')
  assert.match(refused.out, /^failed {2}authentication: the password is not accepted: 407 Proxy Auth/m)
  assert.match(refused.out, /^- Check `username` and `password`/m)
  assert.doesNotMatch(refused.out, /guess/)
  const { data } = await wrong.send<{ data: { id: number; kind: string }[] }>('GET', '/api/v1/trunks')
  const { id } = data.find(({ kind }) => kind === 'sip')!
  await wrong.send('PATCH', `/api/v1/trunks/${id}`, { settings: { password: 's3cret' } })
  const mended = await wrong.doctor('--to', '+12025550486', '--yes')
  assert.equal(mended.failure, null, 'the new password holds from the next call on')
  assert.match(mended.out, /^ok {6}authentication: 407 .*, answered with our password/m)
  const missing = await testing(t, { sipPort: port, firstRtpPort: 19_400 })
  const { out } = await missing.doctor('--to', answered, '--yes')
  assert.match(out, /^failed {2}authentication: 407 .*, and the trunk has no password/m)
  assert.match(out, /^- The carrier wants a `username` and a `password`/m)
})

peerTest('a caller ID that is not ours, and a codec that does not suit, are named', ['sipp'], async t => {
  for (const [firstRtpPort, STATUS, PHRASE, advice] of [
    [20_200, '403', 'Forbidden', /^- The carrier knows us .* the caller ID \+12025550100 is not one/m],
    [21_000, '488', 'Not Acceptable Here', /^- The carrier takes none of the codecs offered/m],
    [21_000, '503', 'CPS limit exceeded', /^- The carrier says that it is too much/m],
  ] as const) {
    const fill = { STATUS, PHRASE, HEADER: 'X-Nothing: else' }
    const peer = await startSipp(t, { scenario: 'final', fill })
    const server = await testing(t, { sipPort: peer.port, firstRtpPort })
    const { out, failure } = await server.doctor('--to', answered, '--yes')
    assert.match(failure?.message ?? '', /The test of trunk loopback failed/)
    assert.match(out, new RegExp(`^failed  answer: sip ${STATUS} ${PHRASE}`, 'm'))
    assert.match(out, advice)
    assert.equal(await peer.done, '', 'one INVITE, no second one')
    await server.app.stop(0)
  }
})

peerTest('an answer without sound says what to look at', ['sipp'], async t => {
  const peer = await startSipp(t, { scenario: 'hangs-up' })
  const server = await testing(t, { sipPort: peer.port, firstRtpPort: 30_000 })
  const { out, failure } = await server.doctor('--to', answered, '--yes')
  assert.notEqual(failure, null)
  assert.match(out, /^failed {2}audio: none came in/m)
  assert.match(out, /^ok {6}hang-up: by the other side/m)
  assert.match(out, /^- Sound did not come in at 127\.0\.0\.1: let UDP through .* OUTDIAL_RTP_PORTS/m)
})

peerTest('a port that refuses, over UDP and TCP, and a name that nobody knows', [], async t => {
  const port = await freePort()
  for (const [firstRtpPort, gateway, stage, advice] of [
    [30_800, `127.0.0.1:${port}`, /^failed {2}connection: .*ECONNREFUSED/m, /^- Nothing listens there/m],
    [31_000, `tcp:127.0.0.1:${port}`, /^failed {2}connection: .*ECONNREFUSED/m, /^- Nothing listens/m],
    [31_200, 'no.such.name.invalid', /^failed {2}lookup: .* leads nowhere/m, /^- DNS does not know/m],
  ] as const) {
    const server = await testing(t, { firstRtpPort, settings: { gateways: [gateway] } })
    const called = await server.doctor('--to', answered, '--yes')
    assert.match(called.failure?.message ?? '', /^The test of trunk loopback failed/)
    assert.match(called.out, stage)
    assert.match(called.out, advice)
    const looked = await server.doctor()
    assert.match(looked.out, /^No gateway of the trunk can be reached\.$/m)
    assert.match(looked.out, advice)
    await server.app.stop(0)
  }
})

peerTest('a host that says nothing is given up, and the INVITEs that it got are counted', [], async t => {
  const deaf = createSocket('udp4').bind(0, '127.0.0.1')
  await once(deaf, 'listening')
  t.after(() => deaf.close())
  const server = await testing(t, { sipPort: deaf.address().port, firstRtpPort: 31_400 })
  const ran = await server.doctor('--to', answered, '--yes', '--ring-seconds', '1')
  assert.match(ran.out, /^failed {2}connection: nothing was heard; the INVITE was sent \d times$/m)
  assert.match(ran.out, /^- Nobody answers: the carrier may not allow our address/m)
})

// `phones` as a process: says where it listens, a line for each call, and ends by a signal.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { peerTest, startSipp } from '../sip/peers.ts'
import { outdial } from './spawned.ts'

peerTest(
  'phones prints the trunk that leads to it and a line a call, and SIGTERM ends it',
  ['sipp'],
  async t => {
    const phones = outdial(['phones', '--port', '0', '--rtp-ports', '14000-14098'], {})
    t.after(() => phones.child.kill('SIGKILL'))
    const [, address = ''] = await phones.line(/outdial trunk add street --gateway (127\.0\.0\.1:\d+) /)
    for (const [transport, number, line] of [
      ['u1', '12025550190', /^\+12025550190 {2}picked up, \d+\.\d s, the caller hung up$/],
      ['t1', '12125550190', /^\+12125550190 {2}picked up, \d+\.\d s, the caller hung up$/],
    ] as const) {
      const caller = await startSipp(t, { scenario: 'uac', transport, target: address, args: ['-s', number] })
      assert.equal(await caller.done, '')
      await phones.line(line)
    }
    phones.child.kill('SIGTERM')
    assert.equal(await phones.exit, 0)
  },
)

test('a port that is taken, and an address that leads nowhere, are said in one sentence', async t => {
  const first = outdial(['phones', '--port', '0'], {})
  t.after(() => first.child.kill('SIGKILL'))
  const [, port = ''] = await first.line(/ring at 127\.0\.0\.1:(\d+) /)
  const second = outdial(['phones', '--port', port], {})
  assert.equal(await second.exit, 1)
  assert.match(second.err.join('\n'), new RegExp(`port ${port} on 127\\.0\\.0\\.1 is in use`))
  const everywhere = outdial(['phones', '--host', '0.0.0.0'], {})
  assert.equal(await everywhere.exit, 2)
  assert.match(everywhere.err.join('\n'), /must be an IP address of this machine/)
  first.child.kill('SIGINT')
  assert.equal(await first.exit, 0)
})

// `outdial trunk` against a running server: what is stored, what is shown, and what is refused.
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { apiKey, type RunningApp, reasonOf, run, runningApp } from './running-app.ts'

let house: RunningApp
before(async () => {
  house = await runningApp()
})
after(() => house.close())

test('a SIP trunk is added with its number, and its password is never shown', async () => {
  const passwordFile = join(house.dir, 'password')
  await writeFile(passwordFile, 's3cret\n')
  const added = await house.run(
    ...['trunk', 'add', 'acme', '--gateway', 'sip.example.com', 'tls:backup.example.com', '--channels', '30'],
    ...['--username', 'trunk1', '--password-file', passwordFile, '--no-plus', '--prefix', '00'],
    ...['--caller-id', '+12025550111', '--agent', 'ann'],
  )
  assert.equal(added.failure, null)
  assert.match(added.out, /^Trunk \d+: acme, sip\.example\.com, tls:backup\.example\.com\nPhone number \d+ /)
  const { out } = await house.run('trunk', 'list', '-o', 'json')
  const { kind, maxConcurrentCalls, settings } = JSON.parse(out.split('\n').at(-1)!)
  assert.deepEqual([kind, maxConcurrentCalls], ['sip', 30])
  assert.deepEqual(settings, {
    gateways: ['sip.example.com', 'tls:backup.example.com'],
    number: { plus: false, prefix: '00', strip: '' },
    srtp: false,
    username: 'trunk1',
    password: '[hidden]',
  })
  const trunk = (await house.app.deps.store.findTrunk(house.app.workspaceId, '2'))!
  assert.equal(trunk.settings.password, 's3cret')
})

test('trunks are listed with where they lead', async () => {
  const { out } = await house.run('trunk', 'list')
  assert.match(out, /simulated {2}no limit {2}no limit {2}.*simulated telephones/)
})

test('what the carrier could not read is refused in one sentence', async () => {
  for (const [args, reason, sentence] of [
    [['--gateway', 'ftp://x y'], 'refused', /gateways must be like sip\.example\.com/],
    [['--gateway', 'sip.example.com', '--username', 'me'], 'usage', /--username goes with --password-file/],
    [['--gateway', 'sip.example.com', '--agent', 'ann'], 'usage', /--agent goes with --caller-id/],
  ] as const) {
    const ran = await house.run('trunk', 'add', 'odd', ...args)
    assert.equal(reasonOf(ran), reason)
    assert.match(ran.failure?.message ?? '', sentence)
  }
})

test('a trunk that was not used says so, and one whose breaker is open says until when and why', async () => {
  const { store } = house.app.deps
  const { out } = await house.run('trunk', 'list')
  assert.match(out, /acme +sip\.example\.com, tls:backup\.example\.com +not used yet$/m)
  await store.setTrunkBreaker(2, Date.now() + 60_000, 'sip 403 Forbidden', Date.now())
  assert.match((await house.run('trunk', 'list')).out, /rests until \S+Z: sip 403 Forbidden$/m)
  await store.setTrunkBreaker(2, null, null, Date.now())
})

test('a test call rings nobody before a person said yes', async () => {
  const args = ['doctor', 'trunk', 'ACME', '--to', '+12025550163', '--url', house.app.url, '--key', apiKey]
  const alone = await run(args)
  assert.equal(reasonOf(alone), 'usage')
  assert.match(alone.failure?.message ?? '', /say --yes where nobody can be asked/)
  const refused = await run(args, false)
  assert.equal(reasonOf(refused), 'interrupted')
  assert.match(refused.err, /^Ring \+12025550163 over acme now\? It must be a number of yours\. \[y\/N\] $/m)
  const { store } = house.app.deps
  await store.suppress(house.app.workspaceId, ['+12025550163'], 'test', Date.now())
  const agreed = await run(args, true)
  assert.match(
    agreed.failure?.message ?? '',
    /on the suppression list: it is never rung, not even for a test/,
  )
})

test('a trunk that is not there, and one that is only simulated, are not tested', async () => {
  const missing = await house.run('doctor', 'trunk', 'nobody')
  assert.match(missing.failure?.message ?? '', /There is no trunk nobody: `outdial trunk list` names them/)
  const simulated = await house.run('doctor', 'trunk', 'simulated')
  assert.match(simulated.failure?.message ?? '', /simulated telephones: there is nothing to test/)
})

test('a trunk is changed in what is named, and keeps its password', async () => {
  const { store } = house.app.deps
  const changed = await house.run(
    ...['trunk', 'set', 'acme', '--gateway', 'tls:new.example.com', '--strip', '1', '--channels', '12'],
    ...['--no-tls-verify', '--trace', '--codecs', 'PCMA', '--name', 'Acme Two'],
  )
  assert.equal(changed.failure, null)
  assert.equal(changed.out, 'Trunk 2: Acme Two, tls:new.example.com')
  const trunk = (await store.findTrunk(house.app.workspaceId, '2'))!
  assert.deepEqual([trunk.name, trunk.maxConcurrentCalls], ['Acme Two', 12])
  assert.deepEqual(trunk.settings, {
    gateways: ['tls:new.example.com'],
    number: { plus: false, prefix: '00', strip: '1' },
    srtp: false,
    username: 'trunk1',
    password: 's3cret',
    tlsVerify: false,
    trace: true,
    codecs: ['PCMA'],
  })
  const passwordFile = join(house.dir, 'password')
  await writeFile(passwordFile, 'better\n')
  await house.run('trunk', 'set', '2', '--password-file', passwordFile, '--no-trace')
  const { settings } = (await store.findTrunk(house.app.workspaceId, '2'))!
  assert.deepEqual([settings.password, settings.username, settings.trace], ['better', 'trunk1', false])
})

test('a change that says nothing, or that the carrier could not read, changes nothing', async () => {
  assert.equal(reasonOf(await house.run('trunk', 'set', '2')), 'usage')
  const wrong = await house.run('trunk', 'set', '2', '--codecs', 'G729')
  assert.equal(reasonOf(wrong), 'refused')
  assert.match(wrong.failure?.message ?? '', /codecs/)
  const trunk = await house.app.deps.store.findTrunk(house.app.workspaceId, '2')
  assert.deepEqual(trunk?.settings.codecs, ['PCMA'])
})

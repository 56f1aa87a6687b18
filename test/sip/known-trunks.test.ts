// Settings of trunks as the carrier knows them: the same object while they say the same, so that nothing is done twice.
import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import { KnownTrunks } from '../../src/carrier/sip/known-trunks.ts'
import { createLogger } from '../../src/runtime/logger.ts'

test('a trunk that is read anew and says the same is the same; one that changed is not', () => {
  let log = ''
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      log += chunk.toString('utf8')
      done()
    },
  })
  const known = new KnownTrunks(createLogger({ level: 'warn', destination }))
  const settings = () => ({ address: 'tls:sip.example', tlsVerify: false })
  const first = known.read({ id: 1, settings: settings() })
  assert.equal(known.read({ id: 1, settings: settings() }), first)
  assert.notEqual(known.read({ id: 2, settings: settings() }), first)
  assert.equal(log.match(/not checked/g)?.length, 2, 'once for each of the two trunks')
  const changed = known.read({ id: 1, settings: { ...settings(), address: 'tls:other.example' } })
  assert.ok('settings' in changed && changed.settings.gateways[0]?.host === 'other.example')
})

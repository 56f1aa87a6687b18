// The certificate files of SIP over TLS: what is read, and what is said of a wrong one before anything is opened.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readClientConfig, readConfig } from '../../src/config.ts'
import { peerTest, tempFolder } from '../sip/peers.ts'

function makePair(folder: string, name: string): { cert: string; key: string } {
  const [key, cert] = [join(folder, `${name}.key`), join(folder, `${name}.crt`)]
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  const files = ['-keyout', key, '-out', cert, '-subj', `/CN=${name}`]
  execFileSync('openssl', ['req', '-x509', ...curve, ...files], { stdio: 'ignore' })
  return { cert, key }
}

peerTest('authority, certificate and key are read from their files', ['openssl'], async t => {
  const folder = tempFolder(t)
  const [carrier, ours] = [makePair(folder, 'carrier'), makePair(folder, 'ours')]
  const { tls } = readConfig({
    OUTDIAL_SIP_TLS_CA: carrier.cert,
    OUTDIAL_SIP_TLS_CERT: ours.cert,
    OUTDIAL_SIP_TLS_KEY: ours.key,
  }).calls
  const text = (path: string) => readFileSync(path, 'utf8')
  assert.deepEqual(tls, {
    ca: text(carrier.cert),
    certificate: { cert: text(ours.cert), key: text(ours.key) },
  })
})

peerTest('a file that is wrong is named with its variable and what is wrong', ['openssl'], async t => {
  const folder = tempFolder(t)
  const [ours, others] = [makePair(folder, 'ours'), makePair(folder, 'others')]
  const missing = join(folder, 'missing.pem')
  const prose = join(folder, 'prose.pem')
  writeFileSync(prose, 'no certificate')
  const [ca, cert, key] = ['OUTDIAL_SIP_TLS_CA', 'OUTDIAL_SIP_TLS_CERT', 'OUTDIAL_SIP_TLS_KEY'] as const
  for (const [environment, sentence] of [
    [{ [ca]: missing }, /OUTDIAL_SIP_TLS_CA: the file \S+missing\.pem cannot be read: ENOENT/],
    [{ [ca]: prose }, /OUTDIAL_SIP_TLS_CA: the file \S+prose\.pem holds no certificate in PEM form/],
    [{ [cert]: ours.cert }, /OUTDIAL_SIP_TLS_KEY: must be set together with OUTDIAL_SIP_TLS_CERT/],
    [{ [key]: ours.key }, /OUTDIAL_SIP_TLS_CERT: must be set together with OUTDIAL_SIP_TLS_KEY/],
    [{ [cert]: ours.cert, [key]: prose }, /OUTDIAL_SIP_TLS_KEY: .* holds no private key in PEM form/],
    [{ [cert]: ours.cert, [key]: others.key }, /OUTDIAL_SIP_TLS_KEY: .* is not that of the certificate in/],
  ] as const) {
    assert.throws(() => readConfig(environment), { name: 'ConfigError', message: sentence })
    assert.doesNotThrow(() => readClientConfig(environment), 'commands do not read the files')
  }
})

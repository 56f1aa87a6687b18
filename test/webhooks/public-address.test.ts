// Where a webhook may go: other people's addresses, whatever they are written as, and nothing of ours.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isPublicAddress } from '../../src/webhooks/public-address.ts'
import { targetProblem } from '../../src/webhooks/target-url.ts'

const addresses: Record<string, boolean> = {
  '8.8.8.8': true,
  '1.1.1.1': true,
  '11.0.0.1': true,
  '100.63.255.255': true,
  '100.128.0.1': true,
  '172.15.255.255': true,
  '172.32.0.1': true,
  '192.167.255.255': true,
  '198.17.255.255': true,
  '223.255.255.255': true,
  '2606:4700:4700::1111': true,
  '2a00:1450:4001:800::200e': true,
  '0.0.0.0': false,
  '0.1.2.3': false,
  '10.0.0.1': false,
  '10.255.255.255': false,
  '100.64.0.1': false,
  '100.100.100.200': false,
  '127.0.0.1': false,
  '127.255.255.254': false,
  '168.63.129.16': false,
  '169.254.169.254': false,
  '172.16.0.1': false,
  '172.31.255.255': false,
  '192.0.0.192': false,
  '192.0.2.1': false,
  '192.88.99.1': false,
  '192.168.1.1': false,
  '198.18.0.1': false,
  '198.51.100.7': false,
  '203.0.113.7': false,
  '224.0.0.1': false,
  '239.255.255.255': false,
  '240.0.0.1': false,
  '255.255.255.255': false,
  '::': false,
  '::1': false,
  '::127.0.0.1': false,
  '::ffff:127.0.0.1': false,
  '::ffff:8.8.8.8': false,
  '::ffff:a9fe:a9fe': false,
  '64:ff9b::7f00:1': false,
  '64:ff9b:1::1': false,
  '100::1': false,
  '2001::1': false,
  '2001:db8::1': false,
  '2002:7f00:1::': false,
  '3fff::1': false,
  'fc00::1': false,
  'fd00:ec2::254': false,
  'fe80::1': false,
  'fe80::1%eth0': false,
  '2606:4700::1%eth0': false,
  'fec0::1': false,
  'ff02::1': false,
  localhost: false,
  '': false,
}

test('an address is public or it is not', () => {
  for (const [address, expected] of Object.entries(addresses))
    assert.equal(isPublicAddress(address), expected, address)
  assert.ok(Object.keys(addresses).length >= 40)
})

const notPublic = /not public/
const urls: [url: string, problem: RegExp | null][] = [
  ['https://example.com/hooks?tenant=1', null],
  ['http://example.com:8080/', null],
  ['https://[2606:4700:4700::1111]/', null],
  ['https://localhost.example.com/', null],
  ['example.com/hook', /absolute/],
  ['', /absolute/],
  ['ftp://example.com/', /https/],
  ['file:///etc/passwd', /https/],
  ['gopher://example.com/', /https/],
  ['javascript:alert(1)', /https/],
  ['https://user:password@example.com/', /password/],
  ['https://user@example.com/', /password/],
  ['https://example.com/#part', /fragment/],
  [`https://example.com/${'a'.repeat(2_048)}`, /characters/],
  ['http://localhost/', notPublic],
  ['http://LOCALHOST:9000/', notPublic],
  ['http://localhost./', notPublic],
  ['http://api.localhost/', notPublic],
  ['http://127.0.0.1/', notPublic],
  ['http://127.1/', notPublic],
  ['http://0x7f.1/', notPublic],
  ['http://2130706433/', notPublic],
  ['http://017700000001/', notPublic],
  ['http://１２７.0.0.1/', notPublic],
  ['http://127.0.0.1./', notPublic],
  ['http://0/', notPublic],
  ['http://169.254.169.254/latest/meta-data/', notPublic],
  ['http://[::1]/', notPublic],
  ['http://[::ffff:127.0.0.1]/', notPublic],
  ['http://[::ffff:10.0.0.1]/', notPublic],
  ['http://[fd00:ec2::254]/', notPublic],
  ['https://192.168.0.10/hook', notPublic],
]

test('a URL is taken or refused before anything is resolved', () => {
  for (const [url, problem] of urls) {
    const said = targetProblem(url, false)
    if (problem === null) assert.equal(said, null, url)
    else assert.match(said ?? 'nothing', problem, url)
  }
})

test('where private targets are allowed the rest of the rules stands', () => {
  for (const url of ['http://127.0.0.1:9/', 'http://[::1]/', 'http://localhost/', 'http://10.1.2.3/'])
    assert.equal(targetProblem(url, true), null, url)
  assert.match(targetProblem('http://a:b@10.1.2.3/', true) ?? '', /password/)
})

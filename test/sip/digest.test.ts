// Digest answers against the examples that the RFCs print, and which challenges are taken (RFC 7616, RFC 8760, RFC 2069).
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import {
  answerChallenge,
  type Challenge,
  challengesOf,
  parseChallenge,
} from '../../src/carrier/sip/digest.ts'
import { HeaderList } from '../../src/carrier/sip/header-list.ts'

const challenge: Challenge = {
  answerIn: 'authorization',
  realm: 'http-auth@example.org',
  nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v',
  opaque: 'FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS',
  algorithm: 'MD5',
  isSession: false,
  qop: 'auth',
  stale: false,
}

const wanted = {
  method: 'GET',
  uri: '/dir/index.html',
  credentials: { username: 'Mufasa', password: 'Circle of Life' },
  nonceCount: 1,
  cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
}

const responseIn = (answer: string) => /response="([^"]*)"/.exec(answer)?.[1]

test('the MD5 and SHA-256 examples of RFC 7616 §3.9.1 come out as printed', () => {
  assert.equal(responseIn(answerChallenge(challenge, wanted)), '8ca523f5e9506fed4657c9700eebdbec')
  assert.equal(
    responseIn(answerChallenge({ ...challenge, algorithm: 'SHA-256' }, wanted)),
    '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1',
  )
})

test('without qop the answer is that of RFC 2069', () => {
  const answer = answerChallenge({ ...challenge, qop: null }, wanted)
  const md5 = (text: string) => createHash('md5').update(text).digest('hex')
  const secret = md5('Mufasa:http-auth@example.org:Circle of Life')
  assert.equal(responseIn(answer), md5(`${secret}:${challenge.nonce}:${md5('GET:/dir/index.html')}`))
  assert.doesNotMatch(answer, /nc=|cnonce=|qop=/)
})

test('a session variant hashes nonce and cnonce into the secret', () => {
  const answer = answerChallenge({ ...challenge, isSession: true }, wanted)
  assert.match(answer, /algorithm=MD5-sess/)
  assert.notEqual(responseIn(answer), '8ca523f5e9506fed4657c9700eebdbec')
})

test('a challenge is read whatever the order, case and quoting of its parts', () => {
  assert.deepEqual(
    parseChallenge(
      'digest  STALE=True , nonce="n,\\"1", qop="auth-int, auth",Realm="a \\"b\\"",algorithm=sha-256-sess',
      'proxy-authorization',
    ),
    {
      answerIn: 'proxy-authorization',
      realm: 'a "b"',
      nonce: 'n,"1',
      opaque: null,
      algorithm: 'SHA-256',
      isSession: true,
      qop: 'auth',
      stale: true,
    },
  )
})

test('a challenge that we cannot answer is none', () => {
  for (const line of [
    'Basic realm="x"',
    'Digest realm="x"',
    'Digest realm="x", nonce="y", algorithm=SHA-512-256',
    'Digest realm="x", nonce="y", qop="auth-int"',
    '',
  ])
    assert.equal(parseChallenge(line, 'authorization'), null, line)
})

test('of two algorithms for one realm SHA-256 is taken, and each realm is answered', () => {
  const headers = new HeaderList()
    .add('www-authenticate', 'Digest realm="a", nonce="1", algorithm=MD5')
    .add('www-authenticate', 'Digest realm="a", nonce="2", algorithm=SHA-256')
    .add('www-authenticate', 'Digest realm="a", nonce="3", algorithm=MD5')
    .add('proxy-authenticate', 'Digest realm="b", nonce="4"')
  const found = challengesOf({ kind: 'response', status: 401, phrase: '', headers, body: '' })
  assert.deepEqual(
    found.map(({ nonce, answerIn }) => [nonce, answerIn]),
    [
      ['2', 'authorization'],
      ['4', 'proxy-authorization'],
    ],
  )
})

test('quotes in a user name cannot end its value', () => {
  const answer = answerChallenge(challenge, {
    ...wanted,
    credentials: { username: 'a", realm="b', password: 'x' },
  })
  assert.match(answer, /^Digest username="a\\", realm=\\"b", realm="http-auth@example\.org"/)
})

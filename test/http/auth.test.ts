// Who may ask, and with what.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeDialect } from './fake-dialect.ts'
import { runServer } from './running-server.ts'

test('the scheme of a bearer key may be written in any case', async t => {
  const server = await runServer(t)
  for (const scheme of ['Bearer', 'bearer', 'BEARER', 'bEaReR']) {
    const answer = await server.send('GET', '/api/v1/workspace', {
      key: null,
      headers: { authorization: `${scheme} ${server.key}` },
    })
    assert.equal(answer.statusCode, 200, scheme)
  }
})

test('a key under another scheme, in parts, or empty is refused', async t => {
  const server = await runServer(t)
  const headers = [
    `Basic ${server.key}`,
    server.key,
    'Bearer',
    'Bearer ',
    `Bearer ${server.key} x`,
    `Bearer ${server.key}x`,
  ]
  for (const authorization of headers) {
    const answer = await server.send('GET', '/api/v1/workspace', { key: null, headers: { authorization } })
    assert.equal(answer.statusCode, 401, authorization)
  }
})

test('x-api-key is taken only where the dialect takes it', async t => {
  const dialect = fakeDialect()
  const headers = (key: string) => ({ key: null, headers: { 'x-api-key': key } })
  const refusing = await runServer(t, { dialects: [dialect] })
  assert.equal((await refusing.send('GET', '/fake/things/1', headers(refusing.key))).statusCode, 401)
  const taking = await runServer(t, { dialects: [{ ...dialect, acceptsApiKeyHeader: true }] })
  assert.equal((await taking.send('GET', '/fake/things/1', headers(taking.key))).statusCode, 200)
})

test('a key opens its own workspace', async t => {
  const server = await runServer(t)
  const mine = await server.send('GET', '/api/v1/workspace')
  assert.equal(mine.json().name, 'demo')
  const other = await server.send('GET', '/api/v1/workspace', { key: await server.otherKey() })
  assert.equal(other.json().name, 'other')
})

test('health and the description of the API need no key', async t => {
  const server = await runServer(t)
  for (const path of ['/healthz', '/readyz', '/metrics', '/api/openapi.json'])
    assert.equal((await server.send('GET', path, { key: null })).statusCode, 200, path)
})

// Whatever goes wrong beneath a dialect's prefix is told in that dialect's shape.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeDialect } from './fake-dialect.ts'
import { runServer, type Sent } from './running-server.ts'

const json = { 'content-type': 'application/json' }

const cases: [sentence: string, method: string, path: string, sent: Sent, status: number, code: string][] = [
  ['no key', 'GET', '/things/1', { key: null }, 401, 'missing_api_key'],
  ['a wrong key', 'GET', '/things/1', { key: 'od_wrong' }, 401, 'invalid_api_key'],
  ['an unknown route', 'GET', '/nothing', {}, 404, 'unknown_route'],
  ['an unknown route without a key', 'GET', '/nothing', { key: null }, 404, 'unknown_route'],
  ['another method', 'PUT', '/things/1', {}, 405, 'method_not_allowed'],
  ['broken JSON', 'POST', '/things/1', { payload: '{"a":', headers: json }, 400, 'malformed_json'],
  [
    'a poisoned prototype',
    'POST',
    '/things/1',
    { payload: '{"__proto__":1}', headers: json },
    400,
    'malformed_json',
  ],
  [
    'a foreign content type',
    'POST',
    '/things/1',
    { payload: 'a', headers: { 'content-type': 'text/csv' } },
    415,
    'unsupported_media_type',
  ],
  [
    'a URL-encoded form',
    'POST',
    '/things/1',
    { payload: 'a=1', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
    415,
    'unsupported_media_type',
  ],
  [
    'a body above the limit',
    'POST',
    '/things/1',
    { payload: `"${'x'.repeat(10_000_001)}"`, headers: json },
    413,
    'body_too_large',
  ],
  ['a field out of range', 'GET', '/typed?limit=9', {}, 400, 'invalid_request'],
  ['a refusal of the use case', 'GET', '/conflict', {}, 409, 'wrong_status'],
  ['a defect of ours', 'GET', '/defect', {}, 500, 'internal_error'],
  ['a path that cannot be decoded', 'GET', '/%zz', {}, 400, 'malformed_request'],
]

for (const [sentence, method, path, sent, status, code] of cases)
  test(`${sentence} is answered with ${status} ${code} in the dialect's shape`, async t => {
    const server = await runServer(t, { dialects: [fakeDialect()] })
    const answer = await server.send(method, `/fake${path}`, sent)
    assert.equal(answer.statusCode, status, answer.body)
    assert.equal(answer.json().fake, code)
    assert.match(answer.headers['content-type'] as string, /^application\/json/)
  })

test('a 401 names the scheme and a 405 lists the methods', async t => {
  const server = await runServer(t, { dialects: [fakeDialect()] })
  const unauthorized = await server.send('GET', '/fake/things/1', { key: null })
  assert.equal(unauthorized.headers['www-authenticate'], 'Bearer')
  const wrongMethod = await server.send('DELETE', '/fake/things/1')
  assert.equal(wrongMethod.headers.allow, 'GET, HEAD, POST')
})

test('a defect of ours tells the client nothing of its inside', async t => {
  const server = await runServer(t, { dialects: [fakeDialect()] })
  const answer = await server.send('GET', '/fake/defect')
  assert.doesNotMatch(answer.body, /SELECT|secret|stack/i)
})

test('our own API answers with problem details that name the fields', async t => {
  const server = await runServer(t)
  const answer = await server.send('POST', '/api/v1/agents', { payload: { maxConcurrentCalls: 0 } })
  assert.equal(answer.statusCode, 400)
  assert.equal(answer.headers['content-type'], 'application/problem+json; charset=utf-8')
  const problem = answer.json()
  assert.equal(problem.type, 'about:blank')
  assert.equal(problem.title, 'Bad Request')
  assert.equal(problem.status, 400)
  assert.equal(problem.code, 'invalid_request')
  assert.deepEqual(
    problem.errors.map(({ field }: { field: string }) => field),
    ['name', 'maxConcurrentCalls'],
  )
  assert.equal(problem.errors[0].message, 'is required')
})

test('paths that no dialect owns are answered by our own API', async t => {
  const server = await runServer(t, { dialects: [fakeDialect()] })
  for (const path of ['/', '/nothing', '/fakes', '/api/v2/agents']) {
    const answer = await server.send('GET', path)
    assert.equal(answer.statusCode, 404)
    assert.equal(answer.json().code, 'unknown_route')
  }
})

test('a root dialect answers at the root in its own shape, beside health and our own API', async t => {
  const server = await runServer(t, { dialects: [fakeDialect()], rootDialect: 'formant' })
  assert.equal((await server.send('GET', '/things/1')).statusCode, 200)
  assert.equal((await server.send('GET', '/fake/things/1')).statusCode, 200)
  assert.equal((await server.send('GET', '/nothing')).json().fake, 'unknown_route')
  assert.equal((await server.send('PATCH', '/things/1')).statusCode, 405)
  assert.equal((await server.send('GET', '/healthz')).statusCode, 200)
  assert.equal((await server.send('GET', '/api/v1/nothing')).json().code, 'unknown_route')
})

test('a GET with a JSON body is read as a GET', async t => {
  const server = await runServer(t, { dialects: [fakeDialect()] })
  const answer = await server.send('GET', '/fake/things/1', { payload: '{}', headers: json })
  assert.deepEqual(answer.json(), { workspace: server.workspace.id })
})

test('a POST that names a content type and sends nothing has no body', async t => {
  const server = await runServer(t, { dialects: [fakeDialect()] })
  for (const type of ['application/json', 'application/x-www-form-urlencoded']) {
    const answer = await server.send('POST', '/fake/things/1', {
      payload: '',
      headers: { 'content-type': type },
    })
    assert.deepEqual(answer.json(), { body: null })
  }
})

test("a request carries the client's id where it is harmless, else one of ours", async t => {
  const server = await runServer(t)
  const kept = await server.send('GET', '/healthz', { headers: { 'x-request-id': 'abc-1.2' } })
  assert.equal(kept.headers['x-request-id'], 'abc-1.2')
  const replaced = await server.send('GET', '/healthz', { headers: { 'x-request-id': 'a b' } })
  assert.match(replaced.headers['x-request-id'] as string, /^[0-9a-f-]{36}$/)
})

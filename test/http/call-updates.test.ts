// Twilio's hang-up route over HTTP: its path, its form, and its own shape for everything that can go wrong.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CallUpdateRequest } from '../../src/http/call-updates.ts'
import { runServer } from './running-server.ts'

const path = '/2010-04-01/Accounts/AC1/Calls/CA1.json'
const form = { 'content-type': 'application/x-www-form-urlencoded' }
const authorization = 'Basic QUMxOnNlY3JldA=='

test('the form, the ids of the path and the key are handed on, and the answer comes back as it is', async t => {
  const seen: CallUpdateRequest[] = []
  const server = await runServer(t, {
    updateCall(request) {
      seen.push(request)
      return { status: 200, body: { sid: request.callSid, status: 'completed' } }
    },
  })
  const answer = await server.send('POST', path, {
    payload: 'Status=completed&Reason=a%20b',
    headers: { ...form, authorization },
  })
  assert.deepEqual([answer.statusCode, answer.json()], [200, { sid: 'CA1', status: 'completed' }])
  const fields = { Status: 'completed', Reason: 'a b' }
  assert.deepEqual(seen, [{ accountSid: 'AC1', callSid: 'CA1', authorization, fields }])
})

test('what is wrong has a code, a message and a status, and a 401 names its scheme', async t => {
  const refused = { code: 20003, message: 'Authentication Error', status: 401 }
  const server = await runServer(t, { updateCall: () => ({ status: 401, body: refused }) })
  const denied = await server.send('POST', path, { payload: '', headers: form, key: null })
  assert.deepEqual(
    [denied.statusCode, denied.json(), denied.headers['www-authenticate']],
    [401, refused, 'Basic realm="Outdial"'],
  )
  for (const [method, url, payload, headers, status, code] of [
    ['GET', path, undefined, {}, 404, 20404],
    ['POST', '/2010-04-01/Accounts/AC1/Calls.json', 'To=x', form, 404, 20404],
    ['POST', path, `Status=${'x'.repeat(20_000)}`, form, 413, 20001],
    ['POST', path, '<x/>', { 'content-type': 'text/xml' }, 415, 20001],
  ] as const) {
    const answer = await server.send(method, url, { headers, ...(payload !== undefined && { payload }) })
    assert.deepEqual([answer.statusCode, answer.json().code, answer.json().status], [status, code, status])
    assert.equal(typeof answer.json().message, 'string')
  }
})

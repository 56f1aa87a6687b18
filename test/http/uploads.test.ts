// Files on their way in: counted, hashed, bounded, and gone when their request is over.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { watch } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import { test } from 'node:test'
import { fakeDialect, maxFakeFileBytes } from './fake-dialect.ts'
import { formWith, runServer, twoPeople } from './running-server.ts'

const run = (t: Parameters<typeof runServer>[0]) => runServer(t, { dialects: [fakeDialect()] })
const multipart = (boundary: string) => ({ 'content-type': `multipart/form-data; boundary=${boundary}` })
const part = (name: string, text: string, extra = '') =>
  `--b\r\nContent-Disposition: form-data; name="${name}"${extra}\r\n\r\n${text}\r\n`

test('a file is hashed and counted, whatever the order of the fields around it', async t => {
  const server = await run(t)
  const form = new FormData()
  form.append('before', '1')
  form.append('file', new Blob([twoPeople]), 'people.csv')
  form.append('after', '2')
  const answer = await server.send('POST', '/fake/upload', { payload: form })
  assert.deepEqual(answer.json(), {
    fields: { before: '1', after: '2' },
    file: {
      kind: 'file',
      fileName: 'people.csv',
      bytes: twoPeople.length,
      sha256: createHash('sha256').update(twoPeople).digest('hex'),
    },
  })
  assert.deepEqual(await server.uploads(), [])
})

test('a field that is sent twice arrives as both, so that no single value is taken for it', async t => {
  const server = await run(t)
  const form = formWith({}, twoPeople)
  form.append('name', 'a')
  form.append('name', 'b')
  const answer = await server.send('POST', '/fake/upload', { payload: form })
  assert.deepEqual(answer.json().fields, { name: ['a', 'b'] })
})

test('a file of exactly the limit is taken, one byte more is refused with 413', async t => {
  const server = await run(t)
  const exact = await server.send('POST', '/fake/upload', {
    payload: formWith({}, 'x'.repeat(maxFakeFileBytes)),
  })
  assert.equal(exact.statusCode, 200)
  const above = await server.send('POST', '/fake/upload', {
    payload: formWith({}, 'x'.repeat(maxFakeFileBytes + 1)),
  })
  assert.equal(above.statusCode, 413)
  assert.equal(above.json().fake, 'file_too_large')
  assert.equal(above.json().maxBytes, maxFakeFileBytes)
  assert.deepEqual(await server.uploads(), [])
})

const refused: [sentence: string, form: () => FormData, code: string][] = [
  ['a form without a file', () => formWith({ name: 'a' }), 'missing_file'],
  ['a file name sent as text', () => formWith({ file: 'contacts.csv' }), 'file_is_text'],
  ['an empty file', () => formWith({}, ''), 'empty_file'],
  [
    'two files',
    () => {
      const form = formWith({}, twoPeople)
      form.append('file', new Blob([twoPeople]), 'again.csv')
      return form
    },
    'several_files',
  ],
  [
    'a file under another name',
    () => {
      const form = new FormData()
      form.append('list', new Blob([twoPeople]), 'contacts.csv')
      return form
    },
    'unexpected_file',
  ],
  [
    'more fields than a form has',
    () => formWith(Object.fromEntries(Array.from({ length: 150 }, (_, index) => [`f${index}`, 'x']))),
    'too_many_fields',
  ],
  ['a field without end', () => formWith({ name: 'x'.repeat(1_000_001) }, twoPeople), 'field_too_long'],
]
for (const [sentence, form, code] of refused)
  test(`${sentence} is a 400 ${code}, and nothing stays on disk`, async t => {
    const server = await run(t)
    const answer = await server.send('POST', '/fake/upload', { payload: form() })
    assert.equal(answer.statusCode, 400, answer.body)
    assert.equal(answer.json().fake, code)
    assert.deepEqual(await server.uploads(), [])
  })

test('a text where a file should be is told to send the contents', async t => {
  const server = await run(t)
  const answer = await server.send('POST', '/fake/upload', { payload: formWith({ file: 'contacts.csv' }) })
  assert.match(answer.json().sentence, /send the file's contents/)
})

const malformed: [sentence: string, headers: Record<string, string>, payload: string][] = [
  ['without a boundary', { 'content-type': 'multipart/form-data' }, part('name', 'a')],
  [
    'broken off inside the file',
    multipart('b'),
    part('file', 'phone\r\n+1', '; filename="a.csv"').slice(0, -4),
  ],
  ['broken off after a field', multipart('b'), part('name', 'a')],
  ['that is no multipart at all', multipart('b'), 'hello'],
  ['with a field named after the prototype', multipart('b'), `${part('__proto__', 'a')}--b--\r\n`],
]
for (const [sentence, headers, payload] of malformed)
  test(`a form ${sentence} is a 400`, async t => {
    const server = await run(t)
    const answer = await server.send('POST', '/fake/upload', { headers, payload })
    assert.equal(answer.statusCode, 400, answer.body)
    assert.match(answer.json().fake, /^(malformed_form|missing_file)$/)
    assert.deepEqual(await server.uploads(), [])
  })

test('a file that is far too large is answered with 413 while the client still sends', async t => {
  const server = await run(t)
  await server.app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = server.app.server.address() as AddressInfo
  const response = await fetch(`http://127.0.0.1:${port}/fake/upload`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.key}` },
    body: formWith({}, 'x'.repeat(5_000_000)),
  })
  assert.equal(response.status, 413)
})

test('an upload that breaks off leaves nothing on disk', async t => {
  const over = Promise.withResolvers<unknown>()
  const server = await runServer(t, { dialects: [fakeDialect(over.resolve)] })
  await server.app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = server.app.server.address() as AddressInfo
  const socket = connect(port, '127.0.0.1')
  const head = `POST /fake/upload HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${server.key}\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 500\r\n\r\n`
  const stop = new AbortController()
  const written = watch(server.deps.uploadDir, { signal: stop.signal })[Symbol.asyncIterator]().next()
  socket.write(head + part('file', 'phone\r\n+12025550101', '; filename="a.csv"').slice(0, -4))
  await written
  socket.destroy()
  assert.ok((await over.promise) instanceof Error)
  stop.abort()
  assert.deepEqual(await server.uploads(), [])
})

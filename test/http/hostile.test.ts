// Bad input in all four APIs: a clear error in the API's own shape, never a 500, nothing stored.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dialnexa } from '../../src/http/dialects/dialnexa/routes.ts'
import { formant } from '../../src/http/dialects/formant/routes.ts'
import { talkifai } from '../../src/http/dialects/talkifai/routes.ts'
import {
  type Api,
  apis,
  badConcurrencies,
  badFiles,
  badIds,
  badPages,
  badReferences,
  badStarts,
  badZones,
} from './hostile-input.ts'
import { addCaller, formWith, type RunningServer, runServer, type Sent } from './running-server.ts'

const run = async (t: Parameters<typeof runServer>[0]) => {
  const server = await runServer(t, { dialects: [formant, dialnexa, talkifai] })
  await addCaller(server)
  return server
}

async function assertRefused(
  server: RunningServer,
  api: Api,
  method: string,
  url: string,
  sent: Sent,
  what: string,
): Promise<void> {
  const answer = await server.send(method, url, sent)
  const about = `${api.name}, ${what}: ${answer.statusCode} ${answer.body.slice(0, 300)}`
  assert.ok(answer.statusCode >= 400 && answer.statusCode < 500, about)
  assert.ok(api.isError(answer.json(), answer.statusCode), about)
}

async function assertNothingStored({ store, workspace, uploads }: RunningServer): Promise<void> {
  const { total } = await store.listBatches(workspace.id, {}, { offset: 0, limit: 1 })
  assert.equal(total, 0, 'a batch was made')
  assert.equal(await store.sweep(0), 0, 'half an import stayed behind')
  assert.deepEqual(await uploads(), [], 'a file stayed behind')
}

const goodFile = ({ phoneColumn }: Api) => `${phoneColumn},name\n+12025550101,John\n`
const goodForm = (api: Api, fields: Record<string, string> = {}) =>
  formWith({ ...api.fields, ...fields }, goodFile(api))

for (const [what, file] of Object.entries(badFiles))
  test(`${what} is refused by every API`, async t => {
    const server = await run(t)
    await Promise.all(
      apis.map(async api => {
        const payload = formWith(api.fields, file(api.phoneColumn))
        await assertRefused(server, api, 'POST', api.create, { payload }, what)
      }),
    )
    await assertNothingStored(server)
  })

const badFields: [field: (api: Api) => string, values: readonly string[]][] = [
  [api => api.caller, badReferences],
  [api => api.start, badStarts],
  [api => api.timezone, badZones],
  [api => api.concurrency, badConcurrencies],
  [() => 'name', ['x'.repeat(201)]],
]
for (const api of apis)
  test(`fields that are wrong are refused by ${api.name}`, async t => {
    const server = await run(t)
    for (const [fieldOf, values] of badFields) {
      const field = fieldOf(api)
      if (field === '') continue
      for (const value of values) {
        const payload = goodForm(api, { [field]: value })
        await assertRefused(server, api, 'POST', api.create, { payload }, `${field}=${value.slice(0, 60)}`)
      }
    }
    await assertNothingStored(server)
  })

const json = { 'content-type': 'application/json' }
const badRequests: [what: string, sent: (api: Api) => Sent][] = [
  ['no body', () => ({})],
  ['an empty form', () => ({ payload: formWith({}) })],
  ['no file', api => ({ payload: formWith(api.fields) })],
  ['a file name for the file', api => ({ payload: formWith({ ...api.fields, file: 'contacts.csv' }) })],
  ['fields without a caller', api => ({ payload: formWith({ name: 'March' }, goodFile(api)) })],
  [
    'a file under another name',
    api => {
      const form = formWith(api.fields)
      form.append('upload', new Blob([goodFile(api)]), 'contacts.csv')
      return { payload: form }
    },
  ],
  [
    'two files',
    api => {
      const form = goodForm(api)
      form.append('file', new Blob([goodFile(api)]), 'again.csv')
      return { payload: form }
    },
  ],
  [
    'a caller sent twice',
    api => {
      const form = goodForm(api)
      form.append(api.caller, 'another')
      return { payload: form }
    },
  ],
  [
    'a thousand fields',
    api => ({
      payload: goodForm(
        api,
        Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`x${index}`, 'y'])),
      ),
    }),
  ],
  [
    'a file of 11 MB',
    api => ({ payload: formWith(api.fields, `${goodFile(api)}${'x'.repeat(11_000_000)}`) }),
  ],
  ['a form without a boundary', () => ({ payload: 'x', headers: { 'content-type': 'multipart/form-data' } })],
  [
    'a form that is broken off',
    () => ({
      payload: '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx',
      headers: { 'content-type': 'multipart/form-data; boundary=b' },
    }),
  ],
  ['plain text', () => ({ payload: 'hello', headers: { 'content-type': 'text/plain' } })],
  ['a content type that is none', () => ({ payload: 'hello', headers: { 'content-type': ';;;' } })],
  [
    'a URL-encoded form',
    api => ({
      payload: `${api.caller}=456`,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    }),
  ],
  ['broken JSON', () => ({ payload: '{"name":', headers: json })],
  ['JSON null', () => ({ payload: 'null', headers: json })],
  ['a JSON list', () => ({ payload: '[]', headers: json })],
  ['a JSON number', () => ({ payload: '7', headers: json })],
  ['JSON without end', () => ({ payload: '['.repeat(100_000), headers: json })],
  ['JSON that poisons a prototype', () => ({ payload: '{"__proto__":{"admin":true}}', headers: json })],
  ['contacts that are no list', api => ({ payload: { ...api.fields, contacts: 'everybody' } })],
  ['contacts that are nobody', api => ({ payload: { ...api.fields, contacts: [] } })],
  ['contacts that are no objects', api => ({ payload: { ...api.fields, contacts: [1, null, 'x', []] } })],
  ['contacts without a number', api => ({ payload: { ...api.fields, contacts: [{ name: 'John' }, {}] } })],
  [
    'contacts with nonsense for numbers',
    api => ({
      payload: {
        ...api.fields,
        contacts: [
          { [api.phoneColumn]: { $gt: '' } },
          { [api.phoneColumn]: [] },
          { [api.phoneColumn]: true },
        ],
      },
    }),
  ],
  ['no key', api => ({ payload: goodForm(api), key: null })],
  ['a wrong key', api => ({ payload: goodForm(api), key: 'od_0000000000000000000000000000000000' })],
  [
    'an Idempotency-Key with a space',
    api => ({ payload: goodForm(api), headers: { 'idempotency-key': 'a b' } }),
  ],
]
for (const [what, sent] of badRequests)
  test(`a create with ${what} is refused by every API`, async t => {
    const server = await run(t)
    await Promise.all(apis.map(api => assertRefused(server, api, 'POST', api.create, sent(api), what)))
    await assertNothingStored(server)
  })

for (const api of apis)
  test(`ids, pages, methods and paths that are wrong are refused by ${api.name}`, async t => {
    const server = await run(t)
    for (const id of badIds) {
      const url = id.includes('%') ? api.one(id) : api.one(encodeURIComponent(id))
      await assertRefused(server, api, 'GET', url, {}, url)
    }
    for (const query of badPages) {
      const answer = await server.send('GET', `${api.list}?${query}`)
      const about = `${api.name} ${query}: ${answer.statusCode} ${answer.body}`
      // A parameter that this API does not have is ignored.
      assert.ok(answer.statusCode === 200 || api.isError(answer.json(), answer.statusCode), about)
      assert.ok(answer.statusCode < 500, about)
    }
    for (const method of ['PUT', 'DELETE', 'OPTIONS'])
      await assertRefused(server, api, method, api.create, {}, method)
    const base = api.create.split('/').slice(0, 2).join('/')
    for (const path of [
      '/nothing',
      '/v1/nothing',
      '/%zz',
      '/v1/..%2f..%2fetc/passwd',
      `/${'x'.repeat(3_000)}`,
    ])
      await assertRefused(server, api, 'GET', base + path, {}, path)
    await assertNothingStored(server)
  })

test('the hostile tables hold at least 60 files and requests', () => {
  const fields = badFields.reduce((sum, [, values]) => sum + values.length, 0)
  const total = Object.keys(badFiles).length + badRequests.length + fields + badIds.length + badPages.length
  assert.ok(Object.keys(badFiles).length + badRequests.length >= 60, `${total} in all`)
})

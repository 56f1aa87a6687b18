// What goes wrong, in each dialect's own shape.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Store } from '../../src/store/store.ts'
import { type Answer, type House, openHouse, openWorkspace, type Sending } from './house.ts'

interface DialectUnderTest {
  name: 'formant' | 'dialnexa' | 'talkifai'
  create: string
  /** A good create's form; each call makes another file. */
  form(): NonNullable<Sending['form']>
  list: string
  one(id: string): string
  /** Ids of a batch that cannot be. */
  malformedIds: string[]
  unknownId: string
  /** Asserts the whole body of an error. */
  shape(answer: Answer, words: { message: RegExp; code: string }): void
}

const tenMegabytes = 10 * 1024 * 1024
let row = 0
const nextNumber = () => `+1202555${String(1000 + row++)}`

const formantTypes: Record<number, string> = {
  401: 'authentication_error',
  404: 'not_found',
  409: 'duplicate_request',
  500: 'internal_error',
}
const reasons: Record<number, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  413: 'Payload Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Entity',
  500: 'Internal Server Error',
}

const dialects: DialectUnderTest[] = [
  {
    name: 'formant',
    create: '/formant/v1/batch-call',
    form: () => ({ agent_id: '456', name: 'A', file: [`customer_phone\n${nextNumber()}\n`, 'a.csv'] }),
    list: '/formant/v1/batch-calls',
    one: id => `/formant/v1/batch-calls/${id}`,
    malformedIds: ['abc', '0', '-1', '1.5', '1e3', '99999999999999999999', 'batch_1', '%00', "1'--"],
    unknownId: '424242',
    shape({ status, body }, { message }) {
      assert.deepEqual(body, {
        error: { message: body.error.message, type: formantTypes[status] ?? 'invalid_request' },
      })
      assert.match(body.error.message, message)
    },
  },
  {
    name: 'dialnexa',
    create: '/dialnexa/v1/batch-calls',
    form: () => ({ agent_id: 'agt_abc123', name: 'A', file: [`phone_number\n${nextNumber()}\n`, 'a.csv'] }),
    list: '/dialnexa/v1/batch-calls',
    one: id => `/dialnexa/v1/batch-calls/${id}`,
    malformedIds: [
      '1',
      'batch_',
      'batch_abc',
      'batch_0',
      'batch_-1',
      'batch_1e3',
      'batch_99999999999999999999',
      'BATCH_1',
    ],
    unknownId: 'batch_424242',
    shape({ status, body }, { message }) {
      assert.deepEqual(body, { statusCode: status, message: body.message, error: reasons[status] })
      assert.match(body.message, message)
    },
  },
  {
    name: 'talkifai',
    create: '/talkifai/batch/create',
    form: () => ({
      fromPhoneNumberId: 'phone_abc123',
      name: 'A',
      file: [`phone\n${nextNumber()}\n`, 'a.csv'],
    }),
    list: '/talkifai/batch/jobs',
    one: id => `/talkifai/batch/jobs/${id}`,
    malformedIds: ['1', 'batch_', 'batch_xyz789', 'batch_0', 'batch_1.0', 'batch_99999999999999999999'],
    unknownId: 'batch_424242',
    shape({ body }, { message, code }) {
      assert.deepEqual(body, { detail: body.detail, code })
      assert.match(body.detail, message)
    },
  },
]

const send = (house: House, { create, form }: DialectUnderTest, headers: Record<string, string> = {}) =>
  house.call('POST', create, { form: form(), headers })

for (const dialect of dialects) {
  const { name, list, one, shape } = dialect

  test(`${name}: no key and a wrong key are 401`, async t => {
    const house = await openHouse(t)
    for (const url of [list, dialect.one(dialect.unknownId)]) {
      const without = await house.call('GET', url, { key: null })
      assert.equal(without.status, 401)
      assert.equal(without.headers['www-authenticate'], 'Bearer')
      shape(without, { message: /API key/, code: 'missing_api_key' })
      const wrong = await house.call('GET', url, { key: 'od_not-a-key-of-ours-at-all' })
      assert.equal(wrong.status, 401)
      shape(wrong, { message: /API key/, code: 'invalid_api_key' })
    }
    const created = await house.call('POST', dialect.create, { form: dialect.form(), key: null })
    assert.equal(created.status, 401)
    const byHeader = await house.call('GET', list, { key: null, headers: { 'x-api-key': house.key } })
    assert.equal(byHeader.status, name === 'talkifai' ? 200 : 401)
  })

  test(`${name}: an unknown address is 404`, async t => {
    const house = await openHouse(t)
    const answer = await house.call('GET', `/${name}/v1/nothing-here`)
    assert.equal(answer.status, 404)
    shape(answer, { message: /nothing at this address/, code: 'unknown_route' })
  })

  test(`${name}: an unknown or malformed batch id is 404, as is a batch of another workspace`, async t => {
    const house = await openHouse(t)
    assert.ok((await send(house, dialect)).status < 300)
    const own = await house.call('GET', list)
    const [batch] = own.body.data ?? own.body.batchJobs
    assert.equal((await house.call('GET', one(batch.id))).status, 200)
    const { key } = await openWorkspace(house.deps)
    const foreign = await house.call('GET', one(batch.id), { key })
    assert.equal(foreign.status, 404)
    for (const id of [dialect.unknownId, ...dialect.malformedIds]) {
      const answer = await house.call('GET', one(id))
      assert.equal(answer.status, 404, id)
      shape(answer, { message: /not found|nothing at this address/, code: 'batch_not_found' })
    }
  })

  test(`${name}: another method at a known address is 405 and says which are allowed`, async t => {
    const house = await openHouse(t)
    for (const [method, url, allowed] of [
      ['PUT', dialect.create, 'POST'],
      ['DELETE', list, 'GET'],
    ] as const) {
      const answer = await house.call(method, url)
      assert.equal(answer.status, 405)
      assert.match(String(answer.headers.allow), new RegExp(allowed))
      shape(answer, { message: new RegExp(allowed), code: 'method_not_allowed' })
    }
  })

  test(`${name}: a file above 10 MB is 413`, async t => {
    const house = await openHouse(t)
    const file: [Uint8Array<ArrayBuffer>, string] = [new Uint8Array(tenMegabytes + 1).fill(65), 'large.csv']
    const answer = await house.call('POST', dialect.create, { form: { ...dialect.form(), file } })
    assert.equal(answer.status, 413)
    shape(answer, { message: /10 MB/, code: 'file_too_large' })
  })

  test(`${name}: a body of another type is 415`, async t => {
    const house = await openHouse(t)
    for (const type of ['text/plain', 'application/xml', 'application/x-www-form-urlencoded']) {
      const answer = await house.call('POST', dialect.create, {
        text: 'name=A',
        headers: { 'content-type': type },
      })
      assert.equal(answer.status, 415, type)
      shape(answer, { message: /multipart\/form-data/, code: 'unsupported_media_type' })
    }
  })

  test(`${name}: a create sent again under its Idempotency-Key is answered again, with another body it is 422`, async t => {
    const house = await openHouse(t)
    const form = dialect.form()
    const headers = { 'idempotency-key': 'march-1' }
    const first = await house.call('POST', dialect.create, { form, headers })
    assert.ok(first.status === 200 || first.status === 201)
    const again = await house.call('POST', dialect.create, { form, headers })
    assert.deepEqual([again.status, again.body], [first.status, first.body])
    assert.equal(again.headers['idempotency-replayed'], 'true')
    const other = await send(house, dialect, headers)
    assert.equal(other.status, 422)
    shape(other, { message: /Idempotency-Key/, code: 'idempotency_key_reused' })
    const { body } = await house.call('GET', list)
    assert.equal(body.total ?? body.meta.total, 1)
  })

  test(`${name}: a create whose Idempotency-Key is at work is 409`, async t => {
    const house = await openHouse(t)
    const headers = { 'idempotency-key': 'at-once' }
    const form = dialect.form()
    const answers = await Promise.all([1, 2].map(() => house.call('POST', dialect.create, { form, headers })))
    const refused = answers.find(({ status }) => status === 409)
    assert.ok(refused, JSON.stringify(answers.map(({ status }) => status)))
    shape(refused, { message: /Idempotency-Key/, code: 'idempotency_in_flight' })
  })

  test(`${name}: a defect of ours is a 500 that says nothing of its inside`, async t => {
    const wrapStore = (store: Store): Store => ({
      ...store,
      listBatches: () => Promise.reject(new Error('SELECT secret FROM inside')),
    })
    const house = await openHouse(t, { wrapStore })
    const answer = await house.call('GET', list)
    assert.equal(answer.status, 500)
    shape(answer, { message: /went wrong/, code: 'internal_error' })
    assert.doesNotMatch(JSON.stringify(answer.body), /SELECT|secret|inside/)
  })

  test(`${name}: at the root its shape answers for every unknown address`, async t => {
    const house = await openHouse(t, { rootDialect: name })
    const answer = await house.call('GET', list.slice(name.length + 1))
    assert.equal(answer.status, 200)
    const unknown = await house.call('GET', '/nothing-here')
    assert.equal(unknown.status, 404)
    shape(unknown, { message: /nothing at this address/, code: 'unknown_route' })
  })

  test(`${name}: a form without a file, with an empty one, with two and with text in its place is 400`, async t => {
    const house = await openHouse(t)
    const { file: _file, ...fields } = dialect.form()
    const cases: [NonNullable<Sending['form']>, RegExp][] = [
      [fields, /no file/],
      [{ ...fields, file: ['', 'empty.csv'] }, /empty/],
      [{ ...fields, file: 'contacts.csv' }, /holds text, not a file/],
      [{ ...fields, list: ['phone\n', 'list.csv'] }, /the field `file`/],
    ]
    for (const [form, message] of cases) {
      const answer = await house.call('POST', dialect.create, { form })
      assert.equal(answer.status, 400)
      shape(answer, { message, code: 'invalid_csv' })
    }
  })
}

// TalkifAI's create: every error that the vendor documents, and every range.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addAgent, addPhoneNumber, type House, openHouse } from './house.ts'

const create = '/talkifai/batch/create'
const people = 'phone,name,renewalDate\n+12025550101,John Smith,Feb 1\n+12025550102,Jane Doe,Feb 5\n'
const contacts = [
  { phone: '+12025550101', name: 'John Smith', renewalDate: 'Feb 1' },
  { phone: '+12025550102', name: 'Jane Doe', visits: 3, tags: ['a'] },
]

const sendForm = (house: House, fields: Record<string, string> = {}, csv = people) =>
  house.call('POST', create, {
    form: { fromPhoneNumberId: 'phone_abc123', name: 'January', ...fields, file: [csv, 'contacts.csv'] },
  })
const sendJson = (house: House, fields: Record<string, unknown> = {}) =>
  house.call('POST', create, {
    json: { fromPhoneNumberId: 'phone_abc123', name: 'January', contacts, ...fields },
  })

interface Refused {
  what: string
  send(house: House): ReturnType<House['call']>
  status: number
  code: string
  detail: string | RegExp
}

const future = '2101-01-01T00:00:00'
const refusals: Refused[] = [
  {
    what: 'a file that is none',
    send: house => sendForm(house, {}, 'a\0b\0\0\0\x01\x02'),
    status: 400,
    code: 'invalid_csv',
    detail: /./,
  },
  {
    what: 'an unclosed quote',
    send: house => sendForm(house, {}, 'phone,name\n+12025550101,"A\n+12025550102,B\n'),
    status: 400,
    code: 'invalid_csv',
    detail: /row 2|quote/i,
  },
  {
    what: 'no phone column',
    send: house => sendForm(house, {}, 'name,email\nA,a@example.com\n'),
    status: 400,
    code: 'missing_phone_column',
    detail: "CSV must have 'phone' column. Found columns: ['name', 'email']",
  },
  {
    what: 'no good row',
    send: house => sendForm(house, {}, 'phone\nhello\n'),
    status: 400,
    code: 'no_valid_contacts',
    detail: /no contact/,
  },
  {
    what: 'no contacts at all',
    send: house => sendJson(house, { contacts: [] }),
    status: 400,
    code: 'no_valid_contacts',
    detail: /empty/,
  },
  {
    what: 'more than 10,000 rows',
    send: house => sendForm(house, {}, `phone\n${'+12025550101\n'.repeat(10_001)}`),
    status: 400,
    code: 'too_many_contacts',
    detail: /10[,.]?000/,
  },
  {
    what: 'more than 10,000 contacts',
    send: house => sendJson(house, { contacts: Array(10_001).fill(contacts[0]) }),
    status: 400,
    code: 'too_many_contacts',
    detail: /10[,.]?000/,
  },
  {
    what: 'an unknown zone',
    send: house => sendJson(house, { scheduledStartTime: future, timezone: 'Invalid/Zone' }),
    status: 400,
    code: 'invalid_timezone',
    detail: "Invalid timezone 'Invalid/Zone'",
  },
  {
    what: 'an unknown zone without a start',
    send: house => sendForm(house, { timezone: 'Invalid/Zone' }),
    status: 400,
    code: 'invalid_timezone',
    detail: "Invalid timezone 'Invalid/Zone'",
  },
  {
    what: 'a start that has passed',
    send: house => sendJson(house, { scheduledStartTime: '2025-02-28T09:00:00' }),
    status: 400,
    code: 'past_scheduled_time',
    detail: 'Scheduled time must be in the future',
  },
  {
    what: 'a start that is no time',
    send: house => sendForm(house, { scheduledStartTime: 'later' }),
    status: 400,
    code: 'invalid_scheduled_time',
    detail: /scheduledStartTime/,
  },
  {
    what: 'a JSON contact that is not E.164',
    send: house => sendJson(house, { contacts: [contacts[0], { phone: '2025550102' }] }),
    status: 400,
    code: 'invalid_phone_format',
    detail: "Contact 1: phone number '2025550102' is not in E.164 format, such as +12025550101",
  },
  {
    what: 'an unknown phone number',
    send: house => sendJson(house, { fromPhoneNumberId: 'phone_nope' }),
    status: 404,
    code: 'phone_number_not_found',
    detail: 'Phone number phone_nope not found',
  },
  {
    what: 'contacts that are no list',
    send: house => sendJson(house, { contacts: 'x' }),
    status: 400,
    code: 'invalid_request',
    detail: /contacts/,
  },
  {
    what: 'a body that is no object',
    send: house =>
      house.call('POST', create, { text: '[]', headers: { 'content-type': 'application/json' } }),
    status: 400,
    code: 'invalid_request',
    detail: /./,
  },
  {
    what: 'broken JSON',
    send: house =>
      house.call('POST', create, { text: '{"name":', headers: { 'content-type': 'application/json' } }),
    status: 400,
    code: 'malformed_json',
    detail: /JSON/,
  },
  {
    what: 'more than 10 MB of JSON',
    send: house => sendJson(house, { padding: 'x'.repeat(10_000_000) }),
    status: 413,
    code: 'body_too_large',
    detail: /too large/,
  },
  {
    what: 'nothing at all',
    send: house => house.call('POST', create),
    status: 400,
    code: 'invalid_request',
    detail: /JSON object/,
  },
  ...['', '  ', 'x'.repeat(201)].flatMap(name =>
    [sendForm, sendJson].map(
      (send): Refused => ({
        what: `a name of ${name.length} characters`,
        send: house => send(house, { name }),
        status: 400,
        code: 'invalid_request',
        detail: /`name`/,
      }),
    ),
  ),
  {
    what: 'a description of 1,001 characters',
    send: house => sendJson(house, { description: 'x'.repeat(1_001) }),
    status: 400,
    code: 'invalid_request',
    detail: /`description`/,
  },
  ...['0', '51', 'five', '2.5'].flatMap((value): Refused[] => [
    {
      what: `concurrentCallLimit ${value}`,
      send: house => sendForm(house, { concurrentCallLimit: value }),
      status: 400,
      code: 'invalid_request',
      detail: /`concurrentCallLimit`.*1 to 50/,
    },
  ]),
  ...[0, 51, '5', 2.5, true].map(
    (value): Refused => ({
      what: `concurrentCallLimit ${JSON.stringify(value)} in JSON`,
      send: house => sendJson(house, { concurrentCallLimit: value }),
      status: 400,
      code: 'invalid_request',
      detail: /`concurrentCallLimit`/,
    }),
  ),
  ...['0', '11'].map(
    (value): Refused => ({
      what: `maxAttempts ${value}`,
      send: house => sendForm(house, { maxAttempts: value }),
      status: 400,
      code: 'invalid_request',
      detail: /`maxAttempts`.*1 to 10/,
    }),
  ),
  ...['fromPhoneNumberId', 'name', 'contacts'].map(
    (field): Refused => ({
      what: `no ${field}`,
      send: house => sendJson(house, { [field]: undefined }),
      status: 400,
      code: 'invalid_request',
      detail: new RegExp(`\`${field}\``),
    }),
  ),
]

for (const { what, send, status, code, detail } of refusals) {
  test(`a create with ${what} is ${status} ${code}, and nothing is stored`, async t => {
    const house = await openHouse(t)
    const answer = await send(house)
    assert.deepEqual([answer.status, answer.body], [status, { detail: answer.body.detail, code }])
    if (typeof detail === 'string') assert.equal(answer.body.detail, detail)
    else assert.match(answer.body.detail, detail)
    assert.equal((await house.call('GET', '/talkifai/batch/jobs')).body.total, 0)
  })
}

test('a number without an agent, a text agent and too little credit are 400 with their codes', async t => {
  const house = await openHouse(t)
  const workspaceId = house.workspace.id
  await addPhoneNumber(house.deps, workspaceId, {
    e164: '+12025550196',
    agentId: null,
    aliases: ['phone_free'],
  })
  const text = await addAgent(house.deps, workspaceId, { architecture: 'text' })
  await addPhoneNumber(house.deps, workspaceId, {
    e164: '+12025550197',
    agentId: text.id,
    aliases: ['phone_text'],
  })
  const codes = []
  for (const fromPhoneNumberId of ['phone_free', 'phone_text'])
    codes.push((await sendJson(house, { fromPhoneNumberId })).body.code)
  await house.store.updateWorkspace(workspaceId, { creditMillicents: 13_999 }, Date.now())
  codes.push((await sendJson(house)).body.code)
  assert.deepEqual(codes, ['no_outbound_agent', 'text_agent', 'insufficient_credits'])
  await house.store.updateWorkspace(workspaceId, { creditMillicents: 14_000 }, Date.now())
  assert.equal((await sendJson(house)).status, 200)
})

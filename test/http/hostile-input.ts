// Bad files and bad fields, and how each of the four APIs takes a list: data for the hostile tables.

export interface Api {
  name: string
  create: string
  /** A form that would be taken. */
  fields: Record<string, string>
  phoneColumn: string
  /** The field that names who calls. */
  caller: string
  start: string
  timezone: string
  concurrency: string
  list: string
  one(id: string): string
  /** True where `body` is this API's error shape, and nothing else. */
  isError(body: unknown, status: number): boolean
}

const hasText = (value: unknown): boolean => typeof value === 'string' && value !== ''
const member = (value: unknown, name: string): unknown => Object(value)[name]

export const apis: Api[] = [
  {
    name: 'outdial',
    create: '/api/v1/batches',
    fields: { agentId: '456', name: 'March' },
    phoneColumn: 'phone',
    caller: 'agentId',
    start: 'scheduledAt',
    timezone: 'timezone',
    concurrency: 'maxConcurrentCalls',
    list: '/api/v1/batches',
    one: id => `/api/v1/batches/${id}`,
    isError: (body, status) =>
      member(body, 'status') === status && hasText(member(body, 'detail')) && hasText(member(body, 'code')),
  },
  {
    name: 'formant',
    create: '/formant/v1/batch-call',
    fields: { agent_id: '456', name: 'March' },
    phoneColumn: 'customer_phone',
    caller: 'agent_id',
    start: 'scheduled_for',
    timezone: 'timezone',
    concurrency: '',
    list: '/formant/v1/batch-calls',
    one: id => `/formant/v1/batch-calls/${id}`,
    isError: body =>
      hasText(member(member(body, 'error'), 'message')) && hasText(member(member(body, 'error'), 'type')),
  },
  {
    name: 'dialnexa',
    create: '/dialnexa/v1/batch-calls',
    fields: { agent_id: 'agt_abc123', name: 'March' },
    phoneColumn: 'phone_number',
    caller: 'agent_id',
    start: 'scheduled_at',
    timezone: 'timezone',
    concurrency: 'max_concurrent_calls',
    list: '/dialnexa/v1/batch-calls',
    one: id => `/dialnexa/v1/batch-calls/${id}`,
    isError: (body, status) =>
      member(body, 'statusCode') === status &&
      hasText(member(body, 'message')) &&
      hasText(member(body, 'error')),
  },
  {
    name: 'talkifai',
    create: '/talkifai/batch/create',
    fields: { fromPhoneNumberId: 'phone_abc123', name: 'March' },
    phoneColumn: 'phone',
    caller: 'fromPhoneNumberId',
    start: 'scheduledStartTime',
    timezone: 'timezone',
    concurrency: 'concurrentCallLimit',
    list: '/talkifai/batch/jobs',
    one: id => `/talkifai/batch/jobs/${id}`,
    isError: body => hasText(member(body, 'detail')) && hasText(member(body, 'code')),
  },
]

const bytes = (...values: number[]): Uint8Array<ArrayBuffer> => Uint8Array.from(values)
const rows =
  (...numbers: string[]) =>
  (column: string) =>
    `${column},name\n${numbers.map(number => `${number},A`).join('\n')}\n`

/** Lists that nobody can be called from, by what is wrong with them. */
export const badFiles: Record<string, (column: string) => string | Uint8Array<ArrayBuffer>> = {
  'an empty file': () => '',
  'a lone byte order mark': () => bytes(0xef, 0xbb, 0xbf),
  'blank lines only': () => '\n\n  \n\r\n',
  'a header without rows': column => `${column},name\n`,
  'a picture': () => bytes(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13),
  'a PDF': () => '%PDF-1.7\n%âãÏÓ\n1 0 obj\n<<>>\nendobj\n',
  'a program': () => bytes(0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0),
  'a gzip': () => bytes(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 0),
  'a zip that is broken off': () => bytes(0x50, 0x4b, 3, 4, 20, 0, 8, 0),
  'an empty zip': () => bytes(0x50, 0x4b, 5, 6, ...Array<number>(18).fill(0)),
  'an old Excel file that is broken off': () => bytes(0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1, 0, 0),
  'a web page': () => '<!doctype html><html><body>Bad gateway</body></html>',
  'bytes of nothing': () => new Uint8Array(2_000),
  'bytes of chance': () => Uint8Array.from({ length: 2_000 }, (_, index) => (index * 7919 + 13) % 256),
  'the text of a Python call': () => "open('contacts.csv', 'rb')",
  'no phone column': () => 'name,email\nJohn,john@example.test\n',
  'five thousand columns, none of them a phone': () =>
    `${Array.from({ length: 5_000 }, (_, index) => `c${index}`).join(',')}\n1,2,3\n`,
  'a header of prototypes': () => '__proto__,constructor,toString\n1,2,3\n',
  'a quote that is never closed': column => `${column},name\n"+12025550101,John\n+12025550102,Jane\n`,
  'a quote that opens late': column => `${column},name\n+12025550101,"John\n+12025550102,Jane\n`,
  'broken JSON': () => '[{"phone": "+12025550101"',
  'JSON that is a number': () => '42',
  'JSON without end': () => '['.repeat(20_000),
  'one endless line': () => 'x'.repeat(400_000),
  'letters for numbers': rows('call me', 'abc', '?'),
  'numbers that lost their digits': rows('9.19877E+11', '1.2E+10'),
  'numbers that are too short and too long': rows('+1', '+12', `+${'1'.repeat(20)}`),
  'two numbers in a cell': rows('+12025550101 / +12025550102'),
  'formulas for numbers': rows('=1+1', '=HYPERLINK("http://x")', '@SUM(A1)'),
  'statements for numbers': rows("'; DROP TABLE recipients; --", '1 OR 1=1', '<script>alert(1)</script>'),
  'pictures for numbers': rows('☎️☎️☎️', '١٢٣', '𝟙𝟚𝟛'),
  'empty cells for numbers': rows('', ' ', '\u00a0'),
}

/** What names nobody. */
export const badReferences = [
  '',
  ' ',
  '0',
  '-1',
  '1e3',
  '1.5',
  '9'.repeat(40),
  'nobody',
  '../../etc/passwd',
  "1' OR '1'='1",
  'null',
  'agt_',
  'phone_0',
  '☎️',
  'x'.repeat(5_000),
]

export const badStarts = [
  'tomorrow',
  '2001-01-01T00:00:00Z',
  '2030-02-30T00:00:00Z',
  '2030-01-01',
  '99999-01-01T00:00:00Z',
  '1893456000',
  '2030-01-01T25:00:00',
  '2030-01-01T09:00:00+99:00',
  '2030-01-01T09:00:00[Europe/Paris]',
]

export const badZones = ['Mars/Olympus', 'UTC+25', '../zone', 'x'.repeat(500)]

export const badConcurrencies = ['0', '-1', '1.5', 'five', 'NaN', 'Infinity', '1e999', '99999999999999999999']

export const badIds = [
  '0',
  '-1',
  'x',
  '1e9',
  '1.5',
  'batch_',
  'batch_x',
  'batch_0',
  '9'.repeat(60),
  '%00',
  '..%2f..',
  "1'--",
  '☎️',
  '999999',
]

export const badPages = [
  'limit=0',
  'limit=-1',
  'limit=x',
  'limit=1e3',
  'limit=99999',
  'pageSize=0',
  'pageSize=x',
  'pageSize=9999',
  'page=0',
  'page=-1',
  'page=x',
  'offset=-1',
  'offset=x',
  'cursor=x',
  'status=asleep',
  'agent_id=x',
]

// The samples that the vendors print: what has to be mended in each, what it gets, and what it gets without the mend.
import assert from 'node:assert/strict'
import type { ListeningHouse, NotedAnswer } from './listening-house.ts'

/** What happens when the sample is run without this mend. */
type Otherwise =
  | { status: number; body: unknown }
  /** The client itself refuses: nothing reaches us. */
  | { stderr: RegExp }

export interface Mend {
  /** In a few words, what is wrong or foreign about the printed text. */
  what: string
  from: string
  to: string
  otherwise?: Otherwise
}

export interface Sample {
  file: string
  mends: Mend[]
  /** Batches that the sample reads. */
  before?: (house: ListeningHouse) => Promise<void>
  /** Asserts the answer whole. */
  answer: (answer: NotedAnswer) => void
  /** What became of the batch that the sample made. */
  after?: (house: ListeningHouse) => Promise<void>
}

const secondsTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/

/** @param expected `/regular expressions/` stand for what a clock decides */
function assertAnswer({ status, body }: NotedAnswer, expectedStatus: number, expected: unknown): void {
  const printed = (_key: string, value: unknown) =>
    typeof value === 'string' && secondsTime.test(value) && !value.startsWith('2099') ? '<now>' : value
  assert.equal(status, expectedStatus)
  assert.deepEqual(JSON.parse(JSON.stringify(body, printed)), expected)
}

const formantCreated = (fields: { agent_id: number; total_recipients: number }) => ({
  data: {
    ...fields,
    created_at: '<now>',
    id: 1,
    name: 'March Follow Ups',
    scheduled_for: null,
    status: 'pending',
    updated_at: '<now>',
  },
})
const noMetrics = {
  avg_duration_seconds: 0,
  busy_count: 0,
  completed_count: 0,
  failed_count: 0,
  in_progress_count: 0,
  no_answer_count: 0,
  pending_retry_count: 0,
  socket_failure_count: 0,
  success_count: 0,
  success_rate: 0,
  total_processed: 0,
  unreachable_count: 0,
}

/** The metrics of batch 1 once it is over, the mean duration aside: real time decides it. */
async function assertFormantMetrics(
  house: ListeningHouse,
  expected: Partial<typeof noMetrics>,
): Promise<void> {
  await house.finished(1)
  const { body } = await house.call('GET', '/formant/v1/batch-calls/1/metrics')
  assert.deepEqual({ ...body.data, avg_duration_seconds: 0 }, { ...noMetrics, ...expected })
  assert.equal((await house.call('GET', '/formant/v1/batch-calls/1')).body.data.status, 'completed')
}

const marchMetrics = {
  completed_count: 2,
  failed_count: 1,
  success_count: 1,
  success_rate: 25,
  total_processed: 4,
  unreachable_count: 1,
}

/** A batch of the agent `123` whose two people have answered. */
async function formantBatch(house: ListeningHouse): Promise<void> {
  const file: [string, string] = ['customer_phone\n+919876543210\n+919812345678\n', 'contacts.csv']
  const { status } = await house.call('POST', '/formant/v1/batch-call', {
    form: { agent_id: '123', name: 'March Follow Ups', file },
  })
  assert.equal(status, 200)
  await house.finished(1)
}
const doneBatch = { ...formantCreated({ agent_id: 123, total_recipients: 2 }).data, status: 'completed' }

const ownBatchId: Mend = { what: 'the id that the create answered', from: '/456', to: '/1' }

const talkifaiCreated = {
  success: true,
  batchJobId: 'batch_1',
  estimatedDuration: '2 minutes',
  status: 'scheduled',
}
const twoContacts = {
  ...talkifaiCreated,
  totalContacts: 2,
  estimatedCost: '$0.14',
  message: 'Batch job created with 2 contacts',
}
const threeContacts = {
  ...talkifaiCreated,
  totalContacts: 3,
  estimatedCost: '$0.21',
  message: 'Batch job created with 3 contacts',
}
const pastDate = (from: string, to: string): Mend => ({
  what: 'a date that has passed',
  from,
  to,
  otherwise: {
    status: 400,
    body: { detail: 'Scheduled time must be in the future', code: 'past_scheduled_time' },
  },
})

/** curl takes a value that begins with `<` for the name of a file to read the value from. */
const placeholder = (field: string, value: string): Mend => ({
  what: `the placeholder for ${field}`,
  from: `${field}=<string>`,
  to: `${field}=${value}`,
  otherwise: { stderr: /curl: \(26\) Failed to open\/read local data/ },
})

/** Starts the job where it waits for its time, and sees everybody answered. */
export async function assertAllAnswered(house: ListeningHouse, total: number): Promise<void> {
  const { body: job } = await house.call('GET', '/talkifai/batch/jobs/batch_1')
  if (job.status === 'scheduled') {
    const { status } = await house.call('POST', '/talkifai/batch/jobs/batch_1/start')
    assert.equal(status, 200)
  }
  await house.finished(1)
  const { body } = await house.call('GET', '/talkifai/batch/jobs/batch_1')
  assert.deepEqual(
    [body.status, body.successfulCalls, body.statusBreakdown],
    ['completed', total, { completed: total }],
  )
}

export const samples: Sample[] = [
  {
    file: 'formant-create.py.txt',
    mends: [
      {
        what: 'the text of a call to open() in place of the file',
        from: `"open('customer_contacts_march.csv', 'rb')"`,
        to: `open('customer_contacts_march.csv', 'rb')`,
        otherwise: {
          status: 400,
          body: {
            error: {
              message:
                "The file must include a customer_phone column. Found columns: open('customer_contacts_march.csv', 'rb')",
              type: 'invalid_request',
            },
          },
        },
      },
    ],
    answer: answer => assertAnswer(answer, 200, formantCreated({ agent_id: 456, total_recipients: 4 })),
    after: house => assertFormantMetrics(house, marchMetrics),
  },
  {
    file: 'formant-create.js.txt',
    mends: [
      {
        what: 'a file name in place of the file',
        from: `form.append('file', 'customer_contacts_march.csv');`,
        to: `form.append('file', await (await import('node:fs')).openAsBlob('customer_contacts_march.csv'), 'customer_contacts_march.csv');`,
        otherwise: {
          status: 400,
          body: {
            error: {
              message:
                "The field `file` holds text, not a file: send the file's contents with a file name (curl: -F file=@contacts.csv).",
              type: 'invalid_request',
            },
          },
        },
      },
    ],
    answer: answer => assertAnswer(answer, 200, formantCreated({ agent_id: 456, total_recipients: 4 })),
    after: house => assertFormantMetrics(house, marchMetrics),
  },
  {
    file: 'formant-upload.curl.txt',
    mends: [],
    answer: answer => assertAnswer(answer, 200, formantCreated({ agent_id: 123, total_recipients: 2 })),
    after: house =>
      assertFormantMetrics(house, {
        completed_count: 2,
        success_count: 2,
        success_rate: 100,
        total_processed: 2,
      }),
  },
  {
    file: 'formant-list.curl.txt',
    mends: [],
    before: formantBatch,
    answer: answer => assertAnswer(answer, 200, { data: [doneBatch], has_more: false, total: 1 }),
  },
  {
    file: 'formant-get.curl.txt',
    mends: [ownBatchId],
    before: formantBatch,
    answer: answer => assertAnswer(answer, 200, { data: doneBatch }),
  },
  {
    file: 'formant-metrics.curl.txt',
    mends: [ownBatchId],
    before: formantBatch,
    answer: answer => {
      const { avg_duration_seconds: mean } = answer.body.data
      assert.equal(typeof mean, 'number')
      assertAnswer(answer, 200, {
        data: {
          ...noMetrics,
          avg_duration_seconds: mean,
          completed_count: 2,
          success_count: 2,
          success_rate: 100,
          total_processed: 2,
        },
      })
    },
  },
  {
    file: 'formant-list.py.txt',
    mends: [],
    before: formantBatch,
    answer: answer => assertAnswer(answer, 200, { data: [doneBatch], has_more: false, total: 1 }),
  },
  {
    file: 'formant-list.js.txt',
    mends: [
      {
        what: 'a body with a GET, which fetch refuses to send',
        from: `'application/json'},\n  body: '{}'\n`,
        to: `'application/json'}\n`,
        otherwise: { stderr: /TypeError: Request with GET\/HEAD method cannot have body/ },
      },
    ],
    before: formantBatch,
    answer: answer => assertAnswer(answer, 200, { data: [doneBatch], has_more: false, total: 1 }),
  },
  {
    file: 'talkifai-reference.curl.txt',
    mends: [
      placeholder('fromPhoneNumberId', 'phone_abc123'),
      placeholder('name', 'Reference'),
      placeholder('description', 'As documented'),
      pastDate('2023-11-07T05:31:56Z', '2099-11-07T05:31:56Z'),
    ],
    answer: answer =>
      assertAnswer(answer, 200, { ...threeContacts, scheduledStartTime: '2099-11-07T05:31:56Z' }),
    after: house => assertAllAnswered(house, 3),
  },
  {
    file: 'talkifai-immediate.curl.txt',
    mends: [],
    answer: answer =>
      assertAnswer(answer, 200, { ...threeContacts, status: 'pending', scheduledStartTime: null }),
    after: house => assertAllAnswered(house, 3),
  },
  {
    file: 'talkifai-scheduled.curl.txt',
    mends: [pastDate('2025-03-01T09:00:00', '2099-03-01T09:00:00')],
    answer: answer =>
      assertAnswer(answer, 200, { ...twoContacts, scheduledStartTime: '2099-03-01T14:00:00Z' }),
    after: house => assertAllAnswered(house, 2),
  },
  {
    file: 'talkifai-custom-fields.curl.txt',
    mends: [],
    answer: answer =>
      assertAnswer(answer, 200, {
        ...talkifaiCreated,
        totalContacts: 1,
        estimatedCost: '$0.07',
        status: 'pending',
        scheduledStartTime: null,
        message: 'Batch job created with 1 contact',
      }),
    after: house => assertAllAnswered(house, 1),
  },
]

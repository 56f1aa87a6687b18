// Every curl, Python and JavaScript sample that the vendors print, run for real: as printed but for its mends, and
// without each mend of a defect.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type ListeningHouse, type NotedAnswer, openListeningHouse } from './listening-house.ts'
import { languageOf, missingFor, type Output, readSample, runSample } from './run-sample.ts'
import { assertAllAnswered, type Mend, type Sample, samples } from './sample-table.ts'

for (const sample of samples) {
  test(`${sample.file} works with its mends`, async t => {
    if (cannotRun(t, sample)) return
    const house = await openListeningHouse(t)
    await sample.before?.(house)
    const { answer, output } = await send(house, sample, sample.mends)
    assert.ok(answer !== undefined, output.stderr)
    sample.answer(answer)
    assert.notEqual(output.stdout, '')
    await sample.after?.(house)
  })

  for (const mend of sample.mends) {
    const { otherwise } = mend
    if (otherwise === undefined) continue
    test(`${sample.file} without the mend of ${mend.what} gets a clear answer`, async t => {
      if (cannotRun(t, sample)) return
      const house = await openListeningHouse(t)
      await sample.before?.(house)
      const others = sample.mends.filter(other => other !== mend)
      const { answer, output } = await send(house, sample, others)
      if ('stderr' in otherwise) {
        assert.equal(answer, undefined)
        assert.match(output.stderr, otherwise.stderr)
        return
      }
      assert.deepEqual([answer?.status, answer?.body], [otherwise.status, otherwise.body])
    })
  }
}

/** Runs the sample against our address and key, with these mends, and returns what it got. */
async function send(
  house: ListeningHouse,
  { file }: Sample,
  mends: readonly Mend[],
): Promise<{ answer: NotedAnswer | undefined; output: Output }> {
  const vendor = file.split('-', 1)[0]!
  let text = (await readSample(file))
    .replaceAll(/https:\/\/api\.(voice\.formantai\.com|talkifai\.(com|dev))/g, `${house.url}/${vendor}`)
    .replaceAll(/Bearer (<token>|YOUR_API_KEY)/g, `Bearer ${house.key}`)
  for (const { from, to } of mends) {
    assert.ok(text.includes(from), `${file} does not hold ${from}`)
    text = text.replace(from, to)
  }
  const before = house.answers.length
  const output = await runSample(languageOf(file), text, vendor, { FORMANT_API_KEY: house.key })
  return { answer: house.answers[before], output }
}

function cannotRun(t: TestContext, { file }: Sample): boolean {
  const missing = missingFor(languageOf(file))
  if (missing === null) return false
  if (process.env.CI === 'true') assert.fail(`CI must run every sample, but ${missing} is missing`)
  t.skip(`${missing} is missing`)
  return true
}

test('talkifai-programmatic.http.txt works once its date lies ahead', async t => {
  const house = await openListeningHouse(t)
  const [head = '', body = ''] = (await readSample('talkifai-programmatic.http.txt')).split('\n\n', 2)
  const [, method, path, type] = /^(\w+) (\S+)\nContent-Type: (\S+)$/.exec(head) ?? []
  const headers = { authorization: `Bearer ${house.key}`, 'content-type': type ?? '' }
  const answers = []
  for (const text of [body, body.replace('2025-02-28', '2099-02-28')]) {
    const answer = await fetch(`${house.url}/talkifai${path}`, { method: method ?? '', headers, body: text })
    answers.push([answer.status, await answer.json()])
  }
  assert.deepEqual(answers, [
    [400, { detail: 'Scheduled time must be in the future', code: 'past_scheduled_time' }],
    [
      200,
      {
        success: true,
        batchJobId: 'batch_1',
        totalContacts: 2,
        estimatedDuration: '2 minutes',
        estimatedCost: '$0.14',
        status: 'scheduled',
        scheduledStartTime: '2099-02-28T14:00:00Z',
        message: 'Batch job created with 2 contacts',
      },
    ],
  ])
  await assertAllAnswered(house, 2)
})

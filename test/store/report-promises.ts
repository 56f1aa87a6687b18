// What a store promises about reports: every filter and page shows what a plain look at all of it would.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Disposition, dispositions } from '../../src/domain/outcome.ts'
import { type Standing, standings } from '../../src/domain/recipient.ts'
import type { IngestRow, RejectedRow } from '../../src/store/store.ts'
import { assertCounted, type Engine, outcomeOf, person, setUp, start, type Workbench } from './workbench.ts'

const all = { limit: 10_000 }
const zones = ['UTC', 'Asia/Kolkata', 'Europe/London']

/** What becomes of a recipient of the list under test. */
type Fate = 'queued' | 'claimed' | 'dialing' | 'ringing' | 'waiting' | 'put-back' | 'suppressed' | Disposition
const fates: readonly Fate[] = [
  ...(['queued', 'claimed', 'dialing', 'ringing', 'waiting', 'put-back', 'suppressed'] as const),
  ...dispositions,
]
const fate = fc.constantFrom(...fates)
const someStandings = fc.subarray([...standings], { minLength: 1 })
const place = fc.record({ after: fc.nat(30), offset: fc.nat(10), limit: fc.integer({ min: 1, max: 12 }) })

export function reportPromises(engine: Engine): void {
  test('recipients and attempts, by standing and page, are those of a naive filter', async t => {
    const seed = Date.now() % 2 ** 31
    t.diagnostic(`seed ${seed}`)
    const people = fc.array(fc.tuple(fate, fc.constantFrom(...zones)), { minLength: 1, maxLength: 25 })
    const pages = fc.array(fc.tuple(fc.option(someStandings), place), { minLength: 5, maxLength: 20 })
    const bench = await setUp(t, engine)
    const property = fc.asyncProperty(people, fc.boolean(), pages, async (given, cancelled, asked) => {
      const batchId = await live(bench, given)
      if (cancelled) await bench.store.cancelBatch(bench.workspace.id, batchId, start)
      await assertCounted(bench, batchId)
      for (const [wanted, where] of asked) {
        await assertRecipients(bench, batchId, wanted, where)
        await assertAttempts(bench, batchId, where)
      }
      await clear(bench, batchId)
    })
    await fc.assert(property, { seed, numRuns: 25 })
  })

  test('the ingest report, by status and page, is that of a naive filter', async t => {
    const seed = Date.now() % 2 ** 31
    t.diagnostic(`seed ${seed}`)
    const bench = await setUp(t, engine)
    const kind = fc.constantFrom<IngestRow['status']>('accepted', 'invalid', 'duplicate', 'suppressed')
    const pages = fc.array(fc.tuple(fc.option(kind, { nil: undefined }), place), {
      minLength: 5,
      maxLength: 20,
    })
    const property = fc.asyncProperty(fc.array(kind, { maxLength: 30 }), pages, async (kinds, asked) => {
      const rows = kinds.map((status, index) => ({ status, rowNumber: index + 2 }))
      const { id } = await importReport(bench, rows)
      for (const [status, { after, limit }] of asked) {
        const filter = status === undefined ? {} : { status }
        const found = await bench.store.listIngestRows(bench.workspace.id, id, filter, {
          afterRow: after,
          limit,
        })
        const expected = rows
          .filter(row => row.rowNumber > after && (status === undefined || row.status === status))
          .slice(0, limit)
        assert.deepEqual(
          found.map(row => ({ status: row.status, rowNumber: row.rowNumber })),
          expected,
        )
      }
    })
    await fc.assert(property, { seed, numRuns: 25 })
  })

  test('attempts are listed oldest first over all batches of the workspace, open ones among them', async t => {
    const bench = await setUp(t, engine)
    const { store, workspace } = bench
    const [one, other] = [await bench.import(3), await bench.import(3)]
    const calls = await bench.call()
    await bench.end(calls.filter((_, index) => index % 2 === 0))
    const ids = calls.map(({ attemptId }) => attemptId).toSorted((a, b) => a - b)
    const list = async (page: { afterId?: number; offset?: number; limit: number }) =>
      (await store.listAttempts(workspace.id, {}, page)).map(({ id }) => id)
    assert.deepEqual(await list(all), ids)
    assert.deepEqual(await list({ afterId: ids[1]!, offset: 1, limit: 2 }), ids.slice(3, 5))
    assert.equal(await store.countAttempts(workspace.id, {}), 6)
    for (const { id } of [one, other])
      assert.equal(await store.countAttempts(workspace.id, { batchId: id }), 3)
  })

  test('events have growing ids, are read by page, and are announced', async t => {
    const bench = await setUp(t, engine)
    const { store, workspace } = bench
    let announced = 0
    store.onEvents(() => announced++)
    await bench.import(1)
    assert.equal(announced, 1)
    await bench.end(await bench.call())
    const events = await store.listEvents(null, all)
    assert.deepEqual(
      events.map(({ id }) => id),
      events.map(({ id }) => id).toSorted((one, other) => one - other),
    )
    assert.deepEqual(
      await store.listEvents(workspace.id, { after: events[0]!.id, limit: 2 }),
      events.slice(1, 3),
    )
    assert.deepEqual(await store.listEvents(workspace.id + 1, all), [])
  })
}

/** A running batch whose recipients each came to their fate. */
async function live(bench: Workbench, fates: readonly (readonly [Fate, string])[]): Promise<number> {
  const { store, workspace } = bench
  const { id } = await bench.import(
    fates.map(([, zone], index) => person(index + 1, { zone, number: numberOf(index) })),
    { open: true },
  )
  const suppressed = fates.flatMap(([what], index) => (what === 'suppressed' ? [numberOf(index)] : []))
  await store.suppress(workspace.id, suppressed, 'asked', start)
  const { claims } = await bench.claim()
  const fateOf = new Map(fates.map(([what], index) => [numberOf(index), what]))
  const having = (...wanted: Fate[]) => claims.filter(({ number }) => wanted.includes(fateOf.get(number)!))
  await store.releaseClaims(
    having('queued').map(({ attemptId }) => attemptId),
    start,
  )
  await bench.place(claims.filter(({ number }) => !['queued', 'claimed'].includes(fateOf.get(number)!)))
  await store.recordProgress(
    having('ringing').map(({ attemptId }) => ({ attemptId, status: 'ringing', at: start })),
  )
  await bench.end(having('waiting'), {
    outcome: outcomeOf('busy'),
    next: { kind: 'retry', dueAt: start + 60_000 },
  })
  await bench.end(having('put-back'), { next: { kind: 'put-back', dueAt: start + 5, throttled: true } })
  for (const disposition of dispositions)
    await bench.end(having(disposition), { outcome: { ...outcomeOf('answered'), disposition } })
  return id
}

const numberOf = (index: number) => `+1202${5_550_200 + index}`

/** Ends the calls that are under way, so that the numbers are free for the next run. */
async function clear(bench: Workbench, batchId: number): Promise<void> {
  const { store, workspace } = bench
  const orphans = await bench.openAttempts()
  const claimed = orphans.filter(({ status }) => status === 'claimed').map(({ attemptId }) => attemptId)
  await store.releaseClaims(claimed, start)
  const next = { kind: 'finish' } as const
  const rest = { outcome: outcomeOf('lost'), answeredAt: null, endedAt: start, costMillicents: 0, next }
  await store.endAttempts(
    orphans.map(({ attemptId }) => ({ ...rest, attemptId, suppress: false })),
    start,
  )
  const batch = await store.getBatch(workspace.id, batchId)
  if (batch?.status === 'running') await store.cancelBatch(workspace.id, batchId, start)
  for (const { number } of await store.listSuppressions(workspace.id, all))
    await store.unsuppress(workspace.id, number, start)
  await store.deleteBatch(workspace.id, batchId, start)
}

interface Place {
  after: number
  offset: number
  limit: number
}

async function assertRecipients(
  { store, workspace }: Workbench,
  batchId: number,
  wanted: Standing[] | null,
  { after, offset, limit }: Place,
): Promise<void> {
  const everybody = await store.listRecipients(workspace.id, batchId, {}, all)
  const filter = wanted === null ? {} : { standings: wanted }
  const page = { afterPosition: after, offset, limit }
  const expected = everybody
    .filter(({ position, standing }) => position > after && (wanted === null || wanted.includes(standing)))
    .slice(offset, offset + limit)
  assert.deepEqual(await store.listRecipients(workspace.id, batchId, filter, page), expected)
  const counted = everybody.filter(({ standing }) => (wanted ?? standings).includes(standing)).length
  assert.equal(await store.countRecipients(batchId, wanted ?? [...standings]), counted)
}

async function assertAttempts(
  { store, workspace }: Workbench,
  batchId: number,
  { after, offset, limit }: Place,
): Promise<void> {
  const attempts = await store.listAttempts(workspace.id, { batchId }, all)
  assert.equal(await store.countAttempts(workspace.id, { batchId }), attempts.length)
  const afterId = (attempts[0]?.id ?? 0) + after - 1
  const page = await store.listAttempts(workspace.id, { batchId }, { afterId, offset, limit })
  const expected = attempts.filter(({ id }) => id > afterId).slice(offset, offset + limit)
  assert.deepEqual(page, expected)
}

function importReport(bench: Workbench, rows: readonly { status: IngestRow['status']; rowNumber: number }[]) {
  const accepted = rows
    .filter(({ status }) => status === 'accepted')
    .map(({ rowNumber }) => person(rowNumber))
  const rejected = rows.flatMap(({ status, rowNumber }): RejectedRow[] =>
    status === 'accepted' ? [] : [{ rowNumber, status, code: 'blank', value: null }],
  )
  return bench.import(accepted, { startAs: 'draft' }, rejected)
}

// What a store promises about lists on their way in: a batch goes live as a whole or goes away as a whole.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Batch, IngestCounts } from '../../src/domain/batch.ts'
import { Refusal } from '../../src/domain/refusal.ts'
import type { RejectedRow } from '../../src/store/store.ts'
import {
  assertCounted,
  type Engine,
  furnish,
  people,
  person,
  setUp,
  start,
  type Workbench,
} from './workbench.ts'

const page = { limit: 100 }

export function importPromises(engine: Engine): void {
  test('a list goes live whole: counts, recipients in order, report, events', async t => {
    const bench = await setUp(t, engine)
    const { store, workspace } = bench
    const rejected: RejectedRow[] = [
      { rowNumber: 3, status: 'invalid', code: 'invalid_phone', value: 'x' },
      { rowNumber: 5, status: 'invalid', code: 'blank', value: null },
    ]
    const batchId = await store.beginImport(bench.newBatch({ description: 'spring' }))
    await store.importRows(batchId, [person(2)], [rejected[0]!])
    await store.importRows(batchId, [person(4), person(6)], [rejected[1]!])
    const seen: IngestCounts[] = []
    const batch = await store.finishImport(batchId, { rows: 5 }, ingest => void seen.push(ingest), start + 7)
    const ingest = { rows: 5, accepted: 3, invalid: 2, duplicate: 0, suppressed: 0 }
    assert.deepEqual([seen.at(-1), batch.ingest], [ingest, ingest])
    assert.equal(batch.status, 'running')
    assert.equal(batch.startedAt, start + 7)
    assert.equal(batch.description, 'spring')
    assert.equal(batch.trunkId, bench.trunk.id)
    assert.deepEqual(await store.getBatch(workspace.id, batchId), batch)
    const recipients = await store.listRecipients(workspace.id, batchId, {}, page)
    assert.deepEqual(
      recipients.map(({ position, rowNumber, variables }) => [position, rowNumber, variables]),
      [2, 4, 6].map((row, index) => [index + 1, row, { row }]),
    )
    const report = await store.listIngestRows(workspace.id, batchId, {}, page)
    assert.deepEqual(
      report.map(({ rowNumber, status, code }) => [rowNumber, status, code]),
      [
        [2, 'accepted', 'accepted'],
        [3, 'invalid', 'invalid_phone'],
        [4, 'accepted', 'accepted'],
        [5, 'invalid', 'blank'],
        [6, 'accepted', 'accepted'],
      ],
    )
    assert.deepEqual(await bench.events(batchId), ['batch.created', 'batch.started'])
    await assertCounted(bench, batchId)
  })

  test('how a batch goes live: at once, at its time, as a draft, or complete when nobody is in it', async t => {
    const bench = await setUp(t, engine)
    const running = await bench.import(1, { scheduledAt: start - 1 })
    const scheduled = await bench.import(1, { scheduledAt: start + 1 })
    const draft = await bench.import(1, { startAs: 'draft', scheduledAt: start + 1 })
    const empty = await bench.import(0)
    const open = await bench.import(0, { open: true })
    const statuses = [running, scheduled, draft, empty, open].map(({ status }) => status)
    assert.deepEqual(statuses, ['running', 'scheduled', 'draft', 'completed', 'running'])
    assert.deepEqual(await bench.events(scheduled.id), ['batch.created', 'batch.scheduled'])
    assert.deepEqual(await bench.events(draft.id), ['batch.created'])
    assert.deepEqual(await bench.events(empty.id), ['batch.created', 'batch.started', 'batch.completed'])
  })

  test('nobody sees, calls or changes a batch that is importing', async t => {
    const bench = await setUp(t, engine)
    const { store } = bench
    const id = await store.beginImport(bench.newBatch({ open: true }))
    const rejected: RejectedRow = { rowNumber: 9, status: 'invalid', code: 'blank', value: null }
    await store.importRows(id, people(3), [rejected])
    await assertUnseen(bench, id)
    assert.deepEqual(await bench.claim(), { claims: [], wakeAt: null, more: false })
    assert.deepEqual(await bench.events(id), [])
    const batch = await store.finishImport(id, { rows: 4 }, () => {}, start)
    assert.equal(batch.totalRecipients, 3)
  })

  test('a refused list leaves nothing, and the refusal passes on', async t => {
    const bench = await setUp(t, engine)
    const { store } = bench
    const id = await store.beginImport(bench.newBatch())
    await store.importRows(id, people(3), [])
    const refusal = new Refusal('invalid', 'invalid_rows', 'The file has rows that cannot be called.')
    const decide = () => {
      throw refusal
    }
    await assert.rejects(store.finishImport(id, { rows: 3 }, decide, start), refusal)
    await assertNothingLeft(bench, id)
  })

  test('an abandoned import leaves nothing, however long it is', async t => {
    const bench = await setUp(t, engine)
    const id = await bench.store.beginImport(bench.newBatch())
    await bench.store.importRows(id, people(11_000), [])
    await bench.store.discardImport(id)
    await assertNothingLeft(bench, id)
  })

  test('a batch that went live is not discarded as an import, whatever whoever made it has heard', async t => {
    const bench = await setUp(t, engine)
    const { id } = await bench.import(3)
    await bench.store.discardImport(id)
    assert.equal((await bench.batch(id)).totalRecipients, 3)
    assert.equal((await bench.claim()).claims.length, 3)
  })

  test('the sweep at start clears half-done imports and nothing else', async t => {
    const bench = await setUp(t, engine)
    const whole = await bench.import(2)
    const ids = [
      await bench.store.beginImport(bench.newBatch()),
      await bench.store.beginImport(bench.newBatch()),
    ]
    await bench.store.importRows(ids[1]!, people(3), [])
    assert.equal(await bench.store.sweep(start), 2)
    for (const id of ids) await assertNothingLeft(bench, id)
    assert.deepEqual(await bench.batch(whole.id), whole)
    assert.equal(await bench.store.sweep(start), 0)
  })

  test('numbers on the suppression list and numbers that stand in the list twice go to the report', async t => {
    const bench = await setUp(t, engine)
    const { store, workspace } = bench
    const [one, two, three] = people(3)
    await store.suppress(workspace.id, [two!.number], 'asked', start)
    const rows = [one!, two!, three!, { ...one!, rowNumber: 4 }]
    const given: RejectedRow = { rowNumber: 5, status: 'duplicate', code: 'duplicate', value: three!.number }
    const batch = await bench.import(rows, {}, [given])
    assert.deepEqual(batch.ingest, { rows: 5, accepted: 2, invalid: 0, duplicate: 2, suppressed: 1 })
    const rowsOf = async (status: RejectedRow['status']) =>
      (await store.listIngestRows(workspace.id, batch.id, { status }, page)).map(row => row.rowNumber)
    assert.deepEqual(await rowsOf('suppressed'), [2])
    assert.deepEqual(await rowsOf('duplicate'), [4, 5])
    const recipients = await store.listRecipients(workspace.id, batch.id, {}, page)
    assert.deepEqual(
      recipients.map(({ position, rowNumber }) => [position, rowNumber]),
      [
        [1, 1],
        [2, 3],
      ],
    )
    await assertCounted(bench, batch.id)
  })

  test('a number that is suppressed while its list comes in is not called', async t => {
    const bench = await setUp(t, engine)
    const { store, workspace } = bench
    const id = await store.beginImport(bench.newBatch())
    await store.importRows(id, people(2), [])
    await store.suppress(workspace.id, [people(2)[1]!.number], 'asked', start)
    await store.finishImport(id, { rows: 2 }, () => {}, start)
    assert.deepEqual(await bench.standings(id), ['queued', 'suppressed'])
    await assertCounted(bench, id)
  })

  test('an identical create is found: same workspace, agent, name and content, not too old, not cancelled', async t => {
    const bench = await setUp(t, engine)
    const { store, workspace } = bench
    const first = await bench.import(1)
    await bench.import(1, { createdAt: start + 1 })
    const asked = bench.newBatch()
    const since = start - 60_000
    assert.equal((await store.findIdenticalBatch(asked, since))?.id, first.id)
    const others: Partial<Batch & { contentHash: string }>[] = [
      { name: 'April' },
      { contentHash: 'b' },
      { agentId: 99 },
      { workspaceId: 99 },
    ]
    for (const changes of others)
      assert.equal(await store.findIdenticalBatch({ ...asked, ...changes }, since), null)
    assert.equal(await store.findIdenticalBatch(asked, start + 1), null)
    await store.cancelBatch(workspace.id, first.id, start)
    assert.notEqual((await store.findIdenticalBatch(asked, since))?.id, first.id)
    const importing = bench.newBatch({ name: 'unfinished' })
    await store.beginImport(importing)
    assert.equal(await store.findIdenticalBatch(importing, since), null)
  })

  test('people who are added are numbered on, and told apart from those who are there already', async t => {
    const bench = await setUp(t, engine)
    const { store, workspace } = bench
    const blank: RejectedRow = { rowNumber: 4, status: 'invalid', code: 'blank', value: null }
    const batch = await bench.import([person(2), person(3)], { open: true }, [blank])
    await store.suppress(workspace.id, [person(50).number], 'asked', start)
    const rows = [
      person(1, { number: person(2).number }),
      person(2, { number: person(50).number }),
      person(3),
    ]
    const fresh = { ...person(4, { number: '+12025559999', zone: 'Asia/Kolkata' }) }
    const bad: RejectedRow = { rowNumber: 5, status: 'invalid', code: 'invalid_phone', value: '1' }
    const added = await store.addRecipients(workspace.id, batch.id, [...rows, fresh], [bad], 5, start)
    assert.deepEqual(added, { rows: 5, accepted: 1, invalid: 1, duplicate: 2, suppressed: 1 })
    const report = await store.listIngestRows(workspace.id, batch.id, {}, page)
    assert.deepEqual(
      report.map(({ rowNumber, status }) => `${rowNumber} ${status}`),
      [
        '2 accepted',
        '3 accepted',
        '4 invalid',
        '5 duplicate',
        '6 suppressed',
        '7 duplicate',
        '8 accepted',
        '9 invalid',
      ],
    )
    const { totalRecipients, ingest } = await bench.batch(batch.id)
    assert.deepEqual([totalRecipients, ingest.rows], [3, 8])
    assert.equal((await bench.claim()).claims.length, 3)
    assert.deepEqual((await bench.events(batch.id)).at(-1), 'recipients.added')
    await assertCounted(bench, batch.id)
  })

  test('work is announced when a batch goes live and when people are added', async t => {
    const bench = await setUp(t, engine)
    let announced = 0
    const unsubscribe = bench.store.onWork(() => announced++)
    const batch = await bench.import(1, { open: true })
    assert.equal(announced, 1)
    await bench.store.addRecipients(bench.workspace.id, batch.id, [person(9)], [], 1, start)
    assert.equal(announced, 2)
    unsubscribe()
    await bench.store.addRecipients(bench.workspace.id, batch.id, [person(10)], [], 1, start)
    assert.equal(announced, 2)
  })

  test('a batch of another workspace takes nobody, and shows nobody', async t => {
    const bench = await setUp(t, engine)
    const batch = await bench.import(2, { open: true })
    const other = await furnish(bench.store)
    await assertUnseen(other, batch.id)
    assert.equal((await bench.batch(batch.id)).status, 'running')
  })
}

/** To the workspace of `bench` there is no such batch. */
async function assertUnseen({ store, workspace }: Workbench, id: number): Promise<void> {
  const { id: mine } = workspace
  assert.equal(await store.getBatch(mine, id), null)
  assert.deepEqual(await store.listBatches(mine, {}, { offset: 0, limit: 10 }), { batches: [], total: 0 })
  assert.deepEqual(await store.listBatchesBefore(mine, {}, { limit: 10 }), [])
  assert.deepEqual(await store.listRecipients(mine, id, {}, page), [])
  assert.deepEqual(await store.listRecipients(mine, id, { standings: ['queued'] }, page), [])
  assert.deepEqual(await store.listIngestRows(mine, id, {}, page), [])
  assert.deepEqual(await store.listAttempts(mine, { batchId: id }, page), [])
  assert.equal(await store.countAttempts(mine, { batchId: id }), 0)
  const addition = store.addRecipients(mine, id, [person(99)], [], 1, start)
  await assert.rejects(addition, { kind: 'not-found', code: 'batch_not_found' })
  assert.equal(await store.startBatch(mine, id, start), null)
  assert.equal(await store.pauseBatch(mine, id, 'user', start), null)
  assert.equal(await store.resumeBatch(mine, id, start), null)
  assert.equal(await store.cancelBatch(mine, id, start), null)
  assert.equal(await store.closeBatch(mine, id, start), null)
  assert.equal(await store.rescheduleBatch(mine, id, start, 'UTC', start), null)
  assert.equal(await store.deleteBatch(mine, id, start), false)
}

async function assertNothingLeft(bench: Workbench, id: number): Promise<void> {
  const { counts, ...sums } = await bench.store.recount(id)
  assert.deepEqual(new Set([...Object.values(counts), ...Object.values(sums)]), new Set([0]))
  assert.equal(await bench.store.getBatch(bench.workspace.id, id), null)
  assert.deepEqual(await bench.events(id), [])
  assert.equal(await bench.store.discardImport(id), undefined)
}

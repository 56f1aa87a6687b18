// More people for an open batch, whole or not at all.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addRecipients, maxAddedRows } from '../../src/batches/add-recipients.ts'
import { closeBatch } from '../../src/batches/control-batch.ts'
import { createBatch } from '../../src/batches/create-batch.ts'
import { contactsSource } from '../../src/http/contacts.ts'
import { rules, setUp } from './workbench.ts'

const listOf = (numbers: readonly string[]) => contactsSource(numbers.map(phone => ({ phone })))

test('numbers that the batch has already are duplicates: an addition sent twice adds nobody twice', async t => {
  const { deps, workspace, request } = await setUp(t)
  const { batch } = await createBatch(deps, request(['+12025550101'], { open: true }))
  const add = (numbers: readonly string[]) =>
    addRecipients(deps, { workspace, batchId: batch.id, source: listOf(numbers), list: rules })
  const first = await add(['+12025550101', '+12025550102', 'x'])
  assert.deepEqual(first, { rows: 3, accepted: 1, invalid: 1, duplicate: 1, suppressed: 0 })
  const again = await add(['+12025550102'])
  assert.deepEqual(again, { rows: 1, accepted: 0, invalid: 0, duplicate: 1, suppressed: 0 })
  const after = await deps.store.getBatch(workspace.id, batch.id)
  assert.equal(after?.totalRecipients, 2)
  assert.deepEqual(await deps.store.recount(batch.id), after?.progress)
})

test('an addition is refused by a closed batch, by one that was never open, and by one of another workspace', async t => {
  const { deps, workspace, request } = await setUp(t)
  const { batch } = await createBatch(deps, request(['+12025550101'], { open: true }))
  const addition = { workspace, batchId: batch.id, source: listOf(['+12025550102']), list: rules }
  const other = await deps.store.createWorkspace('other', 0)
  await assert.rejects(addRecipients(deps, { ...addition, workspace: other }), { code: 'batch_not_found' })
  await assert.rejects(addRecipients(deps, { ...addition, batchId: 999 }), { code: 'batch_not_found' })
  await closeBatch(deps, workspace.id, batch.id)
  await assert.rejects(addRecipients(deps, addition), { code: 'batch_not_open', kind: 'conflict' })
  const { batch: shut } = await createBatch(deps, request(['+12025550103']))
  await assert.rejects(addRecipients(deps, { ...addition, batchId: shut.id }), { code: 'batch_not_open' })
})

test('an addition above its limit is refused whole', async t => {
  const { deps, workspace, request } = await setUp(t)
  const { batch } = await createBatch(deps, request(['+12025550101'], { open: true }))
  const source = listOf(Array.from({ length: maxAddedRows + 1 }, () => '+12025550102'))
  const list = { ...rules, maxRows: maxAddedRows * 2 }
  await assert.rejects(addRecipients(deps, { workspace, batchId: batch.id, source, list }), {
    code: 'too_many_contacts',
  })
})

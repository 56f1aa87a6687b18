// A list becomes a batch, whole or not at all.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createBatch } from '../../src/batches/create-batch.ts'
import type { Batch } from '../../src/domain/batch.ts'
import { Refusal } from '../../src/domain/refusal.ts'
import { contactsSource } from '../../src/http/contacts.ts'
import { newAgent, rules, setUp, type Workbench } from './workbench.ts'

const people = ['+12025550101', '+12025550102']

async function refusalOf(work: Promise<unknown>): Promise<Refusal> {
  const error = await work.then(
    () => assert.fail('was not refused'),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof Refusal, String(error))
  return error
}

async function countBatches({ deps, workspace }: Workbench): Promise<number> {
  return (await deps.store.listBatches(workspace.id, {}, { offset: 0, limit: 10 })).total
}

async function numbersOf({ deps, workspace }: Workbench, { id }: Batch): Promise<string[]> {
  const recipients = await deps.store.listRecipients(workspace.id, id, {}, { limit: 100 })
  return recipients.map(({ number }) => number)
}

test('an agent brings its own number, and the batch remembers how it was named', async t => {
  const bench = await setUp(t)
  const { batch, repeated } = await createBatch(bench.deps, bench.request(people))
  assert.equal(repeated, false)
  assert.deepEqual(
    [batch.agentId, batch.phoneNumberId, batch.sentAgentId, batch.sentPhoneNumberId],
    [bench.agent.id, bench.phoneNumber.id, 'agt_abc123', null],
  )
  assert.equal(batch.status, 'running')
  assert.deepEqual(await numbersOf(bench, batch), people)
})

test('a number brings its outbound agent, by alias, id, or the number itself', async t => {
  const bench = await setUp(t)
  for (const phoneNumberRef of ['phone_abc123', String(bench.phoneNumber.id), '+12025550100']) {
    const request = bench.request(people, { agentRef: null, phoneNumberRef, name: phoneNumberRef })
    const { batch } = await createBatch(bench.deps, request)
    assert.equal(batch.agentId, bench.agent.id)
    assert.equal(batch.sentAgentId, String(bench.agent.id))
    assert.equal(batch.sentPhoneNumberId, phoneNumberRef)
  }
})

test("an agent without a number calls from the workspace's first", async t => {
  const bench = await setUp(t)
  const second = await bench.deps.store.createAgent(newAgent(bench.workspace.id))
  const { batch } = await createBatch(bench.deps, bench.request(people, { agentRef: String(second.id) }))
  assert.equal(batch.phoneNumberId, bench.phoneNumber.id)
})

test('whoever cannot call is refused before anything is read', async t => {
  const bench = await setUp(t)
  const { deps, workspace } = bench
  const empty = await deps.store.createWorkspace('empty', 0)
  await deps.store.createAgent(newAgent(empty.id, { aliases: ['lonely'] }))
  await deps.store.createAgent(newAgent(workspace.id, { architecture: 'text', aliases: ['writer'] }))
  await deps.store.createPhoneNumber({
    workspaceId: workspace.id,
    e164: '+12025550199',
    trunkId: null,
    agentId: null,
    maxConcurrentCalls: null,
    aliases: ['unassigned'],
    createdAt: 0,
  })
  const cases = [
    [{ agentRef: 'nobody' }, 'not-found', 'agent_not_found'],
    [{ phoneNumberRef: 'phone_9' }, 'not-found', 'phone_number_not_found'],
    [{ phoneNumberRef: '+12025550188' }, 'not-found', 'phone_number_not_found'],
    [{ agentRef: null, phoneNumberRef: 'unassigned' }, 'invalid', 'no_outbound_agent'],
    [{ agentRef: null }, 'invalid', 'no_caller'],
    [{ agentRef: 'writer' }, 'invalid', 'text_agent'],
    [{ agentRef: 'lonely', workspace: empty }, 'invalid', 'no_phone_number'],
  ] as const
  for (const [changes, kind, code] of cases) {
    const refusal = await refusalOf(createBatch(deps, bench.request(people, changes)))
    assert.deepEqual([refusal.kind, refusal.code], [kind, code])
  }
  assert.equal(await countBatches(bench), 0)
})

test('a start in the past is refused, one to come is kept', async t => {
  const bench = await setUp(t)
  const now = bench.deps.clock.now()
  const late = await refusalOf(createBatch(bench.deps, bench.request(people, { scheduledAt: now - 1 })))
  assert.equal(late.code, 'past_scheduled_time')
  const { batch } = await createBatch(bench.deps, bench.request(people, { scheduledAt: now + 1_000 }))
  assert.deepEqual([batch.status, batch.scheduledAt], ['scheduled', now + 1_000])
})

test('an identical create within the window answers with the first batch, a later one makes another', async t => {
  const bench = await setUp(t)
  const first = await createBatch(bench.deps, bench.request(people))
  const again = await createBatch(bench.deps, bench.request(people))
  assert.deepEqual([again.repeated, again.batch.id], [true, first.batch.id])
  const renamed = await createBatch(bench.deps, bench.request(people, { name: 'April' }))
  assert.equal(renamed.repeated, false)
  const others = await createBatch(bench.deps, bench.request(['+12025550103']))
  assert.equal(others.repeated, false)
  bench.advance(60_001)
  const later = await createBatch(bench.deps, bench.request(people))
  assert.equal(later.repeated, false)
  assert.equal(await countBatches(bench), 4)
})

test('two identical creates at once make one batch', async t => {
  const bench = await setUp(t)
  const both = await Promise.all([1, 2].map(() => createBatch(bench.deps, bench.request(people))))
  assert.deepEqual(
    both.map(({ repeated }) => repeated),
    [false, true],
  )
  assert.equal(both[0]?.batch.id, both[1]?.batch.id)
  assert.equal(await countBatches(bench), 1)
})

test('the second of two identical creates is refused as the first was', async t => {
  const bench = await setUp(t)
  const both = [1, 2].map(() => refusalOf(createBatch(bench.deps, bench.request(['x']))))
  for (const { code } of await Promise.all(both)) assert.equal(code, 'no_valid_contacts')
  assert.equal((await createBatch(bench.deps, bench.request(people))).repeated, false)
})

test('a window of nothing, or an Idempotency-Key, means that a repetition is meant', async t => {
  const bench = await setUp(t)
  const deps = { ...bench.deps, config: { ...bench.deps.config, repeatWindowMs: 0 } }
  await createBatch(deps, bench.request(people))
  await createBatch(deps, bench.request(people))
  const idempotency = { key: 'k', answer: () => ({ status: 201, body: {} }) }
  const keyed = await createBatch(bench.deps, bench.request(people), idempotency)
  assert.equal(keyed.repeated, false)
  assert.equal(await countBatches(bench), 3)
})

test('a cancelled batch is no first batch: the same list may be called again', async t => {
  const bench = await setUp(t)
  const first = await createBatch(bench.deps, bench.request(people))
  await bench.deps.store.cancelBatch(bench.workspace.id, first.batch.id, bench.deps.clock.now())
  assert.equal((await createBatch(bench.deps, bench.request(people))).repeated, false)
})

test('a list with nobody to call is refused with counts and the first reasons', async t => {
  const bench = await setUp(t)
  await bench.deps.store.suppress(bench.workspace.id, ['+12025550101'], 'asked', 0)
  const refusal = await refusalOf(createBatch(bench.deps, bench.request(['x', '+12025550101', ''])))
  assert.equal(refusal.code, 'no_valid_contacts')
  assert.deepEqual(refusal.details.counts, { rows: 3, accepted: 0, invalid: 2, duplicate: 0, suppressed: 1 })
  assert.deepEqual(refusal.details.reasons, [
    { row: 1, code: 'invalid_phone', reason: 'invalid phone number' },
    { row: 3, code: 'missing_phone', reason: 'phone number is missing' },
  ])
  assert.match(refusal.message, /3 rows.*Row 1: invalid phone number/)
  assert.equal(await countBatches(bench), 0)
})

test('a batch whose estimate is above the credit is refused, one at the credit is made', async t => {
  const bench = await setUp(t)
  const workspace = { ...bench.workspace, creditMillicents: 7_000 }
  const three = [...people, '+12025550103']
  const refusal = await refusalOf(createBatch(bench.deps, bench.request(three, { workspace })))
  assert.equal(refusal.code, 'insufficient_credits')
  assert.deepEqual(refusal.details, { estimatedCents: 10.5, creditCents: 7 })
  assert.equal(await countBatches(bench), 0)
  const { batch } = await createBatch(bench.deps, bench.request(people, { workspace }))
  assert.equal(batch.totalRecipients, 2)
})

test('a realtime agent costs twice as much of the credit', async t => {
  const bench = await setUp(t)
  await bench.deps.store.createAgent(
    newAgent(bench.workspace.id, { architecture: 'realtime', aliases: ['fast'] }),
  )
  const workspace = { ...bench.workspace, creditMillicents: 7_000 }
  const request = bench.request(people, { workspace, agentRef: 'fast' })
  assert.equal((await refusalOf(createBatch(bench.deps, request))).code, 'insufficient_credits')
})

test("a number without a plus is read in the rules' region, else the caller ID's country, else the workspace's", async t => {
  const bench = await setUp(t)
  const national = ['2025550101']
  const byCaller = await createBatch(bench.deps, bench.request(national))
  assert.deepEqual(await numbersOf(bench, byCaller.batch), ['+12025550101'])
  const indian = bench.request(['9876543210'], { list: { ...rules, region: 'IN' } })
  assert.deepEqual(await numbersOf(bench, (await createBatch(bench.deps, indian)).batch), ['+919876543210'])
})

test("the workspace's destinations hold on a simulated trunk and not on a SIP trunk, unless that is marked", async t => {
  const bench = await setUp(t)
  const { store } = bench.deps
  const workspace = { ...bench.workspace, destinations: [{ country: 'IN' }] }
  const refusal = await refusalOf(createBatch(bench.deps, bench.request(people, { workspace })))
  assert.equal(refusal.code, 'no_valid_contacts')
  assert.match(JSON.stringify(refusal.details.reasons), /unsupported_country/)
  for (const [alias, e164, settings] of [
    ['exempt', '+12025550150', {}],
    ['bound', '+12025550151', { exemptFromDestinations: false }],
  ] as const) {
    const trunk = await store.createTrunk({
      workspaceId: workspace.id,
      name: alias,
      kind: 'sip',
      maxConcurrentCalls: null,
      callsPerSecond: null,
      settings,
      createdAt: 0,
    })
    await store.createPhoneNumber({
      workspaceId: workspace.id,
      e164,
      trunkId: trunk.id,
      agentId: bench.agent.id,
      maxConcurrentCalls: null,
      aliases: [alias],
      createdAt: 0,
    })
  }
  const exempt = await createBatch(bench.deps, bench.request(people, { workspace, phoneNumberRef: 'exempt' }))
  assert.equal(exempt.batch.totalRecipients, 2)
  const bound = createBatch(
    bench.deps,
    bench.request(people, { workspace, phoneNumberRef: 'bound', name: 'April' }),
  )
  assert.equal((await refusalOf(bound)).code, 'no_valid_contacts')
})

test('an agent without words cannot be sent to real telephones', async t => {
  const bench = await setUp(t)
  const { store } = bench.deps
  const workspaceId = bench.workspace.id
  const silent = newAgent(workspaceId, { firstMessage: null, aliases: ['silent'] })
  const agentId = (await store.createAgent(silent)).id
  const limits = { maxConcurrentCalls: null, createdAt: 0 }
  const trunk = {
    workspaceId,
    name: 'sip',
    kind: 'sip' as const,
    callsPerSecond: null,
    settings: {},
    ...limits,
  }
  const trunkId = (await store.createTrunk(trunk)).id
  const number = { workspaceId, e164: '+12025550150', trunkId, agentId, aliases: ['real'], ...limits }
  await store.createPhoneNumber(number)
  const request = bench.request(people, { agentRef: 'silent', phoneNumberRef: 'real' })
  assert.equal((await refusalOf(createBatch(bench.deps, request))).code, 'silent_agent')
})

test('an import that dies in the middle leaves nothing', async t => {
  const bench = await setUp(t)
  const { importRows } = bench.deps.store
  bench.deps.store.importRows = async () => {
    throw new Error('disk full')
  }
  await assert.rejects(createBatch(bench.deps, bench.request(people)), /disk full/)
  bench.deps.store.importRows = importRows
  assert.equal(await bench.deps.store.sweep(bench.deps.clock.now()), 0)
  assert.equal(await countBatches(bench), 0)
})

test('a batch whose last commit was not acknowledged stands, and is the answer', async t => {
  const { deps, workspace, request } = await setUp(t)
  const { store } = deps
  const finishImport: typeof store.finishImport = async (...args) => {
    await store.finishImport(...args)
    throw new Error('the connection was lost')
  }
  const { batch } = await createBatch(
    { ...deps, store: { ...store, finishImport } },
    request(['+12025550111']),
  )
  assert.equal(batch.status, 'running')
  const stored = await store.getBatch(workspace.id, batch.id)
  assert.equal(stored?.totalRecipients, 1)
})

test('an open batch may begin with nobody', async t => {
  const bench = await setUp(t)
  const request = bench.request([], { open: true, source: contactsSource([]) })
  const { batch } = await createBatch(bench.deps, request)
  assert.deepEqual([batch.status, batch.totalRecipients, batch.open], ['running', 0, true])
})

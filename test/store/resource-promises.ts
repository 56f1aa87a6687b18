// What a store promises about workspaces, keys, agents, trunks, phone numbers, aliases and suppressions.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { type Engine, furnish, newAgent, newPhoneNumber, newTrunk, setUp, start } from './workbench.ts'

const firstTen = { limit: 10 }
const never = 999_999

export function resourcePromises(engine: Engine): void {
  test('a new workspace calls over a simulated trunk of its own', async t => {
    const store = await engine.open()
    t.after(() => store.close())
    const workspace = await store.createWorkspace('demo', start)
    const [trunk, ...others] = await store.listTrunks(workspace.id, firstTen)
    assert.deepEqual(others, [])
    assert.equal(trunk?.kind, 'simulated')
    const number = await store.createPhoneNumber(newPhoneNumber(workspace.id))
    assert.equal(number.trunkId, trunk.id)
    assert.equal(workspace.stopped, false)
    assert.equal(workspace.creditMillicents, null)
    assert.deepEqual(await store.listWorkspaces(), [workspace])
  })

  test('of those who ask for the first workspace at the same moment one makes it', async t => {
    const store = await engine.open()
    t.after(() => store.close())
    const answers = await Promise.all(['a', 'b', 'c'].map(name => store.firstWorkspace(name, start)))
    const [workspace, ...others] = await store.listWorkspaces()
    assert.deepEqual(others, [])
    assert.deepEqual(
      answers.map(answer => answer.workspace),
      [workspace, workspace, workspace],
    )
    assert.deepEqual(answers.filter(({ isNew }) => isNew).length, 1)
    assert.equal((await store.listTrunks(workspace!.id, firstTen)).length, 1)
  })

  test('a workspace is changed in the named fields only, and an event says which', async t => {
    const { store, workspace, events } = await setUp(t, engine)
    const window = [{ days: [1, 2], from: '09:00', to: '17:00' }]
    const patch = {
      name: 'new',
      defaultRegion: 'IN',
      destinations: [{ country: 'US' }],
      maxConcurrentCalls: 7,
      creditMillicents: 5_000,
      window,
    }
    const changed = await store.updateWorkspace(workspace.id, patch, start + 5)
    assert.deepEqual(changed, { ...workspace, ...patch, updatedAt: start + 5 })
    const cleared = await store.updateWorkspace(workspace.id, { window: null, destinations: null }, start + 6)
    assert.deepEqual(cleared, { ...changed, window: null, destinations: null, updatedAt: start + 6 })
    assert.deepEqual(await store.getWorkspace(workspace.id), cleared)
    assert.deepEqual(await events(null), ['workspace.updated', 'workspace.updated'])
    await assert.rejects(store.updateWorkspace(never, { name: 'x' }, start), { code: 'workspace_not_found' })
    assert.equal(await store.getWorkspace(never), null)
  })

  test('a trunk is changed in the named fields only, and an event says which but not what', async t => {
    const { store, workspace, events } = await setUp(t, engine)
    const trunk = await store.createTrunk(
      newTrunk(workspace.id, { kind: 'sip', settings: { password: 'old' } }),
    )
    const patch = { maxConcurrentCalls: 7, settings: { password: 'new' } }
    const changed = await store.updateTrunk(workspace.id, trunk.id, patch, start + 5)
    assert.deepEqual(changed, { ...trunk, ...patch })
    const cleared = await store.updateTrunk(workspace.id, trunk.id, { maxConcurrentCalls: null }, start + 6)
    assert.deepEqual(
      [cleared, await store.getTrunk(trunk.id)],
      [{ ...changed, maxConcurrentCalls: null }, cleared],
    )
    assert.deepEqual(await events(null), ['trunk.updated', 'trunk.updated'])
    const told = await store.listEvents(workspace.id, firstTen)
    assert.deepEqual(told[0]?.data, { trunkId: trunk.id, fields: ['maxConcurrentCalls', 'settings'] })
    const other = await store.createWorkspace('other', start)
    assert.equal(await store.updateTrunk(other.id, trunk.id, { name: 'mine' }, start), null)
    assert.equal((await store.getTrunk(trunk.id))?.name, trunk.name)
  })

  test('the emergency stop and its end are told', async t => {
    const { store, workspace, events } = await setUp(t, engine)
    assert.equal((await store.setWorkspaceStopped(workspace.id, true, start)).stopped, true)
    assert.equal((await store.getWorkspace(workspace.id))?.stopped, true)
    assert.equal((await store.setWorkspaceStopped(workspace.id, false, start)).stopped, false)
    assert.deepEqual(await events(null), ['workspace.stopped', 'workspace.resumed'])
  })

  test('an API key is found by its hash alone', async t => {
    const { store, workspace } = await setUp(t, engine)
    const hashOf = (text: string) => new Uint8Array(createHash('sha256').update(text).digest())
    const key = await store.createApiKey(workspace.id, 'laptop', 'od_1234', hashOf('secret'), start)
    const { hash, ...found } = (await store.findApiKey(hashOf('secret')))!
    assert.deepEqual(found, key)
    assert.deepEqual(new Uint8Array(hash), hashOf('secret'))
    assert.equal(await store.findApiKey(hashOf('another')), null)
  })

  test('what was created comes back whole, by id and by alias', async t => {
    const { store, workspace } = await setUp(t, engine)
    const agent = newAgent(workspace.id, {
      prompt: 'Be kind',
      firstMessage: 'Hello',
      connection: { url: 'wss://bot.example' },
      maxConcurrentCalls: 3,
      aliases: ['agt_abc123', 'bot'],
    })
    const made = await store.createAgent(agent)
    assert.deepEqual(made, { ...agent, id: made.id, breakerUntil: null })
    for (const ref of ['agt_abc123', 'bot', String(made.id)])
      assert.deepEqual(await store.findAgent(workspace.id, ref), made)
    assert.deepEqual(await store.getAgent(made.id), made)

    const trunk = newTrunk(workspace.id, {
      maxConcurrentCalls: 4,
      callsPerSecond: 2.5,
      settings: { host: 'a' },
    })
    const madeTrunk = await store.createTrunk(trunk)
    const closed = { breakerUntil: null, breakerReason: null, slowedCallsPerSecond: null }
    assert.deepEqual(madeTrunk, { ...trunk, ...closed, id: madeTrunk.id })
    assert.deepEqual(await store.findTrunk(workspace.id, String(madeTrunk.id)), madeTrunk)
    assert.deepEqual(await store.getTrunk(madeTrunk.id), madeTrunk)

    const number = newPhoneNumber(workspace.id, { e164: '+12025550177', aliases: ['phone_abc123', '456'] })
    const madeNumber = await store.createPhoneNumber({ ...number, trunkId: madeTrunk.id })
    assert.deepEqual(madeNumber.aliases.toSorted(), ['456', 'phone_abc123'])
    assert.equal(madeNumber.trunkId, madeTrunk.id)
    for (const ref of ['phone_abc123', '456', String(madeNumber.id)])
      assert.deepEqual(await store.findPhoneNumber(workspace.id, ref), madeNumber)
    for (const ref of ['', '0', '-1', '1.5', 'nobody', '9'.repeat(40), '__proto__'])
      assert.equal(await store.findAgent(workspace.id, ref), null, ref)
    assert.equal(await store.getTrunk(never), null)
    assert.equal(await store.getAgent(never), null)
  })

  test('an alias that is an id or an alias already is refused, and nothing is left of the create', async t => {
    const { store, workspace, agent, phoneNumber } = await setUp(t, engine, { agent: { aliases: ['bot'] } })
    const taken = { kind: 'conflict', code: 'alias_taken' }
    for (const alias of ['bot', String(agent.id), `agt_${agent.id}`])
      await assert.rejects(store.createAgent(newAgent(workspace.id, { aliases: ['free', alias] })), taken)
    for (const alias of ['bot', String(phoneNumber.id), `phone_${phoneNumber.id}`]) {
      const number = newPhoneNumber(workspace.id, { e164: '+12025550111', aliases: ['free', alias] })
      await assert.rejects(store.createPhoneNumber(number), taken)
    }
    await assert.rejects(store.createAgent(newAgent(workspace.id, { aliases: ['two', 'two'] })), taken)
    assert.deepEqual(await store.listAgents(workspace.id, firstTen), [agent])
    assert.deepEqual(await store.listPhoneNumbers(workspace.id, firstTen), [phoneNumber])
    assert.equal(await store.findAgent(workspace.id, 'free'), null)
  })

  test('a new id is none that an alias has taken, its own aliases included', async t => {
    const { store, workspace, agent } = await setUp(t, engine)
    const next = agent.id + 1
    const named = await store.createAgent(newAgent(workspace.id, { aliases: [String(next)] }))
    assert.notEqual(named.id, next)
    const prefixed = await store.createAgent(newAgent(workspace.id, { aliases: [`agt_${named.id + 2}`] }))
    const other = await store.createAgent(newAgent(workspace.id))
    const ids = [agent.id, named.id, prefixed.id, other.id]
    assert.equal(new Set([...ids, next, named.id + 2]).size, 6)
    assert.deepEqual(await store.findAgent(workspace.id, String(next)), named)
    assert.deepEqual(await store.findAgent(workspace.id, String(other.id)), other)
  })

  test('a phone number is refused with a foreign trunk or agent, and a second time', async t => {
    const { store, workspace } = await setUp(t, engine)
    const other = await furnish(store)
    const number = newPhoneNumber(workspace.id, { e164: '+12025550122' })
    const create = (changes: object) => store.createPhoneNumber({ ...number, ...changes })
    await assert.rejects(create({ trunkId: other.trunk.id }), { kind: 'not-found', code: 'unknown_trunk' })
    await assert.rejects(create({ trunkId: never }), { code: 'unknown_trunk' })
    await assert.rejects(create({ agentId: other.agent.id }), { kind: 'not-found', code: 'unknown_agent' })
    const { id } = await create({})
    await assert.rejects(create({}), { kind: 'conflict', code: 'number_taken', details: { id } })
  })

  test("the default number is the agent's first, else the workspace's first, else none", async t => {
    const store = await engine.open()
    t.after(() => store.close())
    const { id: workspaceId } = await store.createWorkspace('demo', start)
    const agent = await store.createAgent(newAgent(workspaceId))
    assert.equal(await store.defaultPhoneNumber(workspaceId, agent.id), null)
    const add = (e164: string, agentId: number | null) =>
      store.createPhoneNumber(newPhoneNumber(workspaceId, { e164, agentId }))
    const first = await add('+12025550101', null)
    assert.deepEqual(await store.defaultPhoneNumber(workspaceId, agent.id), first)
    const own = await add('+12025550102', agent.id)
    await add('+12025550103', agent.id)
    assert.deepEqual(await store.defaultPhoneNumber(workspaceId, agent.id), own)
  })

  test('lists go on after the last id of the page before', async t => {
    const { store, workspace, agent } = await setUp(t, engine)
    const made = [agent]
    for (const name of ['B', 'C', 'D']) made.push(await store.createAgent(newAgent(workspace.id, { name })))
    const first = await store.listAgents(workspace.id, { limit: 3 })
    const second = await store.listAgents(workspace.id, { after: first.at(-1)!.id, limit: 3 })
    assert.deepEqual([first.length, ...first, ...second], [3, ...made])
  })

  test('nothing of one workspace is found, listed or named from another', async t => {
    const { store, workspace, agent, trunk, phoneNumber } = await setUp(t, engine, {
      agent: { aliases: ['bot'] },
    })
    const other = await furnish(store, { agent: { aliases: ['bot'] } })
    const { id } = other.workspace
    assert.notEqual(id, workspace.id)
    assert.deepEqual(await store.findAgent(id, 'bot'), other.agent)
    assert.equal(await store.findAgent(id, String(agent.id)), null)
    assert.equal(await store.findTrunk(id, String(trunk.id)), null)
    assert.equal(await store.findPhoneNumber(id, String(phoneNumber.id)), null)
    assert.deepEqual(await store.listAgents(id, firstTen), [other.agent])
    assert.deepEqual(await store.listPhoneNumbers(id, firstTen), [other.phoneNumber])
    assert.equal((await store.listTrunks(id, firstTen)).length, 2)
    await store.suppress(id, ['+12025550190'], 'asked', start)
    assert.deepEqual(await store.listSuppressions(workspace.id, firstTen), [])
    assert.equal(await store.unsuppress(workspace.id, '+12025550190', start), false)
  })

  test('the suppression list keeps the first reason, is read in order, and tells each change once', async t => {
    const { store, workspace, events } = await setUp(t, engine)
    const numbers = ['+12025550133', '+12025550131', '+12025550132']
    const made = await store.suppress(workspace.id, numbers, 'asked', start)
    assert.deepEqual(
      made.map(({ number }) => number),
      numbers,
    )
    const again = await store.suppress(workspace.id, [numbers[0]!], 'again', start + 9)
    assert.deepEqual(again, [made[0]])
    const page = await store.listSuppressions(workspace.id, { limit: 2 })
    const rest = await store.listSuppressions(workspace.id, { afterNumber: page.at(-1)!.number, limit: 2 })
    assert.deepEqual(
      [...page, ...rest].map(({ number }) => number),
      numbers.toSorted(),
    )
    assert.equal(await store.unsuppress(workspace.id, numbers[0]!, start), true)
    assert.equal(await store.unsuppress(workspace.id, numbers[0]!, start), false)
    const told = ['number.suppressed', 'number.suppressed', 'number.suppressed', 'number.unsuppressed']
    assert.deepEqual(await events(null), told)
  })
}

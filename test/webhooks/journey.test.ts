// 5,000 calls on virtual time, told to a real server on loopback that is killed and started again, and loses answers.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { OutboxEvent } from '../../src/domain/event.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { VirtualClock } from '../../src/runtime/virtual-clock.ts'
import type { Store } from '../../src/store/store.ts'
import { createEndpoint } from '../../src/webhooks/control-endpoint.ts'
import type { Webhooks } from '../../src/webhooks/open-webhooks.ts'
import { openSwitchboard, people, type Switchboard, startAt } from '../dispatcher/switchboard.ts'
import { newEndpoint } from './delivery-house.ts'
import { type Received, Receiver } from './receiver.ts'
import { webhooksFor } from './webhook-desk.ts'

const seed = Number(process.env.SEED ?? 4)
const places = 200
const batches = 5
const callsOfBatch = 1_000
const minute = 60_000

const publicUrl = 'http://localhost'
const idOf = ({ headers }: Received) => Number(/^evt_(\d+)$/.exec(String(headers['webhook-id']))?.[1])

/** Everything that the outbox holds since the endpoint was made. */
async function eventsSince(store: Store, after: number): Promise<OutboxEvent[]> {
  return store.listEvents(null, { after, limit: 100_000 })
}

/** The order of first arrival within each batch is the order of events; a repeat comes before the next one does. */
function assertInOrder(received: readonly Received[], events: readonly OutboxEvent[]): void {
  const batchOf = new Map(events.map(({ id, batchId }) => [id, batchId]))
  const last = new Map<number | null, number>()
  for (const one of received) {
    const id = idOf(one)
    const batchId = batchOf.get(id) ?? null
    assert.ok(
      id >= (last.get(batchId) ?? 0),
      `event ${id} of batch ${batchId} came after ${last.get(batchId)}`,
    )
    last.set(batchId, id)
  }
}

async function addBatches(board: Switchboard, each = callsOfBatch): Promise<void> {
  const line = await board.addLine()
  const endings = [90, 90, 92, 93]
  for (let index = 0; index < batches; index++) {
    const numbers = people(each, endings[index % endings.length], index * 10_000)
    await board.addBatch(`batch ${index}`, { people: numbers, line })
  }
}

test(`a receiver that is killed and loses answers is told of every call of 5,000, in order (SEED=${seed})`, async t => {
  const receiver = await Receiver.open(t)
  const random = seededRandom(seed)
  let webhooks: Webhooks | null = null
  const isBusy = () => receiver.isBusy || (webhooks?.figures().inFlight ?? 0) > 0
  const clock = new VirtualClock(startAt, isBusy)
  const board = await openSwitchboard(t, { clock, maxConcurrentCalls: places })
  const { store, workspaceId } = board
  webhooks = webhooksFor(store, { clock })
  const endpoint = await createEndpoint({ store, clock, webhooks }, newEndpoint(workspaceId, receiver.url))
  webhooks.start({ nodeId: 'node-1', publicUrl })
  receiver.answer = () => {
    const chance = random()
    return chance < 0.02 ? { hangUp: true } : { status: chance < 0.04 ? 503 : 204 }
  }
  // Down for 40 s, and for two minutes.
  for (const [downMs, upMs] of [
    [20_000, 60_000],
    [90_000, 210_000],
  ] as const) {
    clock.at(startAt + downMs, () => receiver.kill())
    clock.at(startAt + upMs, () => void receiver.start())
  }
  await addBatches(board)
  board.dial()
  await board.finish()
  const endedAt = clock.now()
  const isTold = async () => (await store.oldestWaitingEventAt()) === null
  while (!(await isTold())) {
    assert.ok(clock.now() - endedAt < 60 * minute, 'everything is told within the hour')
    await board.pass(minute)
  }
  await webhooks.stop()
  const events = await eventsSince(store, endpoint.position)
  const ids = new Set(receiver.received.map(idOf))
  assert.deepEqual(
    events.filter(({ id }) => !ids.has(id)),
    [],
  )
  assert.equal(ids.size, events.length, 'nothing was told that did not happen')
  assert.ok(receiver.received.length > ids.size, 'answers were lost, and their events told again')
  assert.equal(events.filter(({ type }) => type === 'attempt.ended').length, batches * callsOfBatch)
  assertInOrder(receiver.received, events)
})

test('a process that is killed at any moment passes over no event', async t => {
  const receiver = await Receiver.open(t)
  const dir = await mkdtemp(join(tmpdir(), 'outdial-webhooks-'))
  t.after(() => rm(dir, { recursive: true, force: true }))
  const path = join(dir, 'store.db')
  let webhooks: Webhooks | null = null
  const clock = new VirtualClock(startAt, () => (webhooks?.figures().inFlight ?? 0) > 0)
  const board = await openSwitchboard(t, { clock, path, maxConcurrentCalls: places })
  const { workspaceId } = board
  let life = 0
  // Each life holds the store through a wire that is cut when it dies: nothing that it still does reaches the disk.
  const begin = () => {
    life++
    const wire = cutWire(board.store)
    webhooks = webhooksFor(wire.store, { clock })
    webhooks.start({ nodeId: `life-${life}`, publicUrl })
    return wire
  }
  const desk = webhooksFor(board.store, { clock })
  const endpoint = await createEndpoint(
    { store: board.store, clock, webhooks: desk },
    newEndpoint(workspaceId, receiver.url),
  )
  await addBatches(board, 40)
  board.dial()
  const random = seededRandom(seed)
  let wire = begin()
  // Dies in the middle of an answer, at a moment of chance.
  let untilDeath = 1 + Math.floor(random() * 30)
  receiver.answer = () => {
    if (--untilDeath === 0) wire.cut()
    return {}
  }
  const deaths = 12
  for (let death = 0; death < deaths; death++) {
    await board.pass(2_000)
    if (!wire.isCut()) continue
    await Promise.all([webhooks!.stop(), clock.run({ until: clock.now() + 5_000 })])
    untilDeath = 1 + Math.floor(random() * 30)
    wire = begin()
  }
  untilDeath = Number.POSITIVE_INFINITY
  await board.finish()
  for (let look = 0; (await board.store.oldestWaitingEventAt()) !== null; look++) {
    assert.ok(look < 60, 'everything is told within the hour')
    await board.pass(minute)
  }
  await webhooks!.stop()
  assert.ok(life > 3, `it died ${life - 1} times`)
  const events = await eventsSince(board.store, endpoint.position)
  assert.deepEqual(
    [...new Set(receiver.received.map(idOf))].sort((one, other) => one - other),
    events.map(({ id }) => id),
  )
  assertInOrder(receiver.received, events)
})

/** A store that fails whatever is asked of it once it is cut, also what is under way. */
function cutWire(store: Store) {
  let isCut = false
  const held = new Proxy(store, {
    get(target, name: keyof Store) {
      const method = target[name] as (...args: never[]) => unknown
      if (name === 'onEvents' || name === 'onWork') return method
      return async (...args: never[]) => {
        if (isCut) throw new Error('the process is dead')
        const result = await method(...args)
        if (isCut) throw new Error('the process is dead')
        return result
      }
    },
  })
  return {
    store: held,
    isCut: () => isCut,
    cut() {
      isCut = true
    },
  }
}

test('a dead endpoint beside a batch takes nothing from calling', async t => {
  const ends: (number | null)[] = []
  for (const isBeside of [false, true]) {
    const board = await openSwitchboard(t, { maxConcurrentCalls: places })
    const { store, clock, workspaceId } = board
    let open = 0
    let most = 0
    const webhooks = webhooksFor(store, {
      clock,
      sender: {
        // It takes the connection and says nothing.
        async send({ timeoutMs }) {
          most = Math.max(most, ++open)
          await new Promise<void>(resolve => clock.at(clock.now() + timeoutMs, resolve))
          open--
          return { status: null, durationMs: timeoutMs, error: 'late', response: null, retryAfter: null }
        },
        close() {},
      },
    })
    if (isBeside) {
      await createEndpoint({ store, clock, webhooks }, newEndpoint(workspaceId))
      webhooks.start({ nodeId: 'node-1', publicUrl })
    }
    await addBatches(board, 200)
    board.dial()
    await board.finish()
    for (let index = 0; index < batches; index++) ends.push((await board.batch(`batch ${index}`)).completedAt)
    assert.ok(most <= batches + 1, `${most} tries under way at once`)
    await Promise.all([webhooks.stop(), clock.run({ until: clock.now() + 20_000 })])
  }
  assert.deepEqual(ends.slice(batches), ends.slice(0, batches), 'every batch ends in the same millisecond')
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { grouped } from '../../src/runtime/grouped.ts'

/** Answers with the double, when it is let. */
function slowDoubler() {
  const groups: number[][] = []
  const answers: (() => void)[] = []
  const ask = grouped(async (numbers: number[]) => {
    groups.push(numbers)
    await new Promise<void>(resolve => void answers.push(resolve))
    if (numbers.includes(13)) throw new Error('thirteen')
    return numbers.map(number => 2 * number)
  })
  return {
    groups,
    ask,
    async answer() {
      await nextTurn()
      answers.shift()!()
      await nextTurn()
    },
  }
}

test('questions of one turn are asked together, and those that come meanwhile together after them', async () => {
  const doubler = slowDoubler()
  const first = [1, 2].map(doubler.ask)
  await nextTurn()
  const second = [3, 4, 5].map(doubler.ask)
  await nextTurn()
  assert.deepEqual(doubler.groups, [[1, 2]])
  await doubler.answer()
  assert.deepEqual(await Promise.all(first), [2, 4])
  await doubler.answer()
  assert.deepEqual(await Promise.all(second), [6, 8, 10])
  assert.deepEqual(doubler.groups, [
    [1, 2],
    [3, 4, 5],
  ])
})

test('a failure is everybody’s of its group and nobody else’s, and the next question is asked as ever', async () => {
  const doubler = slowDoubler()
  const failing = Promise.allSettled([12, 13].map(doubler.ask))
  await nextTurn()
  const next = doubler.ask(14)
  await doubler.answer()
  assert.deepEqual(
    (await failing).map(({ status }) => status),
    ['rejected', 'rejected'],
  )
  await doubler.answer()
  assert.equal(await next, 28)
  const later = doubler.ask(15)
  await doubler.answer()
  assert.equal(await later, 30)
})

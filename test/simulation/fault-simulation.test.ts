// Lives in a faulty world, each from its seed: no promise is broken, and the same seed is the same life.
import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { test } from 'node:test'
import { simulateLife } from './life.ts'
import { simulateLives } from './seed-crew.ts'
import { Summary, storyOf } from './summary.ts'

/** `npm run simulate:faults -- --seeds 10000` goes farther than a test run has time for. */
const seeds = 120

test(`in ${seeds} lives in a faulty world no promise is broken`, async t => {
  const summary = new Summary()
  const startedAt = performance.now()
  await simulateLives({
    from: 1,
    seeds,
    workers: availableParallelism(),
    onLife(report) {
      summary.add(report)
      return report.violation !== null
    },
  })
  t.diagnostic(summary.text(performance.now() - startedAt))
  assert.deepEqual(summary.broken.map(storyOf), [])
  // A fault that never came proves nothing.
  for (const [what, count] of Object.entries(summary.figures)) assert.ok(count > 0, `no ${what}`)
})

// One node that is alone and one of several, so that a difference can come from either.
for (const seed of [2, 3, 10])
  test(`seed ${seed} gives the same life twice, event by event`, async () => {
    const [first, second] = [await simulateLife(seed), await simulateLife(seed)]
    assert.equal(first.hash, second.hash)
    assert.ok(first.figures.events > 0)
  })

// The promises hold whatever happens: a hundred random lives of a workspace, each from its seed.
import { test } from 'node:test'
import { RandomWalk } from './random-walk.ts'

/** `WALK_SEED=123` replays one walk; `WALKS=5000` walks farther than a test run has time for. */
const { WALK_SEED, WALKS = '100' } = process.env
const firstSeed = Number(WALK_SEED ?? 1)
const walks = WALK_SEED === undefined ? Number(WALKS) : 1

test(`in ${walks} random lives from seed ${firstSeed} on no promise is broken`, async () => {
  for (let seed = firstSeed; seed < firstSeed + walks; seed++) {
    const closing: (() => Promise<void>)[] = []
    try {
      await new RandomWalk(seed).run({ after: close => closing.push(close) })
      for (const close of closing) await close()
    } catch (error) {
      throw new Error(`the walk of seed ${seed} broke a promise (replay it with WALK_SEED=${seed})`, {
        cause: error,
      })
    }
  }
})

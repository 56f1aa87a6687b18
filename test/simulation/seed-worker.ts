// One worker of the seed crew: takes a seed, lives it, reports.
import { simulateLife } from './life.ts'

process.on('message', async ({ seed }: { seed: number }) => {
  process.send?.(await simulateLife(seed))
})

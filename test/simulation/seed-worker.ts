// One worker of the seed crew: takes a seed, lives it, reports.
import { simulateLife } from './life.ts'

/** A closed database keeps its memory until its statements are collected, and nothing tells the collector of that. */
const collectEvery = 20
let lives = 0

process.on('message', async ({ seed }: { seed: number }) => {
  const report = await simulateLife(seed)
  if (++lives % collectEvery === 0) globalThis.gc?.()
  process.send?.(report)
})

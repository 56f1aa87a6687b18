// Runs every benchmark, one after the other, and prints what each says. Some five minutes: node bench/all.ts
import { spawn } from 'node:child_process'
import { arch, availableParallelism, cpus, loadavg, platform, release, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { withFolder } from './open-app.ts'

const benchmarks: readonly (readonly [name: string, ...args: string[]])[] = [
  ['ingest'],
  ['dispatch'],
  ['occupancy'],
  ['wake-up'],
  ['fairness'],
  ['loop-delay', '2'],
  ['reports'],
  ['memory'],
]
/** None takes half as long on a quiet machine. */
const maxRunMs = 180_000

console.log(
  `Node ${process.version}, ${platform()} ${release()} ${arch()}, ${availableParallelism()} × ${cpus()[0]?.model}, ` +
    `${Math.round(totalmem() / 2 ** 30)} GB`,
)
const failed: string[] = []
await withFolder(async folder => {
  for (const [name, ...args] of benchmarks) {
    console.log(`\n== bench/${name}.ts ${args.join(' ')} (load ${loadavg()[0]?.toFixed(1)})`)
    if ((await run(name, args, folder)) !== 0) failed.push(name)
  }
})
if (failed.length > 0) {
  console.error(`\nfailed: ${failed.join(', ')}`)
  process.exitCode = 1
}

/** Benchmarks that need the million people share one set of them. */
function run(name: string, args: readonly string[], sharedFolder: string): Promise<number | null> {
  const child = spawn(process.execPath, [fileURLToPath(new URL(`${name}.ts`, import.meta.url)), ...args], {
    stdio: 'inherit',
    env: { ...process.env, OUTDIAL_BENCH_DIR: sharedFolder },
    timeout: maxRunMs,
  })
  return new Promise(resolve => child.once('close', resolve))
}

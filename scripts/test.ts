// `npm test [files or folders…]`: provides what the tests need from outside npm, then runs them with Node's own runner.
import { spawnSync } from 'node:child_process'
import { globSync, statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { type Peer, provide } from './peers.ts'

/** A test that hangs fails by name instead of holding up the run. The kill tests take the longest, about a minute. */
const testTimeoutMs = 300_000

/** Each file is a process of its own that loads much the same modules: compiled once, a fifth of the time is saved. */
const compileCache = resolve('node_modules', '.cache', 'compiled')

const missing = provide()
report(missing)
if (missing.length > 0 && process.env.CI === 'true') process.exit(1)
process.exit(runTests(process.argv.slice(2)))

function report(missing: Peer[]): void {
  for (const { name, debianPackage, neededFor } of missing) {
    console.error(
      `Missing: ${name}, needed for ${neededFor} (Debian and Ubuntu: apt-get install ${debianPackage}).`,
    )
  }
  if (missing.length > 0) {
    const what = process.env.CI === 'true' ? 'CI must run every test' : 'the tests that need it are skipped'
    console.error(`${what[0]?.toUpperCase()}${what.slice(1)}.`)
  }
}

/** Options (`--test-name-pattern=…`) go to Node's runner as they are. */
function runTests(args: string[]): number {
  const options = args.filter(arg => arg.startsWith('-'))
  const places = args.filter(arg => !arg.startsWith('-'))
  const files = (places.length === 0 ? ['test'] : places).flatMap(testFilesIn)
  if (files.length === 0) {
    console.error(`No test files in ${places.join(', ')}.`)
    return 1
  }
  const runner = [
    '--test',
    '--test-reporter=spec',
    `--test-timeout=${testTimeoutMs}`,
    `--test-concurrency=${Math.max(2, availableParallelism())}`,
  ]
  const env = { NODE_COMPILE_CACHE: compileCache, ...process.env }
  return spawnSync(process.execPath, [...runner, ...options, ...files], { stdio: 'inherit', env }).status ?? 1
}

function testFilesIn(place: string): string[] {
  if (statSync(place, { throwIfNoEntry: false })?.isFile()) return [place]
  return globSync(join(place, '**/*.test.ts')).sort()
}

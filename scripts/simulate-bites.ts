// `npm run simulate:bites [-- NN …]`: does the fault simulation notice a bug? Each patch of test/simulation/bites plants one
// in a copy of the source, never in the working tree. Exit code 1 when one is not caught, or does not apply any more.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { LifeReport } from '../test/simulation/life.ts'

/** A bug that so many lives do not show is not caught. */
const maxSeeds = 400
const copied = ['src', 'test/simulation', 'test/dispatcher', 'scripts/simulate-faults.ts', 'package.json']

const fellOver = /^(an error that nobody expected|the process ended|the life hangs)/

const root = join(import.meta.dirname, '..')
const bitesDir = join(root, 'test/simulation/bites')

interface Bite {
  name: string
  /** First line of the patch file: what is wrong with it. */
  bug: string
}

interface Verdict {
  bite: Bite
  caught: boolean
  said: string
  lives: number
  tookMs: number
}

const wanted = process.argv.slice(2)
const bites = readdirSync(bitesDir)
  .filter(
    name => name.endsWith('.patch') && (wanted.length === 0 || wanted.some(one => name.startsWith(one))),
  )
  .sort()
  .map(name => ({ name, bug: readFileSync(join(bitesDir, name), 'utf8').split('\n', 1)[0]! }))

process.exitCode = (await runAll()) ? 0 : 1

async function runAll(): Promise<boolean> {
  const sound = await simulate(root, 2, 60)
  if (sound.broken !== null) {
    console.log(
      `Without any patch seed ${sound.broken.seed} breaks "${sound.broken.violation?.promise}": nothing is proved.`,
    )
    return false
  }
  const left = [...bites]
  const verdicts: Verdict[] = []
  const work = async () => {
    for (let bite = left.shift(); bite !== undefined; bite = left.shift()) {
      const verdict = await tryBite(bite)
      verdicts.push(verdict)
      print(verdict)
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work))
  const missed = verdicts.filter(({ caught }) => !caught)
  console.log(`\n${verdicts.length - missed.length} of ${verdicts.length} planted bugs were caught.`)
  return missed.length === 0 && verdicts.length > 0
}

async function tryBite(bite: Bite): Promise<Verdict> {
  const startedAt = Date.now()
  const place = mkdtempSync(join(tmpdir(), 'outdial-bite-'))
  try {
    copySource(place)
    const failure = plant(bite, place)
    if (failure !== null)
      return { bite, caught: false, said: `the patch does not apply: ${failure}`, lives: 0, tookMs: 0 }
    const { lives, broken } = await simulate(place, 1, maxSeeds)
    // A patch that only makes the program fall over proves nothing of the checks.
    const caught = broken !== null && !fellOver.test(broken.violation?.what ?? '')
    const said =
      broken === null
        ? 'no promise was broken'
        : `"${broken.violation?.promise}" at seed ${broken.seed}: ${broken.violation?.what.split('\n', 1)[0]}`
    return { bite, caught, said, lives, tookMs: Date.now() - startedAt }
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}

function copySource(place: string): void {
  for (const path of copied) {
    mkdirSync(dirname(join(place, path)), { recursive: true })
    cpSync(join(root, path), join(place, path), { recursive: true })
  }
  symlinkSync(join(root, 'node_modules'), join(place, 'node_modules'))
}

/** Returns why it could not. */
function plant({ name }: Bite, place: string): string | null {
  const env = { ...process.env, GIT_CEILING_DIRECTORIES: dirname(place) }
  const { status, stderr, error } = spawnSync('git', ['apply', '-C1', join(bitesDir, name)], {
    cwd: place,
    env,
    encoding: 'utf8',
  })
  return status === 0 ? null : (error?.message ?? stderr.trim())
}

/** Runs until the first broken promise. */
function simulate(
  place: string,
  workers: number,
  seeds: number,
): Promise<{ lives: number; broken: LifeReport | null }> {
  const args = ['--seeds', String(seeds), '--workers', String(workers), '--until-broken', '--json']
  const child = spawn(process.execPath, ['scripts/simulate-faults.ts', ...args], {
    cwd: place,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return new Promise((resolve, reject) => {
    const [output, complaints] = [collect(child, 'stdout'), collect(child, 'stderr')]
    child.on('error', reject)
    child.on('close', () => {
      try {
        resolve(JSON.parse(output()) as { lives: number; broken: LifeReport | null })
      } catch {
        reject(new Error(`the simulation in ${place} said nothing: ${complaints()}`))
      }
    })
  })
}

function collect(child: ChildProcess, stream: 'stdout' | 'stderr'): () => string {
  let text = ''
  child[stream]?.on('data', (chunk: Buffer) => {
    text += chunk.toString('utf8')
  })
  return () => text
}

function print({ bite, caught, said, lives, tookMs }: Verdict): void {
  console.log(`${caught ? 'caught' : 'MISSED'}  ${bite.name}: ${bite.bug}`)
  console.log(`        ${said} (${lives} lives, ${(tookMs / 1_000).toFixed(1)} s)`)
}

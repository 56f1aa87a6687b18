// `npm run simulate:faults -- --seeds 1000 [--from 1] [--workers 2] [--until-broken]`: many lives of a workspace in a faulty
// world on virtual time; `--seed 7 --verbose` replays one and tells all of it. Exit code 1 when a promise was broken.
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { simulateLife } from '../test/simulation/life.ts'
import { simulateLives } from '../test/simulation/seed-crew.ts'
import { Summary, storyOf } from '../test/simulation/summary.ts'

const reportEveryMs = 10_000
const storiesTold = 5

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '200' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    workers: { type: 'string', default: String(availableParallelism()) },
    verbose: { type: 'boolean', default: false },
    'until-broken': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
})

// `--verbose | head` has seen enough.
process.stdout.on('error', () => process.exit(1))

process.exitCode = await (values.seed === undefined ? many() : one(number('seed', values.seed)))

async function one(seed: number): Promise<number> {
  const report = await simulateLife(seed, values.verbose ? console.log : undefined)
  const summary = new Summary()
  summary.add(report)
  console.log(report.violation === null ? `Seed ${seed}: every promise was kept.` : storyOf(report))
  console.log(`Hash of all that happened: ${report.hash}`)
  return summary.broken.length
}

async function many(): Promise<number> {
  const summary = new Summary()
  const startedAt = Date.now()
  let reportedAt = startedAt
  await simulateLives({
    from: number('from', values.from),
    seeds: number('seeds', values.seeds),
    workers: number('workers', values.workers),
    onLife(report) {
      summary.add(report)
      if (report.violation !== null && summary.broken.length <= storiesTold && !values.json)
        console.log(`${storyOf(report)}\n`)
      if (Date.now() - reportedAt > reportEveryMs && !values.json) {
        reportedAt = Date.now()
        console.log(`… ${summary.lives} of ${values.seeds} lives, ${summary.broken.length} broken`)
      }
      return values['until-broken'] && report.violation !== null
    },
  })
  if (values.json) console.log(JSON.stringify({ lives: summary.lives, broken: summary.broken[0] ?? null }))
  else {
    console.log(summary.text(Date.now() - startedAt))
    const more = summary.broken.map(({ seed }) => seed).sort((a, b) => a - b)
    if (more.length > 0) console.log(`Broken seeds: ${more.join(' ')}`)
  }
  return summary.broken.length === 0 ? 0 : 1
}

function number(name: string, text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= 0) return value
  console.error(`--${name} has to be a whole number, not "${text}".`)
  process.exit(2)
}

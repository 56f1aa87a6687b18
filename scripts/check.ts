// `npm run check`: everything that must hold besides the tests. All of it runs, then what failed is printed.
import { spawn } from 'node:child_process'

interface Check {
  name: string
  command: readonly [string, ...string[]]
}

const node = process.execPath
const bin = (name: string) => `node_modules/.bin/${name}`

const checks: readonly Check[] = [
  { name: 'format and lint (biome)', command: [bin('biome'), 'check', '--error-on-warnings', '.'] },
  { name: 'types (tsc)', command: [bin('tsc'), '-p', 'tsconfig.json'] },
  { name: 'unused files, exports and packages (knip)', command: [bin('knip'), '--no-progress'] },
  { name: 'layers and house rules', command: [node, '--test', 'test/architecture/*.test.ts'] },
  { name: 'generated pages are fresh', command: [node, 'scripts/make-docs.ts', '--check'] },
]

interface Verdict {
  check: Check
  passed: boolean
  output: string
}

const verdicts = await Promise.all(checks.map(run))
for (const { check, passed, output } of verdicts) {
  console.log(`${passed ? 'ok    ' : 'FAILED'}  ${check.name}`)
  if (!passed) console.log(`\n${output.trimEnd()}\n`)
}
process.exit(verdicts.every(({ passed }) => passed) ? 0 : 1)

function run(check: Check): Promise<Verdict> {
  return new Promise(resolve => {
    const [command, ...args] = check.command
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32',
    })
    let output = ''
    const collect = (chunk: Buffer) => {
      output += chunk.toString('utf8')
    }
    child.stdout.on('data', collect)
    child.stderr.on('data', collect)
    child.on('error', error => resolve({ check, passed: false, output: error.message }))
    child.on('close', code => resolve({ check, passed: code === 0, output }))
  })
}

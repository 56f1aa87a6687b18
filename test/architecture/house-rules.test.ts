// Rules of the house that no linter knows: where time, chance and the environment come in, and how large a file may be.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type SourceFile, sourceFiles } from './source-files.ts'

const maxLines = 300
const files = sourceFiles()

/** Lines of code outside `allowed` paths that match `pattern`, as `path:line`. */
function offences(pattern: RegExp, allowed: (file: SourceFile) => boolean): string[] {
  return files
    .filter(file => !allowed(file))
    .flatMap(({ path, code }) =>
      code
        .split('\n')
        .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1} ${line.trim()}`] : [])),
    )
}

const under =
  (...folders: string[]) =>
  (file: SourceFile) =>
    folders.some(folder => file.path.startsWith(folder))

test('only config.ts reads the environment', () => {
  assert.deepEqual(offences(/process\.env\b/, under('src/config.ts')), [])
})

test('time and timers come from runtime/', () => {
  const pattern =
    /\bDate\.now\(|\bnew Date\(\)|\bsetTimeout\(|\bsetInterval\(|performance\.now\(|Temporal\.Now/
  // At the rim no virtual clock reaches: a worker's time limit, and how long a commit gathers what it takes along,
  // when a connection that broke is tried again.
  assert.deepEqual(offences(pattern, under('src/runtime/', 'src/ingest/', 'src/store/')), [])
})

test('chance comes from runtime/, secrets from node:crypto', () => {
  assert.deepEqual(offences(/Math\.random\(/, under('src/runtime/')), [])
})

test('the rules in domain/ touch nothing outside themselves', () => {
  const broken = files
    .filter(under('src/domain/'))
    .flatMap(({ path, packages }) =>
      packages
        .filter(name => name.startsWith('node:') || name === 'fastify')
        .map(name => `${path} imports ${name}`),
    )
  assert.deepEqual(broken, [])
})

test("a vendor's words stand in its own dialect's folder", () => {
  const words =
    /formant|dialnexa|talkifai|customer_phone|total_leads|fromPhoneNumberId|concurrentCallLimit|did_not_pick|socket_failure/i
  // Where a dialect is named as one of several: the choice of them, the setting, the root that mounts them, and the
  // headers that files made for any of them have.
  const named = ['src/domain/batch.ts', 'src/config.ts', 'src/app.ts', 'src/http/api/phone-columns.ts']
  assert.deepEqual(offences(words, under('src/http/dialects/', ...named)), [])
})

test(`no file is longer than ${maxLines} lines`, () => {
  const every = [
    ...files,
    ...sourceFiles('test/**/*.ts'),
    ...sourceFiles('scripts/*.ts'),
    ...sourceFiles('bench/{,queues/}*.ts'),
  ]
  const long = every
    .map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
    .filter(({ lines }) => lines > maxLines)
  assert.deepEqual(long, [])
})

test('every file opens with a comment that says what lives there', () => {
  const silent = files.filter(({ text }) => !/^(#![^\n]*\n)?\/[/*]/.test(text)).map(({ path }) => path)
  assert.deepEqual(silent, [])
})

test('no file is called by a name that says nothing', () => {
  const empty = /(^|[/-])(utils?|helpers?|common|types|constants|manager|service|base|impl|index|misc)\.ts$/
  assert.deepEqual(
    files.filter(({ path }) => empty.test(path)).map(({ path }) => path),
    [],
  )
})

test('there are no enums and no default exports', () => {
  assert.deepEqual(
    offences(/^\s*(export\s+)?(const\s+)?enum\s|^export default/, () => false),
    [],
  )
})

// Who may import whom (ARCHITECTURE.md): code calls one way, downward, and only the composition root picks adapters.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sourceFiles } from './source-files.ts'

/** What each folder of src/ may import besides itself. A folder that is not listed here is a mistake. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  runtime: [],
  media: ['domain', 'runtime'],
  agent: ['media', 'domain', 'runtime'],
  carrier: ['agent', 'media', 'domain', 'runtime'],
  phones: ['carrier', 'agent', 'media', 'domain', 'runtime'],
  store: ['domain', 'runtime'],
  ingest: ['store', 'domain', 'runtime'],
  dispatcher: ['store', 'carrier', 'domain', 'runtime'],
  batches: ['ingest', 'store', 'agent', 'domain', 'runtime'],
  webhooks: ['store', 'domain', 'runtime'],
  housekeeping: ['batches', 'store', 'domain', 'runtime'],
  http: [
    'webhooks',
    'housekeeping',
    'batches',
    'ingest',
    'store',
    'dispatcher',
    'agent',
    'domain',
    'runtime',
  ],
  cli: [
    'app',
    'virtual-app',
    'store-app',
    'open-store',
    'config',
    'http',
    'housekeeping',
    'batches',
    'ingest',
    'store',
    'dispatcher',
    'phones',
    'domain',
    'runtime',
  ],
  config: ['store', 'runtime'],
  'virtual-app': ['app', 'config', 'batches', 'store', 'dispatcher', 'carrier', 'domain', 'runtime'],
  'store-app': ['open-store', 'housekeeping', 'store', 'runtime'],
  'open-store': ['config', 'store', 'runtime'],
  app: [
    'open-store',
    'config',
    'http',
    'webhooks',
    'housekeeping',
    'batches',
    'ingest',
    'store',
    'dispatcher',
    'carrier',
    'agent',
    'domain',
    'runtime',
  ],
}

/** Folders of adapters: whoever is outside sees only the port beside them. */
const adapters = [
  'src/store/sqlite/',
  'src/store/postgres/',
  'src/carrier/simulated/',
  'src/carrier/sip/',
  'src/http/dialects/',
]
const compositionRoots = ['src/app.ts', 'src/virtual-app.ts', 'src/store-app.ts', 'src/open-store.ts']
/** Telephones are made of the parts of a carrier: what rings them is turned round. */
const knowsCarriersFromWithin = (path: string, target: string) =>
  path.startsWith('src/phones/') && target.startsWith('src/carrier/')

/** The ports: the only files of these folders that others than the composition root import. */
const ports: Readonly<Record<string, readonly string[]>> = {
  store: [
    'src/store/store.ts',
    'src/store/dispatch-store.ts',
    'src/store/dispatch-records.ts',
    'src/store/node-records.ts',
    'src/store/lookups.ts',
    'src/store/webhook-records.ts',
    'src/store/housekeeping-store.ts',
    'src/store/store-tables.ts',
  ],
  carrier: ['src/carrier/carrier.ts'],
  agent: ['src/agent/agent.ts', 'src/agent/settings.ts', 'src/agent/connect-agent.ts', 'src/agent/echo.ts'],
}

const files = sourceFiles()

test('every folder imports only what lies below it', () => {
  const broken = files.flatMap(({ path, imports }) => {
    const from = folderOf(path)
    const allowed = mayImport[from]
    if (allowed === undefined) return [`${path}: the folder ${from} is not in the table of layers`]
    return imports
      .filter(
        target =>
          target.startsWith('src/') && folderOf(target) !== from && !allowed.includes(folderOf(target)),
      )
      .map(target => `${path} imports ${target}`)
  })
  assert.deepEqual(broken, [])
})

test('only the composition root imports adapters', () => {
  const broken = files
    .filter(({ path }) => !compositionRoots.includes(path))
    .flatMap(({ path, imports }) =>
      imports
        .filter(target => adapters.some(folder => target.startsWith(folder) && !path.startsWith(folder)))
        .filter(target => !knowsCarriersFromWithin(path, target))
        .map(target => `${path} imports ${target}`),
    )
  assert.deepEqual(broken, [])
})

test('the store and the carriers are reached through their ports', () => {
  const broken = files
    .filter(({ path }) => !compositionRoots.includes(path))
    .flatMap(({ path, imports }) =>
      imports
        .filter(target => {
          const ofFolder = ports[folderOf(target)]
          if (knowsCarriersFromWithin(path, target)) return false
          return ofFolder !== undefined && folderOf(path) !== folderOf(target) && !ofFolder.includes(target)
        })
        .map(target => `${path} imports ${target}`),
    )
  assert.deepEqual(broken, [])
})

test('no two dialects know each other', () => {
  const dialectOf = (path: string) => /^src\/http\/dialects\/([^/]+)\//.exec(path)?.[1]
  const broken = files.flatMap(({ path, imports }) =>
    imports
      .filter(
        target =>
          dialectOf(target) !== undefined &&
          dialectOf(path) !== undefined &&
          dialectOf(target) !== dialectOf(path),
      )
      .map(target => `${path} imports ${target}`),
  )
  assert.deepEqual(broken, [])
})

test('no file imports itself in a circle', () => {
  const graph = new Map(files.map(({ path, code }) => [path, valueImports(path, code)]))
  const done = new Set<string>()
  const circles: string[] = []
  const visit = (path: string, trail: string[]) => {
    if (trail.includes(path))
      return void circles.push([...trail.slice(trail.indexOf(path)), path].join(' → '))
    if (done.has(path)) return
    for (const target of graph.get(path) ?? []) visit(target, [...trail, path])
    done.add(path)
  }
  for (const path of graph.keys()) visit(path, [])
  assert.deepEqual(circles, [])
})

/** `import type` leaves nothing behind at run time, so it closes no circle. */
function valueImports(path: string, code: string): string[] {
  const typeOnly = new Set([...code.matchAll(/import type [^;]*?from\s*'([^']+)'/g)].map(match => match[1]!))
  const file = files.find(candidate => candidate.path === path)!
  return file.imports.filter(
    target => ![...typeOnly].some(specifier => target.endsWith(specifier.replace(/^(\.\.?\/)+/, ''))),
  )
}

/** `src/http/api/batches.ts` → `http`; a file directly in src/ is a folder of its own: `app`, `config`. */
function folderOf(path: string): string {
  return path.split('/')[1]!.replace(/\.ts$/, '')
}

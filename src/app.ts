// The composition root: the only file that picks adapters. A config becomes a listening, calling server, and ends well.
import { randomInt, randomUUID } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { AgentSurroundings } from './agent/settings.ts'
import { settingsForCalls } from './agent/settings.ts'
import type { Deps, TrunkProblem } from './batches/deps.ts'
import { seedWorkspace } from './batches/seed-workspace.ts'
import type { Carrier } from './carrier/carrier.ts'
import { carriersByKind } from './carrier/carriers-by-kind.ts'
import { LazyCarrier } from './carrier/lazy-carrier.ts'
import { openMediaPool } from './carrier/rtp/media-pool.ts'
import { CarrierRouter } from './carrier/simulated/carrier-router.ts'
import { CarrierServer } from './carrier/simulated/carrier-server.ts'
import { readAddress, readSettings } from './carrier/simulated/settings.ts'
import { SimulatedCarrier } from './carrier/simulated/simulated-carrier.ts'
import { openSipCarrier } from './carrier/sip/open-sip-carrier.ts'
import { readTrunkSettings } from './carrier/sip/trunk-settings.ts'
import { withTrunkDefaults } from './carrier/trunk-defaults.ts'
import type { Config } from './config.ts'
import { type DispatcherFigures, startDispatcher } from './dispatcher/dispatcher.ts'
import { type Batch, finishedBatchStatuses } from './domain/batch.ts'
import type { CallRates } from './domain/estimate.ts'
import type { Trunk } from './domain/workspace.ts'
import { Backups } from './housekeeping/backups.ts'
import { Housekeeper } from './housekeeping/housekeeper.ts'
import { type RestoredDir, type RestoreRequest, restoreDataDir } from './housekeeping/restore-data-dir.ts'
import { dialnexa } from './http/dialects/dialnexa/routes.ts'
import { formant } from './http/dialects/formant/routes.ts'
import { talkifai } from './http/dialects/talkifai/routes.ts'
import { buildServer } from './http/server.ts'
import { type Clock, realClock } from './runtime/clock.ts'
import { lockDataDir } from './runtime/data-dir-lock.ts'
import { type Logger, silentLogger } from './runtime/logger.ts'
import { seededRandom } from './runtime/random.ts'
import { VirtualClock } from './runtime/virtual-clock.ts'
import { restoreSqliteFile } from './store/sqlite/restore-file.ts'
import { openSqliteStore } from './store/sqlite/sqlite-store.ts'
import type { Store } from './store/store.ts'

/** A server that listens and calls. */
export interface App {
  /** Where it listens, e.g. `http://127.0.0.1:8080`. */
  url: string
  deps: Deps
  workspaceId: number
  /** A key that was made just now: this is the only moment at which it can be shown. */
  newApiKey: string | null
  /** Places no more calls, lets those under way end for `graceMs`, then closes everything. Idempotent. */
  stop(graceMs?: number): Promise<void>
}

const storeFile = 'outdial.db'
/** Without a seed of its own a simulated carrier plays the same calls at every start. */
const defaultSeed = 1
/** How long requests that are under way at the end may take. */
const requestGraceMs = 2_000

/**
 * Opens the data directory, clears up after a crash, listens, seeds the workspace at the first start, and calls.
 * @throws DataDirTaken; the listen error (`EADDRINUSE`, `EACCES` …) as Node has it
 */
export async function startApp(config: Config, logger: Logger): Promise<App> {
  const closers: (() => unknown)[] = []
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer()
  }
  try {
    return await open(config, logger, closers, close)
  } catch (error) {
    await close()
    throw error
  }
}

async function open(
  config: Config,
  logger: Logger,
  closers: (() => unknown)[],
  close: () => Promise<void>,
): Promise<App> {
  const clock = realClock
  const lock = lockDataDir(config.dataDir)
  closers.push(() => lock.release())
  const store = await openSqliteStore({ path: join(config.dataDir, storeFile) })
  closers.push(() => store.close())
  const recordingsDir = join(config.dataDir, 'recordings')
  const deps: Deps = { store, clock, config, logger, recordingsDir, trunkProblem }
  const backups = new Backups({ ...deps, dir: join(config.dataDir, 'backups'), recordingsDir })
  await backups.clear()
  closers.push(() => backups.close())
  const housekeeper = new Housekeeper(deps)
  closers.push(() => housekeeper.stop())
  let phase: 'starting' | 'running' | 'stopping' = 'starting'
  let sweepFound = () => 0
  const server = buildServer({
    ...deps,
    backups,
    uploadDir: join(config.dataDir, 'uploads'),
    dialects: [formant, dialnexa, talkifai],
    rootDialect: config.rootDialect,
    phase: () => phase,
    sweepFoundTotal: () => sweepFound(),
    housekeepingRemoved: () => ({ ...housekeeper.removed() }),
  })
  closers.push(() => closeServer(server, clock))
  // Before anything is seeded: a port that is taken must not cost the only showing of a new key.
  const url = await server.listen({ host: config.host, port: config.port })
  lock.announce(url)
  const { workspace, newApiKey } = await seedWorkspace(deps, config.apiKey)
  const carrier = openCarrier(clock, config, logger, recordingsDir)
  closers.push(() => carrier.close())
  const rates = ratesOf(config)
  const dispatcher = startDispatcher({ store, carrier, clock, logger, nodeId: randomUUID(), rates })
  sweepFound = () => dispatcher.figures().sweepFound
  housekeeper.start()
  phase = 'running'
  const stop = async (graceMs: number) => {
    phase = 'stopping'
    await dispatcher.stop({ graceMs })
    await close()
  }
  let stopped: Promise<void> | undefined
  return {
    url,
    deps,
    workspaceId: workspace.id,
    newApiKey,
    stop(graceMs = config.shutdownGraceMs) {
      stopped ??= stop(graceMs)
      return stopped
    },
  }
}

/** A client that never finishes its request must not keep the process from ending. */
async function closeServer(server: ReturnType<typeof buildServer>, clock: Clock): Promise<void> {
  const timer = clock.at(clock.now() + requestGraceMs, () => server.server.closeAllConnections())
  await server.close()
  timer.cancel()
}

function openCarrier(clock: Clock, config: Config, logger: Logger, recordingsDir: string): Carrier {
  const inProcess = new SimulatedCarrier({ clock, seed: defaultSeed })
  const simulated = withTrunkDefaults(new CarrierRouter({ inProcess, clock }), { ...config.simulated })
  const open = () => openRealCalls(clock, config, logger, recordingsDir)
  return carriersByKind({ simulated, sip: new LazyCarrier({ open, clock, logger }) })
}

/** SIP ports, media workers and the folder of recordings. */
async function openRealCalls(
  clock: Clock,
  { dataDir, calls }: Config,
  logger: Logger,
  recordingsDir: string,
): Promise<Carrier> {
  await mkdir(recordingsDir, { recursive: true })
  const { sipHost: host, sipPort: port, sipTlsPort: tlsPort, publicAddress, rtpPorts, mediaWorkers } = calls
  const workers = mediaWorkers === null ? {} : { workers: mediaWorkers }
  const media = await openMediaPool({ clock, logger, ports: rtpPorts, ...workers })
  const surroundings: AgentSurroundings = calls
  try {
    const { carrier } = await openSipCarrier({
      sip: { host, port, tlsPort, publicAddress, tls: { ca: null, verify: true, certificate: null } },
      dataDir,
      media,
      clock,
      logger,
      random: seededRandom(randomInt(2 ** 32)),
      agentSettings: agent => settingsForCalls(agent, surroundings),
      recordingPath: callId => join(recordingsDir, `${callId}.wav`),
    })
    return carrier
  } catch (error) {
    await media.close()
    throw error
  }
}

/** What is wrong with a trunk is said when it is made, not when it is dialled. */
function trunkProblem({ kind, settings }: Pick<Trunk, 'kind' | 'settings'>): TrunkProblem | null {
  const reads =
    kind === 'sip' ? [readTrunkSettings(settings)] : [readSettings(settings), readAddress(settings)]
  const problem = reads.find(read => 'error' in read)
  return problem === undefined ? null : { field: 'settings', message: problem.error }
}

function ratesOf({ rates }: Config): CallRates {
  return { pipeline: rates.pipelineMillicents, realtime: rates.realtimeMillicents }
}

/** A batch on virtual time. */
export interface Simulation {
  deps: Deps
  workspaceId: number
  /** Calls until the batch has ended, or nothing is left to happen (it paused itself). */
  run(batch: Batch): Promise<{ ended: Batch; openAtMost: number }>
  close(): Promise<void>
}

export interface SimulationOptions {
  seed: number
  /** Epoch ms: when the simulated day begins. */
  startAt: number
  /** Settings of the simulated trunk. */
  telephones: Readonly<Record<string, unknown>>
  config: Config
}

/** The server's own store, dispatcher and carrier, on a clock that jumps from event to event. Nothing is kept. */
export async function openSimulation(options: SimulationOptions): Promise<Simulation> {
  const { seed, startAt, telephones, config } = options
  const clock = new VirtualClock(startAt)
  const store = await openSqliteStore({ path: ':memory:', schedule: queueMicrotask })
  const logger = silentLogger
  const workspace = await store.createWorkspace('simulation', startAt)
  const simulated = new SimulatedCarrier({ clock, seed, remembersAll: true })
  const carrier = withTrunkDefaults(simulated, telephones)
  return {
    deps: { store, clock, config, logger },
    workspaceId: workspace.id,
    async run(batch) {
      const dispatcher = startDispatcher({
        store,
        carrier,
        clock,
        logger,
        nodeId: 'simulation',
        rates: ratesOf(config),
        sweepEveryMs: null,
      })
      const figures = () => dispatcher.figures()
      const ended = await runUntilEnded({ clock, store, batch, figures })
      await dispatcher.stop({ graceMs: 0 })
      return { ended, openAtMost: simulated.seen().maxConcurrent }
    },
    async close() {
      await carrier.close()
      await store.close()
    },
  }
}

interface SimulatedRun {
  clock: VirtualClock
  store: Store
  batch: Batch
  figures(): DispatcherFigures
}

/** Virtual time runs while the batch lives; returns it as it stands afterwards. */
async function runUntilEnded({ clock, store, batch, figures }: SimulatedRun): Promise<Batch> {
  const read = async () => (await store.getBatch(batch.workspaceId, batch.id)) ?? batch
  let hasEnded = false
  const unsubscribe = store.onEvents(() => {
    if (figures().running > 0) return
    void read().then(({ status }) => {
      hasEnded = finishedBatchStatuses.has(status)
    })
  })
  // On a clock that jumps, asking a store that fails again and again would never end.
  await clock.run({ done: () => hasEnded || figures().storeFailure !== null })
  unsubscribe()
  const { storeFailure } = figures()
  if (storeFailure !== null) throw new Error(`The simulation's store failed: ${storeFailure}`)
  return read()
}

/** A backup becomes a data directory, whose server dials nobody until it was accepted. @throws RestoreProblem */
export function restoreBackup(request: Omit<RestoreRequest, 'storeFile'>): Promise<RestoredDir> {
  return restoreDataDir({ ...request, storeFile }, restoreSqliteFile)
}

export interface RunningCarrier {
  /** Where trunks reach it (`settings.address`), e.g. `127.0.0.1:7070`. */
  address: string
  close(): Promise<void>
}

/** The simulated carrier for other processes; each dial is on disk in `logPath` before it is answered. */
export async function startCarrier(options: {
  port: number
  logPath: string
  seed: number
  onFailure(error: unknown): void
}): Promise<RunningCarrier> {
  const server = await CarrierServer.start({ ...options, clock: realClock })
  return { address: `127.0.0.1:${server.port}`, close: () => server.close() }
}

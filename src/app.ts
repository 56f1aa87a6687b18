// The composition root: the only file that picks adapters. A config becomes a listening, calling server, and ends well.
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { HeldCalls } from './agent/media-stream/held-calls.ts'
import type { AgentSurroundings } from './agent/settings.ts'
import { settingsForCalls } from './agent/settings.ts'
import type { Deps, TrunkProblem } from './batches/deps.ts'
import { seedWorkspace } from './batches/seed-workspace.ts'
import { keepSwept } from './batches/sweep-remains.ts'
import type { Carrier } from './carrier/carrier.ts'
import { carriersByKind } from './carrier/carriers-by-kind.ts'
import { LazyCarrier } from './carrier/lazy-carrier.ts'
import type { MediaPool } from './carrier/rtp/media.ts'
import { CarrierRouter } from './carrier/simulated/carrier-router.ts'
import { CarrierServer } from './carrier/simulated/carrier-server.ts'
import { readAddress, readSettings } from './carrier/simulated/settings.ts'
import { SimulatedCarrier } from './carrier/simulated/simulated-carrier.ts'
import { openRealCalls } from './carrier/sip/open-real-calls.ts'
import { readTrunkSettings } from './carrier/sip/trunk-settings.ts'
import { withTrunkDefaults } from './carrier/trunk-defaults.ts'
import type { Config } from './config.ts'
import { type Dispatcher, startDispatcher } from './dispatcher/dispatcher.ts'
import type { Presence } from './dispatcher/dispatcher-deps.ts'
import { NodePresence } from './dispatcher/node-presence.ts'
import type { CallRates } from './domain/estimate.ts'
import type { Trunk } from './domain/workspace.ts'
import { Backups } from './housekeeping/backups.ts'
import { Housekeeper } from './housekeeping/housekeeper.ts'
import { ownApi } from './http/api/own-api.ts'
import { dialnexa } from './http/dialects/dialnexa/routes.ts'
import { formant } from './http/dialects/formant/routes.ts'
import { talkifai } from './http/dialects/talkifai/routes.ts'
import { buildServer } from './http/server.ts'
import { type OpenedStore, openStore } from './open-store.ts'
import { type Clock, realClock } from './runtime/clock.ts'
import { lockDataDir } from './runtime/data-dir-lock.ts'
import type { Logger } from './runtime/logger.ts'
import { version } from './runtime/version.ts'
import { openWebhooks } from './webhooks/open-webhooks.ts'

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

/** Without a seed of its own a simulated carrier plays the same calls at every start. */
const defaultSeed = 1
/** How often nodes on one database look for what a dead one left half done. */
const sweepEveryMs = 60_000
/** How long requests that are under way at the end may take. */
const requestGraceMs = 2_000

/**
 * Opens the data directory, clears up after a crash, listens, seeds the workspace at the first start, and calls.
 * @throws DataDirTaken; DatabaseUnusable; RoleNeedsDatabase; the listen error (`EADDRINUSE`, `EACCES` …) as Node has it
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
  const lock = lockDataDir(config.dataDir)
  closers.push(() => lock.release())
  const { store, clock, alone, followStoreTime } = await openStore(config)
  closers.push(() => store.close())
  closers.push(await keepSwept({ store, clock, logger, everyMs: alone ? null : sweepEveryMs }))
  const recordingsDir = config.recordingsDir ?? join(config.dataDir, 'recordings')
  const heldCalls = new HeldCalls()
  const calling =
    config.role === 'api' ? null : openCarrier(clock, config, logger, { recordingsDir, heldCalls })
  const deps: Deps = {
    ...{ store, clock, config, logger, recordingsDir, trunkProblem },
    ...(calling !== null && {
      probeTrunk: async (trunk: Trunk, ask: boolean) => (await calling.carrier.probe?.(trunk, ask)) ?? [],
      trunkGateways: (trunk: Trunk) => calling.carrier.gateways?.(trunk) ?? [],
    }),
  }
  const backups = new Backups({ ...deps, dir: join(config.dataDir, 'backups'), recordingsDir })
  await backups.clear()
  closers.push(() => backups.close())
  const housekeeper = new Housekeeper(deps)
  closers.push(() => housekeeper.stop())
  let phase: 'starting' | 'running' | 'stopping' = 'starting'
  const dialects = [formant, dialnexa, talkifai]
  const formats = [ownApi, ...dialects].flatMap(({ webhook }) => webhook ?? [])
  const allowPrivate = config.webhookAllowPrivate
  const webhooks = openWebhooks({ store, clock, logger, formats, allowPrivate })
  let dispatcher: Dispatcher | null = null
  const server = buildServer({
    ...deps,
    webhooks,
    webhookFigures: () => webhooks.figures(),
    backups,
    uploadDir: join(config.dataDir, 'uploads'),
    dialects,
    rootDialect: config.rootDialect,
    phase: () => phase,
    sweepFoundTotal: () => dispatcher?.figures().sweepFound ?? 0,
    storeFailure: () => dispatcher?.figures().storeFailure ?? null,
    callsOnly: config.role === 'caller',
    housekeepingRemoved: () => ({ ...housekeeper.removed() }),
    ...(calling !== null && { updateCall: update => heldCalls.update(update) }),
  })
  closers.push(() => closeServer(server, clock))
  // Before anything is seeded: a port that is taken must not cost the only showing of a new key.
  const url = await server.listen({ host: config.host, port: config.port })
  lock.announce(url)
  const { workspace, newApiKey } = await seedWorkspace(deps, config.apiKey)
  const nodeId = randomUUID()
  // Every node delivers, whatever its role: a delivery has a lease like a call. Ends before the store does.
  closers.push(() => webhooks.stop())
  webhooks.start({ nodeId, publicUrl: config.publicUrl ?? url, alone })
  const shared = { store, clock, logger, alone, followStoreTime }
  if (calling === null) closers.push(await announce(shared, config))
  else {
    const { carrier, pacingLatenessMs } = calling
    closers.push(() => carrier.close())
    housekeeper.start()
    const presence = presenceOf(config)
    const rates = ratesOf(config)
    dispatcher = startDispatcher({ ...shared, carrier, nodeId, presence, pacingLatenessMs, rates })
  }
  phase = 'running'
  const stop = async (graceMs: number) => {
    phase = 'stopping'
    await dispatcher?.stop({ graceMs })
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

const presenceOf = ({ role }: Config): Presence => ({ name: `${hostname()}:${process.pid}`, role, version })

/** A node that only listens says that it lives; returns how it leaves. */
async function announce(
  { store, clock, logger, followStoreTime }: OpenedStore & { logger: Logger },
  config: Config,
): Promise<() => Promise<void>> {
  const presence = new NodePresence({
    store,
    clock,
    logger,
    node: { ...presenceOf(config), id: randomUUID(), startedAt: clock.now() },
    load: () => ({ running: 0, placed: 0, pacingLatenessMs: null }),
    followStoreTime,
  })
  await presence.start()
  return () => presence.stop()
}

/** A client that never finishes its request must not keep the process from ending. */
async function closeServer(server: ReturnType<typeof buildServer>, clock: Clock): Promise<void> {
  const timer = clock.at(clock.now() + requestGraceMs, () => server.server.closeAllConnections())
  await server.close()
  timer.cancel()
}

interface Calling {
  carrier: Carrier
  /** p99 over all media workers; null before the first real call. */
  pacingLatenessMs(): number | null
}

function openCarrier(
  clock: Clock,
  config: Config,
  logger: Logger,
  places: { recordingsDir: string; heldCalls: HeldCalls },
): Calling {
  const inProcess = new SimulatedCarrier({ clock, seed: defaultSeed })
  const simulated = withTrunkDefaults(new CarrierRouter({ inProcess, clock }), { ...config.simulated })
  const { dataDir, calls } = config
  const { sipHost: host, sipPort: port, sipTlsPort: tlsPort, publicAddress, tls } = calls
  let media: MediaPool | null = null
  const surroundings: AgentSurroundings = calls
  const open = async () => {
    const opened = await openRealCalls({
      ...calls,
      sip: { host, port, tlsPort, publicAddress, tls },
      dataDir,
      clock,
      logger,
      recordingsDir: places.recordingsDir,
      agentSettings: agent => settingsForCalls(agent, surroundings),
      held: places.heldCalls,
    })
    media = opened.media
    return opened.carrier
  }
  const carrier = carriersByKind({ simulated, sip: new LazyCarrier({ open, clock, logger }) })
  return { carrier, pacingLatenessMs: () => media?.latenessMs() ?? null }
}

/** What is wrong with a trunk is said when it is made, not when it is dialled. */
function trunkProblem({ kind, settings }: Pick<Trunk, 'kind' | 'settings'>): TrunkProblem | null {
  const reads =
    kind === 'sip' ? [readTrunkSettings(settings)] : [readSettings(settings), readAddress(settings)]
  const problem = reads.find(read => 'error' in read)
  return problem === undefined ? null : { field: 'settings', message: problem.error }
}

/** Prices by architecture, thousandths of a cent a call. */
export function ratesOf({ rates }: Config): CallRates {
  return { pipeline: rates.pipelineMillicents, realtime: rates.realtimeMillicents }
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

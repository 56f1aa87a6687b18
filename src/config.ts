// The configuration: the only reader of the environment. Everything is checked at once, before anything is opened.
import { z } from 'zod'
import { ConfigError } from './runtime/config-error.ts'
import { type LogLevel, logLevels } from './runtime/logger.ts'
import { maxRtpPort, minRtpPort, type PortRange, readPortRange } from './runtime/port-range.ts'
import { readTlsFiles, type TlsFiles } from './runtime/tls-files.ts'
import { type NodeRole, nodeRoles } from './store/node-records.ts'

const rootDialects = ['formant', 'dialnexa', 'talkifai'] as const
export type RootDialect = (typeof rootDialects)[number]

/** What a simulated carrier does where a trunk's own settings say nothing; absent: the carrier's own default. */
export interface SimulatedSettings {
  seed?: number
  speedFactor?: number
  answerRate?: number
  address?: string
}

/** How real calls leave this machine; nothing of it is opened before the first SIP trunk is used. */
export interface CallSettings {
  /** IP to bind for SIP and RTP; `0.0.0.0`: all. */
  sipHost: string
  /** UDP and TCP; 0: any free one. */
  sipPort: number
  sipTlsPort: number
  tls: TlsFiles
  /** null: the address that leads to each carrier. */
  publicAddress: string | null
  rtpPorts: PortRange
  /** Threads that carry audio; null: one for each core. */
  mediaWorkers: number | null
  /** Folder of the WAV files that scripted agents play; null: none. */
  audioDir: string | null
  /** For realtime agents without a key of their own. */
  openaiApiKey: string | null
}

export interface Config {
  host: string
  /** 0: any free port. */
  port: number
  /** What this node does among several on one database. */
  role: NodeRole
  dataDir: string
  /** Holds a password: it stands in no log. null: the embedded store in the data directory. */
  databaseUrl: string | null
  /** Shared by all nodes that record or serve recordings; null: `recordings` in the data directory. */
  recordingsDir: string | null
  /** The demo workspace's key; null: made and printed at the first start. */
  apiKey: string | null
  rootDialect: RootDialect | null
  logLevel: LogLevel
  /** How long calls may go on after SIGTERM before they are hung up. */
  shutdownGraceMs: number
  maxUploadBytes: number
  maxRows: number
  /** An identical create within this time answers with the first batch; 0 turns that off. */
  repeatWindowMs: number
  simulated: SimulatedSettings
  calls: CallSettings
  /** Our address as others reach it, for links in webhooks; null: the one that we listen on. */
  publicUrl: string | null
  /** Whether webhooks may go to loopback and private networks. */
  webhookAllowPrivate: boolean
  /** Thousandths of a cent a call, by the agent's architecture. */
  rates: { pipelineMillicents: number; realtimeMillicents: number }
}

/** What the command line needs to find and enter a running server. */
export interface ClientConfig {
  url: string
  apiKey: string | null
}

/** Vendors' keys have 20 characters and more; a shorter one could be guessed. */
const minApiKeyLength = 20
const millicentsPerCent = 1000
const defaultPort = 8080
/** With one host: the driver does not look for the primary among several. */
const databaseUrlLike = 'postgresql://user:password@host:5432/database'

const wholeNumber = (min: number, max: number) =>
  z.coerce
    .number('must be a number')
    .int('must be a whole number')
    .min(min, `must be at least ${min}`)
    .max(max, `must be at most ${max}`)
const share = z.coerce.number('must be a number').min(0, 'must be at least 0').max(1, 'must be at most 1')
const cents = z.coerce.number('must be a number').min(0, 'must be at least 0')
const oneOf = <const Words extends readonly [string, ...string[]]>(words: Words) =>
  z.enum(words, `must be one of ${words.join(', ')}`)

/** Each variable with its rule, its default and what it is for: docs/guide/configuration.md is generated from this. */
export const environment = z.object({
  PORT: wholeNumber(0, 65_535)
    .default(defaultPort)
    .describe('The port that the server listens on; 0 takes any free one.'),
  HOST: z
    .string()
    .default('127.0.0.1')
    .describe('The address that the server listens on. `0.0.0.0` opens it to the network.'),
  OUTDIAL_DATA_DIR: z
    .string()
    .default('./data')
    .describe('Where the store and uploads live. One server per directory.'),
  DATABASE_URL: z
    .url({ protocol: /^postgres(ql)?$/, hostname: /^[^,]*$/, error: `must be like ${databaseUrlLike}` })
    .optional()
    .describe('The PostgreSQL that nodes share. Unset: the embedded store in the data directory.'),
  OUTDIAL_RECORDINGS_DIR: z
    .string()
    .optional()
    .describe('Where recordings lie; several nodes share one. Unset: `recordings` in the data directory.'),
  OUTDIAL_ROLE: oneOf(nodeRoles)
    .default('all')
    .describe('What this node does among several: `all`, only the API (`api`), or only calls (`caller`).'),
  OUTDIAL_API_KEY: z
    .string()
    .regex(/^[\x21-\x7e]*$/, 'must be printable ASCII without spaces')
    .min(minApiKeyLength, `must have at least ${minApiKeyLength} characters`)
    .optional()
    .describe(
      'The demo workspace’s API key, and the key that the command line sends. Unset: made at the first start and printed once.',
    ),
  OUTDIAL_ROOT_DIALECT: oneOf(rootDialects)
    .optional()
    .describe('Serves this dialect at the root as well, for clients that can change only their host.'),
  OUTDIAL_LOG_LEVEL: oneOf(logLevels).default('info').describe('How much the log on stderr says.'),
  OUTDIAL_SHUTDOWN_GRACE_MS: wholeNumber(0, 3_600_000)
    .default(30_000)
    .describe('How long calls may go on after SIGTERM or Ctrl-C before they are hung up, in ms.'),
  OUTDIAL_MAX_UPLOAD_BYTES: wholeNumber(1, 2 ** 31 - 1)
    .default(100_000_000)
    .describe('The largest file that our own API takes. The dialects keep their vendors’ 10 MB.'),
  OUTDIAL_MAX_ROWS: wholeNumber(1, 10_000_000)
    .default(1_000_000)
    .describe('The most rows that one list may have.'),
  OUTDIAL_REPEAT_WINDOW_MS: wholeNumber(0, 86_400_000)
    .default(60_000)
    .describe('An identical create within this time answers with the first batch, in ms; 0 turns that off.'),
  OUTDIAL_SIM_SEED: wholeNumber(0, 2 ** 32 - 1)
    .optional()
    .describe('The seed of the simulated carrier’s chance.'),
  OUTDIAL_SIM_SPEED: z.coerce
    .number('must be a number')
    .positive('must be above 0')
    .max(1_000_000, 'must be at most 1000000')
    .optional()
    .describe('How many times faster than set the simulated telephones ring and talk.'),
  OUTDIAL_SIM_ANSWER_RATE: share
    .optional()
    .describe('The share of simulated calls that a person answers, 0 to 1.'),
  OUTDIAL_SIM_CARRIER: z
    .string()
    .regex(/^127\.0\.0\.1:\d{1,5}$/, 'must be 127.0.0.1 and a port, e.g. 127.0.0.1:7070')
    .optional()
    .describe('The address of a simulated carrier that runs as a process of its own (`outdial carrier`).'),
  OUTDIAL_SIP_HOST: z
    .union([z.ipv4(), z.ipv6()], 'must be an IP address')
    .default('0.0.0.0')
    .describe('The IP address that SIP and RTP are bound to, once a SIP trunk is used. `0.0.0.0`: all.'),
  OUTDIAL_SIP_PORT: wholeNumber(0, 65_535)
    .default(5060)
    .describe('The SIP port, UDP and TCP; 0 takes any free one.'),
  OUTDIAL_SIP_TLS_PORT: wholeNumber(0, 65_535)
    .default(5061)
    .describe('The SIP port for TLS; 0 takes any free one.'),
  OUTDIAL_SIP_TLS_CA: z
    .string()
    .optional()
    .describe(
      'A PEM file of authorities that are trusted beside the usual ones, for carriers with their own.',
    ),
  OUTDIAL_SIP_TLS_CERT: z
    .string()
    .optional()
    .describe(
      'Our certificate for SIP over TLS, a PEM file with its chain. Unset: we connect, nobody to us.',
    ),
  OUTDIAL_SIP_TLS_KEY: z.string().optional().describe('The private key of that certificate, a PEM file.'),
  OUTDIAL_PUBLIC_ADDRESS: z
    .union([z.ipv4(), z.ipv6()], 'must be an IP address')
    .optional()
    .describe('Our IP address as carriers see it. Unset: the one that leads to each carrier.'),
  OUTDIAL_RTP_PORTS: z
    .string()
    .refine(
      text => readPortRange(text) !== null,
      `must be like 16384-32766: an even port first, within ${minRtpPort} and ${maxRtpPort}`,
    )
    .default('16384-32766')
    .describe('The ports for audio: two for each call at the same time.'),
  OUTDIAL_MEDIA_WORKERS: wholeNumber(1, 64).optional().describe('Threads for audio. Unset: one a core.'),
  OUTDIAL_AUDIO_DIR: z.string().optional().describe('The folder of the WAV files that scripted agents play.'),
  OPENAI_API_KEY: z
    .string()
    .optional()
    .describe('For openai-realtime agents whose connection holds no key of its own.'),
  OUTDIAL_PUBLIC_URL: z
    .url({ protocol: /^https?$/, error: 'must be an http or https address' })
    .optional()
    .describe(
      'Where others reach this server: links in webhooks begin with it. Unset: the address it listens on.',
    ),
  OUTDIAL_WEBHOOK_ALLOW_PRIVATE: oneOf(['true', 'false'])
    .default('false')
    .describe('Lets webhooks go to loopback and private addresses as well.'),
  OUTDIAL_RATE_PIPELINE_CENTS: cents
    .default(3.5)
    .describe('The price of a call with a pipeline agent, in cents.'),
  OUTDIAL_RATE_REALTIME_CENTS: cents
    .default(7)
    .describe('The price of a call with a realtime agent, in cents.'),
  OUTDIAL_URL: z
    .url({ protocol: /^https?$/, error: 'must be an http or https address' })
    .optional()
    .describe('Where the command line finds the server. Unset: this machine, at PORT.'),
})

type Environment = Readonly<Record<string, string | undefined>>

/** Reads the server's settings. @throws ConfigError naming every problem */
export function readConfig(env: Environment = process.env): Config {
  const { values, simulated } = readAll(env)
  return {
    host: values.HOST,
    port: values.PORT,
    role: values.OUTDIAL_ROLE,
    dataDir: values.OUTDIAL_DATA_DIR,
    databaseUrl: values.DATABASE_URL ?? null,
    recordingsDir: values.OUTDIAL_RECORDINGS_DIR ?? null,
    apiKey: values.OUTDIAL_API_KEY ?? null,
    rootDialect: values.OUTDIAL_ROOT_DIALECT ?? null,
    logLevel: values.OUTDIAL_LOG_LEVEL,
    shutdownGraceMs: values.OUTDIAL_SHUTDOWN_GRACE_MS,
    maxUploadBytes: values.OUTDIAL_MAX_UPLOAD_BYTES,
    maxRows: values.OUTDIAL_MAX_ROWS,
    repeatWindowMs: values.OUTDIAL_REPEAT_WINDOW_MS,
    simulated,
    calls: callsOf(values),
    publicUrl: values.OUTDIAL_PUBLIC_URL?.replace(/\/+$/, '') ?? null,
    webhookAllowPrivate: values.OUTDIAL_WEBHOOK_ALLOW_PRIVATE === 'true',
    rates: {
      pipelineMillicents: Math.round(values.OUTDIAL_RATE_PIPELINE_CENTS * millicentsPerCent),
      realtimeMillicents: Math.round(values.OUTDIAL_RATE_REALTIME_CENTS * millicentsPerCent),
    },
  }
}

function callsOf(values: z.output<typeof environment>): CallSettings {
  return {
    sipHost: values.OUTDIAL_SIP_HOST,
    sipPort: values.OUTDIAL_SIP_PORT,
    sipTlsPort: values.OUTDIAL_SIP_TLS_PORT,
    // Read by the server alone: who only sends commands may not be allowed to read the key.
    tls: readTlsFiles(values),
    publicAddress: values.OUTDIAL_PUBLIC_ADDRESS ?? null,
    rtpPorts: readPortRange(values.OUTDIAL_RTP_PORTS)!,
    mediaWorkers: values.OUTDIAL_MEDIA_WORKERS ?? null,
    audioDir: values.OUTDIAL_AUDIO_DIR ?? null,
    openaiApiKey: values.OPENAI_API_KEY ?? null,
  }
}

/** Reads what a command needs to talk to a running server. @throws ConfigError */
export function readClientConfig(env: Environment = process.env): ClientConfig {
  const { values } = readAll(env)
  const url = values.OUTDIAL_URL ?? `http://127.0.0.1:${values.PORT || defaultPort}`
  return { url, apiKey: values.OUTDIAL_API_KEY ?? null }
}

/**
 * Variables that look like ours and are not: most likely misspelt. Only worth a warning, since Kubernetes sets
 * `OUTDIAL_SERVICE_HOST` and its like for a service of that name.
 */
export function unknownVariables(env: Environment = process.env): string[] {
  const known = new Set(Object.keys(environment.shape))
  return Object.keys(env).filter(name => name.startsWith('OUTDIAL_') && !known.has(name))
}

function readAll(env: Environment) {
  // An empty variable is an unset one: that is how compose files and CI systems leave a setting out.
  const set = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value.trim() !== ''),
  )
  const parsed = environment.safeParse(set)
  if (!parsed.success) {
    throw new ConfigError(
      parsed.error.issues.map(({ path, message }) => ({ name: path.join('.'), sentence: message })),
    )
  }
  const values = parsed.data
  const simulated: SimulatedSettings = {}
  if (values.OUTDIAL_SIM_SEED !== undefined) simulated.seed = values.OUTDIAL_SIM_SEED
  if (values.OUTDIAL_SIM_SPEED !== undefined) simulated.speedFactor = values.OUTDIAL_SIM_SPEED
  if (values.OUTDIAL_SIM_ANSWER_RATE !== undefined) simulated.answerRate = values.OUTDIAL_SIM_ANSWER_RATE
  if (values.OUTDIAL_SIM_CARRIER !== undefined) simulated.address = values.OUTDIAL_SIM_CARRIER
  return { values, simulated }
}

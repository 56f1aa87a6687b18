// Who calls whom in the demo: simulated telephones and an agent without a voice, or a street that rings and talks.
import type { Config } from '../config.ts'
import { openPhones, type Phones } from '../phones/phones.ts'
import { realClock } from '../runtime/clock.ts'
import { createLogger } from '../runtime/logger.ts'
import type { ApiClient } from './api-client.ts'
import type { BatchOptions } from './call.ts'

export interface DemoCast {
  /** For the line that says who is called. */
  telephones: string
  /** The server's settings with these telephones. */
  config: Config
  /** Agent and phone number, unless an earlier run made them; what the batch is told of them and of itself. */
  provide(api: ApiClient): Promise<BatchOptions>
  isRecorded: boolean
  close(): Promise<void>
}

/** North American numbers 555-0100 to 555-0199 belong to fiction. */
const callerId = (index: number) => `+120255501${String(index).padStart(2, '0')}`
const callerIds = 100
/** So that a second try is seen at once; seconds. */
const again = { maxAttempts: 3, retryDelay: 2 }
const always = [{ days: [1, 2, 3, 4, 5, 6, 7], from: '00:00', to: '24:00' }]

export function simulatedCast(config: Config): DemoCast {
  return {
    telephones: 'simulated telephones',
    config,
    async provide(api) {
      const cast = { agent: 'demo-agent', from: 'demo-number' }
      if (!(await hasAlias(api, '/api/v1/agents', cast.agent))) {
        const prompt = 'You call {{name}} in {{city}} about the appointment on {{appointment}}.'
        await api.post('/api/v1/agents', { body: { name: 'Demo agent', prompt, aliases: [cast.agent] } })
      }
      await provideNumber(api, cast, null)
      return { ...cast, from: [cast.from], ...again, concurrency: 5 }
    },
    isRecorded: false,
    async close() {},
  }
}

/** Said by the scripted agent; what is the same for everybody is made once. */
const connection = {
  kind: 'scripted',
  steps: [
    { listen: { maxMs: 2_500 } },
    { say: 'Hello {{name}}. This is an automatic call of the Lakeside clinic.' },
    {
      menu: {
        say: 'You have an appointment in {{city}} on {{appointment}}. Press 1 if you will come, 2 if not, or just tell me.',
        result: 'comes',
        keys: { 1: { value: 'yes' }, 2: { value: 'no' } },
        timeoutMs: 3_000,
        attempts: 1,
      },
    },
    { say: 'Thank you. Goodbye.' },
  ],
}
/** The usual port of `outdial phones` may be taken by just that. */
const ports = [5_070, 0]
const rtpPorts = { first: 12_000, last: 12_398 }

/** Telephones that ring in this process, SIP and audio all on loopback. */
export async function sipCast(config: Config): Promise<DemoCast> {
  const street = await openStreet()
  const address = `${street.host}:${street.port}`
  const calls = { ...config.calls, sipHost: street.host, sipPort: 0, sipTlsPort: 0, publicAddress: null }
  return {
    telephones: `telephones at ${address}, over SIP`,
    config: { ...config, calls },
    async provide(api) {
      const cast = { agent: 'demo-voice', from: `demo-street-${street.port}` }
      if (!(await hasAlias(api, '/api/v1/agents', cast.agent))) {
        await api.post('/api/v1/agents', { body: { name: 'Demo voice', connection, aliases: [cast.agent] } })
      }
      await provideNumber(api, cast, address)
      // Nobody's sleep is disturbed: the people of this street live in this process.
      const manner = { record: true, answeringMachine: 'leave-message', window: always }
      return { ...cast, from: [cast.from], ...again, ...manner, concurrency: 25 }
    },
    isRecorded: true,
    close: () => street.close(),
  }
}

async function openStreet(): Promise<Phones> {
  const logger = createLogger({ level: 'warn', readable: true })
  const street = { host: '127.0.0.1', rtpPorts, seed: 1, clock: realClock, logger, onCall() {} }
  let failure: unknown
  for (const port of ports) {
    try {
      return await openPhones({ ...street, port })
    } catch (error) {
      failure = error
    }
  }
  throw failure
}

/** With a trunk of its own where an address is given: both lead to it for ever. */
async function provideNumber(
  api: ApiClient,
  { agent, from }: { agent: string; from: string },
  address: string | null,
): Promise<void> {
  const known: { e164: string; aliases: string[] }[] = []
  for await (const number of api.all<(typeof known)[number]>('/api/v1/phone-numbers')) known.push(number)
  if (known.some(({ aliases }) => aliases.includes(from))) return
  const free = Array.from({ length: callerIds }, (_, index) => callerId(index)).find(
    e164 => !known.some(number => number.e164 === e164),
  )
  const trunk = address === null ? null : await addTrunk(api, address)
  const body = { e164: free ?? callerId(0), agentId: agent, trunkId: trunk?.id ?? null, aliases: [from] }
  await api.post('/api/v1/phone-numbers', { body })
}

function addTrunk(api: ApiClient, address: string): Promise<{ id: number }> {
  const settings = { gateways: [address], optionsSeconds: 0 }
  return api.post('/api/v1/trunks', { body: { name: `Demo street ${address}`, kind: 'sip', settings } })
}

async function hasAlias(api: ApiClient, path: string, alias: string): Promise<boolean> {
  for await (const { aliases } of api.all<{ aliases: string[] }>(path)) {
    if (aliases.includes(alias)) return true
  }
  return false
}

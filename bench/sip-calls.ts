// How many calls a second does the SIP user agent set up and tear down, and what does one cost?
//
// Both sides of the comparison call the same `sipp -sn uas` over UDP on loopback, one after the other in this run:
// INVITE, 180, 200, ACK, BYE, 200. The yardstick is `sipp -sn uac`, in C. Judged by the processor time of a call.
//
//   node bench/sip-calls.ts [calls a second] [calls]
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { quietHandlers } from '../src/carrier/sip/call.ts'
import { createResolver } from '../src/carrier/sip/resolver.ts'
import { writeOffer } from '../src/carrier/sip/sdp.ts'
import { systemDns } from '../src/carrier/sip/system-dns.ts'
import { openUdp } from '../src/carrier/sip/udp.ts'
import { createUserAgent, type UserAgent } from '../src/carrier/sip/user-agent.ts'
import { realClock } from '../src/runtime/clock.ts'
import { silentLogger } from '../src/runtime/logger.ts'

const callsPerSecond = Number(process.argv[2] ?? 2_000)
const calls = Number(process.argv[3] ?? callsPerSecond * 10)
/** SIPp places its calls in bunches of 10 ms too. */
const paceMs = 5
const host = '127.0.0.1'
const uasPort = 16_070
const bufferBytes = String(4 * 1024 * 1024)

const offer = writeOffer({
  address: host,
  port: 16_000,
  sessionId: '1',
  version: 1,
  codecs: ['PCMU', 'PCMA'],
  srtpKey: null,
  direction: 'sendrecv',
})

interface Measured {
  completed: number
  failed: number
  seconds: number
  cpuMicrosPerCall: number
}

const folder = await mkdtemp(join(tmpdir(), 'outdial-bench-'))
try {
  const ours = await withAnswerer(measureOurs)
  const sipp = await withAnswerer(measureSipp)
  print('outdial', ours)
  print('sipp -sn uac', sipp)
  const ratio = ours.cpuMicrosPerCall / sipp.cpuMicrosPerCall
  console.log(`ratio of processor time a call: ${ratio.toFixed(2)} (lower is better)`)
} finally {
  await rm(folder, { recursive: true, force: true })
}

function print(name: string, { completed, failed, seconds, cpuMicrosPerCall }: Measured): void {
  console.log(
    `${name}: ${completed} of ${calls} calls in ${seconds.toFixed(1)} s (${Math.round(completed / seconds)}/s), ` +
      `${failed} lost, ${cpuMicrosPerCall.toFixed(0)} µs of processor a call`,
  )
}

async function withAnswerer<T>(measure: () => Promise<T>): Promise<T> {
  const args = ['-sn', 'uas', '-i', host, '-p', String(uasPort), '-nostdin', '-buff_size', bufferBytes]
  const answerer = spawn('sipp', args, { cwd: folder, stdio: 'ignore' })
  try {
    await untilItAnswers()
    return await measure()
  } finally {
    answerer.kill('SIGKILL')
    await once(answerer, 'exit')
  }
}

async function openAgent(): Promise<UserAgent> {
  return createUserAgent({
    openTransports: async events => [await openUdp({ host, port: 0 }, events)],
    publicAddress: host,
    resolver: createResolver({ dns: systemDns, clock: realClock, random: () => 0 }),
    clock: realClock,
    logger: silentLogger,
  })
}

async function untilItAnswers(): Promise<void> {
  const agent = await openAgent()
  for (let tries = 0; tries < 50; tries++) if ((await placeCall(agent, `probe-${tries}`)) === 200) break
  await agent.close()
}

function placeCall(agent: UserAgent, callId: string): Promise<number | null> {
  return new Promise(resolve => {
    const call = agent.invite(
      {
        callId,
        gateways: [{ host, port: uasPort, protocol: 'udp' }],
        requestUri: `sip:+12025550163@${host}`,
        from: `<sip:+12025550199@${host}>`,
        to: `<sip:+12025550163@${host}>`,
        credentials: null,
        headers: [],
        sdpOffer: offer,
        sessionSeconds: 1_800,
      },
      {
        ...quietHandlers,
        answered: () => call.hangUp(),
        ended: ({ sipStatus }) => resolve(sipStatus),
      },
    )
  })
}

async function measureOurs(): Promise<Measured> {
  const agent = await openAgent()
  const startedAt = performance.now()
  const cpuBefore = process.cpuUsage()
  const placed: Promise<number | null>[] = []
  while (placed.length < calls) {
    const due = Math.min(calls, Math.floor(((performance.now() - startedAt) * callsPerSecond) / 1_000))
    while (placed.length < due) placed.push(placeCall(agent, `bench-${placed.length}`))
    await new Promise(resolve => setTimeout(resolve, paceMs))
  }
  const statuses = await Promise.all(placed)
  const cpu = process.cpuUsage(cpuBefore)
  const seconds = (performance.now() - startedAt) / 1_000
  await agent.close()
  const completed = statuses.filter(status => status === 200).length
  return {
    completed,
    failed: calls - completed,
    seconds,
    cpuMicrosPerCall: (cpu.user + cpu.system) / calls,
  }
}

/** `times` of the shell knows what its child has used. */
async function measureSipp(): Promise<Measured> {
  const startedAt = performance.now()
  const command = `sipp -sn uac ${host}:${uasPort} -i ${host} -p ${uasPort + 1} -r ${callsPerSecond} -m ${calls} -d 0 -nostdin -buff_size ${bufferBytes} -trace_stat -fd 1 -stf stat.csv >/dev/null 2>&1; times`
  const shell = spawn('bash', ['-c', command], { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] })
  const output = await readAll(shell)
  const seconds = (performance.now() - startedAt) / 1_000
  const [user = 0, system = 0] = [...(output.trim().split('\n')[1] ?? '').matchAll(/(\d+)m([\d.]+)s/g)].map(
    match => Number(match[1]) * 60 + Number(match[2]),
  )
  const failed = await failedCalls()
  return {
    completed: calls - failed,
    failed,
    seconds,
    cpuMicrosPerCall: ((user + system) * 1e6) / calls,
  }
}

async function readAll(child: ChildProcess): Promise<string> {
  let output = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    output += chunk.toString('utf8')
  })
  await once(child, 'close')
  return output
}

async function failedCalls(): Promise<number> {
  const [head = '', ...rows] = (await readFile(join(folder, 'stat.csv'), 'utf8')).trim().split('\n')
  const column = head.split(';').indexOf('FailedCall(C)')
  return Number(rows.at(-1)?.split(';')[column] ?? Number.NaN)
}

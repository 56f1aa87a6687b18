// A SIP carrier on loopback, with a far side, silent media and timers a fiftieth of the usual.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type OpenedSipCarrier, openSipCarrier } from '../../src/carrier/sip/open-sip-carrier.ts'
import type { Trunk } from '../../src/domain/workspace.ts'
import { realClock } from '../../src/runtime/clock.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import { type FarSide, openFarSide } from './far-side.ts'
import { SilentMedia } from './silent-media.ts'

export interface Carrying extends OpenedSipCarrier {
  far: FarSide
  media: SilentMedia
  trunk: Trunk
  dataDir: string
  /** What a crash leaves: the process is gone, its files are not. */
  crash(): Promise<void>
  close(): Promise<void>
}

export function sipTrunk(settings: Record<string, unknown>): Trunk {
  return {
    id: 1,
    workspaceId: 1,
    name: 'trunk',
    kind: 'sip',
    maxConcurrentCalls: null,
    callsPerSecond: null,
    settings,
    breakerUntil: null,
    breakerReason: null,
    slowedCallsPerSecond: null,
    createdAt: 0,
  }
}

/** `after`: the files and the far side of an earlier life. */
export async function openCarrying(
  settings: Record<string, unknown> = {},
  after?: Pick<Carrying, 'dataDir' | 'far'>,
): Promise<Carrying> {
  const far = after?.far ?? (await openFarSide())
  const dataDir = after?.dataDir ?? mkdtempSync(join(tmpdir(), 'outdial-sip-'))
  const media = new SilentMedia()
  const opened = await openSipCarrier({
    sip: {
      host: '127.0.0.1',
      port: 0,
      tlsPort: 0,
      publicAddress: null,
      tls: { ca: null, certificate: null },
    },
    dataDir,
    media,
    clock: realClock,
    logger: silentLogger,
    random: () => 0.5,
    agentSettings: agent => agent.connection as never,
    recordingPath: callId => join(dataDir, `${callId}.wav`),
    timing: { t1Ms: 10, t2Ms: 80, t4Ms: 100 },
  })
  return {
    ...opened,
    far,
    media,
    dataDir,
    trunk: sipTrunk({ address: `127.0.0.1:${far.port}`, optionsSeconds: 0, ...settings }),
    crash: () => opened.agent.close(),
    async close() {
      await opened.carrier.close()
      await far.close()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

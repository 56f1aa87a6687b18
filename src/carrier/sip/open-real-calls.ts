// Real calls as a whole: SIP ports, media workers and the folder of recordings, opened together or not at all.
import { randomInt } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { seededRandom } from '../../runtime/random.ts'
import type { MediaPool } from '../rtp/media.ts'
import { openMediaPool } from '../rtp/media-pool.ts'
import type { PortBounds } from '../rtp/port-range.ts'
import { type OpenSipCarrierOptions, openSipCarrier } from './open-sip-carrier.ts'
import type { SipCarrier } from './sip-carrier.ts'

export interface RealCallOptions
  extends Omit<OpenSipCarrierOptions, 'media' | 'random' | 'recordingPath' | 'dns' | 'timing'> {
  recordingsDir: string
  rtpPorts: PortBounds
  /** Threads; null: one for each core. */
  mediaWorkers: number | null
}

export interface RealCalls {
  carrier: SipCarrier
  media: MediaPool
}

/** @throws the system's error when a port, a thread or the folder cannot be had; what was opened is closed again */
export async function openRealCalls(options: RealCallOptions): Promise<RealCalls> {
  const { recordingsDir, rtpPorts: ports, mediaWorkers, clock, logger } = options
  await mkdir(recordingsDir, { recursive: true })
  const workers = mediaWorkers === null ? {} : { workers: mediaWorkers }
  const media = await openMediaPool({ clock, logger, ports, ...workers })
  try {
    const random = seededRandom(randomInt(2 ** 32))
    const recordingPath = (callId: string) => join(recordingsDir, `${callId}.wav`)
    const { carrier } = await openSipCarrier({ ...options, media, random, recordingPath })
    return { carrier, media }
  } catch (error) {
    await media.close()
    throw error
  }
}

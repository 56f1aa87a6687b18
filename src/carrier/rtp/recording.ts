// A call's recording, streamed to disk: a stereo µ-law WAV file, them on the left and us on the right.
import { type FileHandle, open } from 'node:fs/promises'
import { frameBytes, sampleRateHz } from '../../media/g711.ts'
import { interleave, unknownBytes, type WavFormat, wavHeader, wavHeaderBytes } from '../../media/wav.ts'

export interface Recording {
  /** One frame of each side; they are copied. */
  add(them: Uint8Array, us: Uint8Array): void
  /** Bytes on disk; null: the file could not be written. */
  close(): Promise<number | null>
}

/** µ-law as it came: half of 16-bit PCM's bytes (16 kB a second and call), and every browser plays it. */
const format: WavFormat = { encoding: 'ulaw', channels: 2, sampleRateHz }
/** One second: a write each 20 ms would cost 50 turns of the thread pool per call and second. */
const chunkFrames = 50
const chunkBytes = chunkFrames * 2 * frameBytes
/** A disk that is half a minute behind will not catch up: the recording ends there, the call goes on. */
const maxWaitingChunks = 30

export function openRecording(path: string): Recording {
  let chunk = Buffer.alloc(chunkBytes)
  let filled = 0
  let written = 0
  let waiting = 0
  let broken = false
  let handle: FileHandle | null = null

  const start = async () => {
    handle = await open(path, 'w')
    await handle.write(wavHeader(format, unknownBytes), 0, wavHeaderBytes, 0)
  }
  const write = async (bytes: Buffer) => {
    if (broken || handle === null) return
    await handle.write(bytes, 0, bytes.length, wavHeaderBytes + written)
    written += bytes.length
  }
  const breakOff = () => {
    broken = true
  }
  let queue = start().catch(breakOff)

  const flush = () => {
    const bytes = chunk.subarray(0, filled)
    chunk = Buffer.alloc(chunkBytes)
    filled = 0
    if (broken || bytes.length === 0) return
    if (waiting >= maxWaitingChunks) return breakOff()
    waiting++
    queue = queue
      .then(() => write(bytes))
      .catch(breakOff)
      .then(() => {
        waiting--
      })
  }

  const finish = async () => {
    flush()
    await queue
    if (handle === null) return null
    try {
      await handle.write(wavHeader(format, written), 0, wavHeaderBytes, 0)
      return written === 0 && broken ? null : wavHeaderBytes + written
    } catch {
      return null
    } finally {
      await handle.close()
    }
  }
  let closing: Promise<number | null> | null = null

  return {
    add(them, us) {
      if (closing !== null) return
      interleave(them, us, chunk, filled)
      filled += 2 * frameBytes
      if (filled === chunkBytes) flush()
    },
    close() {
      closing ??= finish()
      return closing
    },
  }
}

// Ingest workers: one is kept for the next list, since starting a thread and loading the libraries takes 60 ms (170 on a
// busy machine) and reading a list of 25 people two.
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'

/** A worker for one list: the spare one, or a new one. It holds the process open until it is returned. */
export function borrowWorker(maxOldGenerationMb: number): Worker {
  const kept = spare
  if (kept === null || kept.maxOldGenerationMb !== maxOldGenerationMb) return startWorker(maxOldGenerationMb)
  spare = null
  kept.worker.ref()
  return kept.worker
}

/** Ends the worker, or keeps it when it is `reusable` and there is no spare yet. */
export async function returnWorker(
  worker: Worker,
  maxOldGenerationMb: number,
  reusable: boolean,
): Promise<void> {
  if (!reusable || spare !== null) {
    await worker.terminate()
    return
  }
  worker.unref()
  spare = { worker, maxOldGenerationMb }
}

let spare: { worker: Worker; maxOldGenerationMb: number } | null = null

/** Beside this file, with its ending: `.ts` here, `.js` in a built package. */
const workerFile = new URL(`./ingest-worker${extname(import.meta.url)}`, import.meta.url)

function startWorker(maxOldGenerationMb: number): Worker {
  const resourceLimits = { maxOldGenerationSizeMb: maxOldGenerationMb }
  const worker = new Worker(workerFile, { resourceLimits, name: 'ingest' })
  const forget = () => {
    if (spare?.worker === worker) spare = null
  }
  // Who reads a list listens for itself: this keeps an error after that from ending the process.
  return worker.on('error', forget).on('exit', forget)
}

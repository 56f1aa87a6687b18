// Uploads a list from a thread of its own, so that the client's work does not block the loop that is being measured.
import { parentPort, Worker, workerData } from 'node:worker_threads'

export interface Upload {
  url: string
  apiKey: string
  name: string
  agentId: number
  csv: Uint8Array<ArrayBuffer>
}

/** Resolves with the time from the first byte to the answer, ms; throws what the server answered if it refused. */
export function upload(list: Upload): Promise<number> {
  const worker = new Worker(new URL(import.meta.url), { workerData: list })
  return new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
}

async function send({ url, apiKey, name, agentId, csv }: Upload): Promise<number> {
  const form = new FormData()
  form.append('settings', JSON.stringify({ name, agentId: String(agentId), startAs: 'draft' }))
  form.append('file', new Blob([csv]), 'contacts.csv')
  const since = performance.now()
  const answer = await fetch(`${url}/api/v1/batches`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}` },
    body: form,
  })
  const text = await answer.text()
  if (answer.status !== 201) throw new Error(`${answer.status} ${text}`)
  return performance.now() - since
}

if (parentPort !== null) parentPort.postMessage(await send(workerData as Upload))

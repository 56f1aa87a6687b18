// `/batches/{id}/start|pause|resume|cancel|close`: each effective before the next dial.
import type { FastifyInstance } from 'fastify'
import { cancelBatch, closeBatch, pauseBatch, resumeBatch, startBatch } from '../../batches/control-batch.ts'
import type { HttpDeps } from '../dialect.ts'
import { batchIdOf } from './batches.ts'
import { presentBatch } from './present.ts'

const moves = { start: startBatch, pause: pauseBatch, resume: resumeBatch, close: closeBatch }

export function batchControlRoutes(app: FastifyInstance, deps: HttpDeps): void {
  for (const [word, move] of Object.entries(moves))
    app.post(`/batches/:id/${word}`, async request =>
      presentBatch(await move(deps, request.workspace.id, batchIdOf(request))),
    )

  app.post('/batches/:id/cancel', async request => {
    const { batch, dropped } = await cancelBatch(deps, request.workspace.id, batchIdOf(request))
    return { ...presentBatch(batch), dropped }
  })
}

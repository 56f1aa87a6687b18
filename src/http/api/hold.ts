// `/hold`: whether the store waits to be accepted after a restore, and the acceptance. The operator's.
import type { FastifyInstance } from 'fastify'
import { acceptRestore, reportHold, requireOperator } from '../../batches/accept-restore.ts'
import type { HttpDeps } from '../dialect.ts'
import { presentStoreHold } from './present.ts'

export function holdRoutes(app: FastifyInstance, deps: HttpDeps): void {
  app.get('/hold', async ({ workspace }) => {
    await requireOperator(deps, workspace)
    return presentStoreHold(await reportHold(deps))
  })

  app.post('/hold/accept', async ({ workspace }) => {
    await requireOperator(deps, workspace)
    return presentStoreHold(await acceptRestore(deps))
  })
}

// `/workspace`: the tenant's rules, and the emergency stop.
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { getCountries } from 'libphonenumber-js/max'
import { z } from 'zod'
import { releaseWorkspace, stopWorkspace, updateWorkspace } from '../../batches/control-workspace.ts'
import type { HttpDeps } from '../dialect.ts'
import { presentWorkspace } from './present.ts'
import { callingWindow, maxConcurrentCalls, nameText, region } from './schema.ts'

const maxCountries = getCountries().length
const maxPrefixes = 1_000
const maxCreditCents = 1e12
const millicentsPerCent = 1_000

const maxRetentionDays = 36_500
const days = z.int().min(1).max(maxRetentionDays).nullable().optional()
const retention = z.strictObject({
  recordingDays: days,
  transcriptDays: days,
  eventDays: days,
  batchDays: days,
})

const destination = z.object({
  country: region,
  prefixes: z
    .array(z.string().regex(/^\+\d{1,15}$/, 'must look like +9198'))
    .max(maxPrefixes)
    .optional(),
})

const workspacePatch = z.object({
  name: nameText.optional(),
  defaultRegion: region.nullable().optional(),
  destinations: z.array(destination).max(maxCountries).nullable().optional(),
  maxConcurrentCalls: maxConcurrentCalls.optional(),
  creditCents: z.number().min(0).max(maxCreditCents).nullable().optional(),
  window: callingWindow.nullable().optional(),
  retention: retention.transform(withoutAbsent).optional(),
})

export function workspaceRoutes(app: FastifyInstance, deps: HttpDeps): void {
  const api = app.withTypeProvider<ZodTypeProvider>()

  api.get('/workspace', async ({ workspace }) => presentWorkspace(workspace))

  api.patch('/workspace', { schema: { body: workspacePatch } }, async ({ workspace, body }) =>
    presentWorkspace(await updateWorkspace(deps, workspace, toPatch(body))),
  )

  api.post('/workspace/stop', async ({ workspace }) =>
    presentWorkspace(await stopWorkspace(deps, workspace.id)),
  )
  api.post('/workspace/go', async ({ workspace }) =>
    presentWorkspace(await releaseWorkspace(deps, workspace.id)),
  )
}

/** Absent fields stay as they are; null takes a rule away. */
function toPatch({ creditCents, ...body }: z.output<typeof workspacePatch>) {
  const credit =
    creditCents === undefined
      ? {}
      : { creditMillicents: creditCents === null ? null : Math.round(creditCents * millicentsPerCent) }
  return { ...withoutAbsent(body), ...credit }
}

function withoutAbsent(fields: object) {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

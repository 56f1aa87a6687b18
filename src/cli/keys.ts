// `outdial keys`: which API keys open the workspace, a new one, and one that opens nothing any more.
import type { ClientConfig } from '../config.ts'
import { connect } from './api-client.ts'
import { CommandFailure } from './failure.ts'
import type { OutputOption } from './program.ts'
import type { Terminal } from './terminal.ts'
import { textTable } from './text-table.ts'

interface ApiKeyRow {
  id: number
  name: string
  prefix: string
  createdAt: string
  revokedAt: string | null
}

/** With `-o json` one key a line. */
export async function listKeys(
  { output }: OutputOption,
  client: ClientConfig,
  terminal: Terminal,
): Promise<void> {
  const keys: ApiKeyRow[] = []
  for await (const key of connect(client).all<ApiKeyRow>('/api/v1/api-keys')) keys.push(key)
  if (output === 'json') return keys.forEach(key => void terminal.print(JSON.stringify(key)))
  const lines = textTable(keys, [
    { title: 'id', cell: ({ id }) => String(id), align: 'right' },
    { title: 'begins with', cell: ({ prefix }) => prefix },
    { title: 'created', cell: ({ createdAt }) => createdAt.slice(0, 10) },
    { title: 'revoked', cell: ({ revokedAt }) => revokedAt?.slice(0, 10) ?? '' },
    { title: 'name', cell: ({ name }) => name },
  ])
  for (const line of lines) terminal.print(line)
}

export async function createKey(
  name: string,
  { output }: OutputOption,
  client: ClientConfig,
  terminal: Terminal,
): Promise<void> {
  const made = await connect(client).post<ApiKeyRow & { key: string }>('/api/v1/api-keys', { body: { name } })
  terminal.print(output === 'json' ? JSON.stringify(made) : made.key)
  if (output === 'text') terminal.note(`Key ${made.id}, shown only this once.`)
}

export async function revokeKey(
  id: string,
  _options: OutputOption,
  client: ClientConfig,
  terminal: Terminal,
): Promise<void> {
  if (!/^\d{1,15}$/.test(id)) throw new CommandFailure('usage', `A key's id is a number, not "${id}".`)
  await connect(client).delete(`/api/v1/api-keys/${id}`)
  terminal.note(`Key ${id} opens nothing any more.`)
}

// `outdial nodes`: the processes that share the store, and how much each is doing.
import type { ClientConfig } from '../config.ts'
import { connect } from './api-client.ts'
import type { OutputOption } from './program.ts'
import type { Terminal } from './terminal.ts'
import { textTable } from './text-table.ts'

interface ApiNode {
  id: string
  name: string
  role: string
  version: string
  status: 'alive' | 'silent'
  startedAt: string
  callsUnderWay: number
  callsPlaced: number
  pacingLatenessMs: number | null
}

export async function listNodes(
  { output }: OutputOption,
  config: ClientConfig,
  terminal: Terminal,
): Promise<void> {
  const { data } = await connect(config).get<{ data: ApiNode[] }>('/api/v1/nodes')
  if (output === 'json') return terminal.print(JSON.stringify(data))
  const lines = textTable(data, [
    { title: 'node', cell: node => node.name },
    { title: 'role', cell: node => node.role },
    { title: 'status', cell: node => node.status },
    { title: 'version', cell: node => node.version },
    { title: 'since', cell: node => node.startedAt.slice(0, 19).replace('T', ' ') },
    { title: 'calls now', cell: node => String(node.callsUnderWay), align: 'right' },
    { title: 'placed', cell: node => String(node.callsPlaced), align: 'right' },
    { title: 'audio late by', cell: node => latenessOf(node), align: 'right' },
  ])
  for (const line of lines) terminal.print(line)
}

const latenessOf = ({ pacingLatenessMs }: ApiNode) =>
  pacingLatenessMs === null ? '' : `${pacingLatenessMs.toFixed(1)} ms`

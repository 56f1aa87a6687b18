// `outdial halt` and `outdial go`: the emergency stop of a whole workspace, and its end.
import type { ClientConfig } from '../config.ts'
import { connect } from './api-client.ts'
import type { OutputOption } from './program.ts'
import type { Terminal } from './terminal.ts'

interface ApiWorkspace {
  name: string
  stopped: boolean
}

/** Nothing is dialled from the moment the server answers; calls under way end normally. */
export async function halt(options: OutputOption, client: ClientConfig, terminal: Terminal): Promise<void> {
  const workspace = await connect(client).post<ApiWorkspace>('/api/v1/workspace/stop')
  tell(workspace, options, terminal)
}

export async function go(options: OutputOption, client: ClientConfig, terminal: Terminal): Promise<void> {
  const workspace = await connect(client).post<ApiWorkspace>('/api/v1/workspace/go')
  tell(workspace, options, terminal)
}

function tell(workspace: ApiWorkspace, { output }: OutputOption, terminal: Terminal): void {
  const says = workspace.stopped ? 'stopped. Nothing is dialled until `outdial go`.' : 'calling.'
  terminal.print(output === 'json' ? JSON.stringify(workspace) : `Workspace ${workspace.name}: ${says}`)
}

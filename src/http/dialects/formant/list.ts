// How Formant's lists are read; a single call's parameters are a list of one.
import type { Workspace } from '../../../domain/workspace.ts'
import type { ListRules } from '../../../ingest/ingest.ts'
import { vendorList } from '../vendor-list.ts'
import { maxFileBytes, phoneColumn } from './schema.ts'

export function formantList(workspace: Workspace, timezone: string, maxRows: number): ListRules {
  return vendorList(workspace, timezone, {
    formats: ['csv'],
    phoneColumns: [phoneColumn],
    numbers: 'readable',
    mode: 'lenient',
    refuseBadContact: false,
    maxBytes: maxFileBytes,
    maxRows,
  })
}

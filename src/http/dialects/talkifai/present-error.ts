// Refusals as TalkifAI prints them: one sentence in `detail`, our stable code beside it.
import type { BatchStatus } from '../../../domain/batch.ts'
import type { Refusal } from '../../../domain/refusal.ts'
import { type ErrorAnswer, statusOfRefusal } from '../../dialect.ts'
import { jobStatusWords } from './present.ts'

/** `{"detail","code"}` with the HTTP status that belongs to the refusal. */
export function presentError(refusal: Refusal): ErrorAnswer {
  // The vendor answers 400 where a job stands at a status in which the action is unlawful.
  const status = refusal.code === 'wrong_status' ? 400 : statusOfRefusal[refusal.kind]
  const body = { detail: detailOf(refusal), code: vendorCodes[refusal.code] ?? refusal.code }
  return { status, body }
}

/** The vendor knows one code for whatever is wrong with the file as a whole. */
const vendorCodes: Readonly<Record<string, string>> = {
  unclosed_quote: 'invalid_csv',
  unsupported_format: 'invalid_csv',
  missing_file: 'invalid_csv',
  file_is_text: 'invalid_csv',
  several_files: 'invalid_csv',
  unexpected_file: 'invalid_csv',
  empty_file: 'invalid_csv',
  ingest_timeout: 'invalid_csv',
  ingest_memory: 'invalid_csv',
}

function detailOf({ code, message, details }: Refusal): string {
  if (code === 'missing_phone_column') {
    const columns = Array.isArray(details.columns) ? details.columns.map(pythonText) : []
    return `CSV must have 'phone' column. Found columns: [${columns.join(', ')}]`
  }
  if (code === 'invalid_phone_format' && typeof details.index === 'number')
    return `Contact ${details.index}: phone number '${String(details.number).slice(0, 100)}' is not in E.164 format, such as +12025550101`
  if (code === 'wrong_status' && typeof details.action === 'string')
    return `Cannot ${details.action} job in '${jobStatusWords[details.status as BatchStatus]}' status`
  return message
}

/** As Python's repr prints a text: single quotes, unless it holds one and no double quote. */
function pythonText(column: unknown): string {
  const text = String(column).replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r')
  if (!text.includes("'")) return `'${text}'`
  return text.includes('"') ? `'${text.replaceAll("'", "\\'")}'` : `"${text}"`
}

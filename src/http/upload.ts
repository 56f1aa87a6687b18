// Forms with a file: fields in memory, the file streamed to disk and hashed on the way, and removed when the request is over.
import { createHash, randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Multipart, MultipartFile } from '@fastify/multipart'
import type { FastifyRequest } from 'fastify'
import { Refusal } from '../domain/refusal.ts'
import type { ListSource } from '../ingest/ingest.ts'
import type { HttpDeps } from './dialect.ts'

export type UploadedFile = Extract<ListSource, { kind: 'file' }>

export interface Form {
  /** Text of each field; a field that was sent several times is an array, which no schema of a single value lets pass. */
  fields: Record<string, string | string[]>
  file: UploadedFile | null
}

const maxFields = 100
const maxFieldBytes = 1_000_000
const maxFieldNameBytes = 200
/** The only name under which a file is taken. */
const fileField = 'file'

/**
 * Reads a multipart form, whatever the order of its parts, hands it to `use` and removes the file afterwards, come
 * what may. Refusals: `file_too_large` (too-large), `too_many_fields`, `several_files`, `file_is_text`, `empty_file`,
 * `unexpected_file`, `malformed_form`.
 */
export async function withForm<Answer>(
  deps: Pick<HttpDeps, 'uploadDir'>,
  request: FastifyRequest,
  limits: { maxFileBytes: number },
  use: (form: Form) => Promise<Answer>,
): Promise<Answer> {
  const filePath = path.join(deps.uploadDir, randomUUID())
  try {
    return await use(await receive(request, limits.maxFileBytes, filePath))
  } finally {
    await rm(filePath, { force: true })
  }
}

/** The form's file. Refusal `missing_file`. */
export function requireFile(form: Form): UploadedFile {
  if (form.file !== null) return form.file
  throw new Refusal('invalid', 'missing_file', 'The form has no file: send the list in the field `file`.')
}

async function receive(request: FastifyRequest, maxFileBytes: number, filePath: string): Promise<Form> {
  const form: Form = { fields: Object.create(null), file: null }
  try {
    const parts = request.parts({
      limits: {
        fileSize: maxFileBytes,
        files: 1,
        fields: maxFields,
        parts: maxFields + 2,
        fieldSize: maxFieldBytes,
        fieldNameSize: maxFieldNameBytes,
      },
    })
    for await (const part of parts) {
      if (part.type === 'file') form.file = await receiveFile(part, maxFileBytes, filePath)
      else receiveField(form, part)
    }
  } catch (error) {
    // The rest is read and thrown away: many clients look at the answer only once they have sent everything.
    request.raw.unpipe()
    request.raw.resume()
    throw formRefusal(error, maxFileBytes)
  }
  return form
}

async function receiveFile(
  part: MultipartFile,
  maxFileBytes: number,
  filePath: string,
): Promise<UploadedFile> {
  if (part.fieldname !== fileField)
    throw new Refusal(
      'invalid',
      'unexpected_file',
      'A file was sent under another name: send the list in the field `file`.',
    )
  const hash = createHash('sha256')
  let bytes = 0
  const count = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      hash.update(chunk)
      bytes += chunk.length
      yield chunk
    }
  }
  await pipeline(part.file, count, createWriteStream(filePath))
  if (part.file.truncated) throw tooLarge(maxFileBytes)
  if (bytes === 0) throw new Refusal('invalid', 'empty_file', 'The file is empty.')
  return { kind: 'file', path: filePath, fileName: part.filename, bytes, sha256: hash.digest('hex') }
}

function receiveField({ fields }: Form, part: Extract<Multipart, { type: 'field' }>) {
  const name = part.fieldname
  if (name === fileField)
    throw new Refusal(
      'invalid',
      'file_is_text',
      "The field `file` holds text, not a file: send the file's contents with a file name (curl: -F file=@contacts.csv).",
    )
  if (part.valueTruncated || part.fieldnameTruncated)
    throw new Refusal('invalid', 'field_too_long', 'A field of the form is too long.')
  const text = typeof part.value === 'string' ? part.value : JSON.stringify(part.value)
  const earlier = fields[name]
  fields[name] = earlier === undefined ? text : Array.isArray(earlier) ? [...earlier, text] : [earlier, text]
}

function formRefusal(error: unknown, maxFileBytes: number): unknown {
  if (error instanceof Refusal || !(error instanceof Error) || 'syscall' in error) return error
  switch ('code' in error ? error.code : undefined) {
    case 'FST_REQ_FILE_TOO_LARGE':
      return tooLarge(maxFileBytes)
    case 'FST_PARTS_LIMIT':
    case 'FST_FIELDS_LIMIT':
      return new Refusal('invalid', 'too_many_fields', `A form has at most ${maxFields} fields.`)
    case 'FST_FILES_LIMIT':
      return new Refusal('invalid', 'several_files', 'Send one file: this form has several.')
    default:
      return new Refusal(
        'invalid',
        'malformed_form',
        'The form is broken off or has no boundary; let your HTTP client write the multipart header.',
      )
  }
}

function tooLarge(maxFileBytes: number): Refusal {
  return new Refusal('too-large', 'file_too_large', `The file is larger than ${sizeText(maxFileBytes)}.`, {
    maxBytes: maxFileBytes,
  })
}

function sizeText(bytes: number): string {
  return bytes >= 1_000_000 ? `${Math.floor(bytes / 1_000_000)} MB` : `${bytes} bytes`
}

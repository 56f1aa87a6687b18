// How the command line talks to a running server: our own HTTP API, every failure as a sentence and an exit code.
import type { ClientConfig } from '../config.ts'
import { CommandFailure } from './failure.ts'

export interface ApiRequest {
  /** A multipart form, or anything else as JSON. */
  body?: FormData | object
  query?: Readonly<Record<string, string | number | undefined>>
  signal?: AbortSignal
  headers?: Readonly<Record<string, string>>
}

export interface ApiClient {
  readonly url: string
  get<Answer>(path: string, request?: ApiRequest): Promise<Answer>
  post<Answer>(path: string, request?: ApiRequest): Promise<Answer>
  patch<Answer>(path: string, request?: ApiRequest): Promise<Answer>
  delete(path: string): Promise<void>
  /** The body as it arrives, for what is no JSON. */
  download(path: string, request?: ApiRequest): AsyncGenerator<Uint8Array>
  /** Every item of a list, page by page. */
  all<Item>(path: string, query?: ApiRequest['query']): AsyncGenerator<Item>
}

/** RFC 9457, as our server answers errors. */
interface Problem {
  title?: string
  detail?: string
  code?: string
  errors?: { field?: string; message?: string }[]
}

const pageSize = 100

/** @throws CommandFailure `usage` when there is no key to send */
export function connect({ url, apiKey }: ClientConfig): ApiClient {
  if (apiKey === null) {
    throw new CommandFailure(
      'usage',
      'No API key: give --key KEY or set OUTDIAL_API_KEY (the server printed one at its first start).',
    )
  }
  const base = url.replace(/\/+$/, '')
  const answer = async (method: string, path: string, request: ApiRequest = {}) => {
    const response = await reach(base, method, path, apiKey, request)
    if (!response.ok) throw refusalOf(response, await readJson(response))
    return response
  }
  const send = async <Answer>(method: string, path: string, request?: ApiRequest) =>
    (await readJson(await answer(method, path, request))) as Answer
  return {
    url: base,
    get: (path, request) => send('GET', path, request),
    post: (path, request) => send('POST', path, request),
    patch: (path, request) => send('PATCH', path, request),
    delete: async path => {
      await answer('DELETE', path)
    },
    async *download(path, request) {
      const { body } = await answer('GET', path, request)
      if (body !== null) yield* body
    },
    all: (path, query) =>
      allPages(cursor => send('GET', path, { query: { limit: pageSize, ...query, cursor } })),
  }
}

async function reach(
  base: string,
  method: string,
  path: string,
  apiKey: string,
  request: ApiRequest,
): Promise<Response> {
  const { body, query, signal, headers } = request
  const address = new URL(base + path)
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined) address.searchParams.set(name, String(value))
  }
  const isJson = body !== undefined && !(body instanceof FormData)
  try {
    return await fetch(address, {
      method,
      headers: {
        ...headers,
        authorization: `Bearer ${apiKey}`,
        ...(isJson ? { 'content-type': 'application/json' } : {}),
      },
      ...(body === undefined ? {} : { body: isJson ? JSON.stringify(body) : (body as FormData) }),
      ...(signal === undefined ? {} : { signal }),
    })
  } catch (error) {
    if (signal?.aborted) throw new CommandFailure('interrupted', 'Interrupted.')
    throw new CommandFailure(
      'unreachable',
      `No server answers at ${base} (${causeOf(error)}). Is it running? \`outdial serve\` starts one.`,
    )
  }
}

/** fetch says only "fetch failed"; what happened stands in its cause. */
function causeOf(error: unknown): string {
  const { cause, message } = error as { cause?: { code?: string; message?: string }; message?: string }
  return cause?.code ?? cause?.message ?? message ?? String(error)
}

async function readJson(response: Response): Promise<unknown> {
  const text = await response.text()
  if (text === '') return null
  try {
    return JSON.parse(text)
  } catch {
    throw new CommandFailure(
      'failed',
      `${response.url} answered ${response.status} with something that is not JSON: is that an Outdial server?`,
    )
  }
}

function refusalOf(response: Response, answer: unknown): CommandFailure {
  const problem = (answer ?? {}) as Problem
  const sentence = problem.detail ?? problem.title ?? `The server answered ${response.status}.`
  const details = (problem.errors ?? []).map(({ field, message }) =>
    [field, message].filter(Boolean).join(': '),
  )
  if (response.status >= 500) return new CommandFailure('failed', sentence, details)
  const hint = response.status === 401 ? ' Check --key or OUTDIAL_API_KEY.' : ''
  return new CommandFailure('refused', sentence + hint, details)
}

async function* allPages<Item>(
  page: (cursor: string | undefined) => Promise<{ data: Item[]; nextCursor: string | null }>,
): AsyncGenerator<Item> {
  let cursor: string | undefined
  do {
    const { data, nextCursor } = await page(cursor)
    yield* data
    cursor = nextCursor ?? undefined
  } while (cursor !== undefined)
}

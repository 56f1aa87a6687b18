// API keys: made of chance, shown once, kept only as a SHA-256, bound to one workspace.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { Refusal } from '../domain/refusal.ts'
import type { ApiKey, Workspace } from '../domain/workspace.ts'
import type { ListedApiKey } from '../store/housekeeping-store.ts'
import type { Deps } from './deps.ts'

const keyPrefix = 'od_'
const keyEntropyBytes = 24
/** Anything shorter could be guessed; a longer header is no key of ours. */
const minPresetKeyLength = 20
const maxKeyLength = 512
/** How much of a key stays readable, to recognise it by. */
const shownPrefixLength = 7

/**
 * Makes a key for a workspace: `od_` and 192 random bits in base64url, or `preset` where the operator chose one
 * (20 characters and more). The key itself is in the answer and nowhere else.
 */
export async function issueApiKey(
  { store, clock }: Pick<Deps, 'store' | 'clock'>,
  request: { workspaceId: number; name: string; preset?: string },
): Promise<{ key: string; apiKey: ApiKey }> {
  const key = request.preset ?? keyPrefix + randomBytes(keyEntropyBytes).toString('base64url')
  if (key.length < minPresetKeyLength || key.length > maxKeyLength || /[^\x21-\x7e]/.test(key))
    throw new Refusal(
      'invalid',
      'unusable_api_key',
      `An API key has ${minPresetKeyLength} to ${maxKeyLength} visible ASCII characters.`,
    )
  const { workspaceId, name } = request
  const prefix = key.slice(0, shownPrefixLength)
  return { key, apiKey: await store.createApiKey(workspaceId, name, prefix, hashKey(key), clock.now()) }
}

/** The workspace behind a key, and the key as it is known; null: there is no such key, or it was revoked. */
export async function findEntry(
  { store }: Pick<Deps, 'store'>,
  key: string,
): Promise<{ workspace: Workspace; apiKey: ApiKey } | null> {
  if (key.length > maxKeyLength) return null
  const hash = hashKey(key)
  const found = await store.findApiKey(hash)
  if (found === null || !timingSafeEqual(found.hash, hash)) return null
  const workspace = await store.getWorkspace(found.workspaceId)
  return workspace === null ? null : { workspace, apiKey: found }
}

export async function findWorkspaceByKey(deps: Pick<Deps, 'store'>, key: string): Promise<Workspace | null> {
  return (await findEntry(deps, key))?.workspace ?? null
}

/** From the next request on it opens nothing. Refusals `api_key_not_found`, `last_api_key` (conflict). */
export async function revokeApiKey(
  { store, clock }: Pick<Deps, 'store' | 'clock'>,
  workspaceId: number,
  keyId: number,
): Promise<ListedApiKey> {
  const key = await store.revokeApiKey(workspaceId, keyId, clock.now())
  if (key === null) throw apiKeyNotFound(keyId)
  return key
}

export function apiKeyNotFound(ref: number | string): Refusal {
  return new Refusal('not-found', 'api_key_not_found', `API key ${ref} not found`, { ref: String(ref) })
}

/** Whether the key was one of ours once. */
export async function wasRevoked({ store }: Pick<Deps, 'store'>, key: string): Promise<boolean> {
  return store.isRevokedKey(hashKey(key))
}

function hashKey(key: string): Uint8Array {
  return createHash('sha256').update(key).digest()
}

// Trunks as the carrier has read them: each trunk's settings are read once, and stay the same object until they change.
import type { Trunk } from '../../domain/workspace.ts'
import type { Logger } from '../../runtime/logger.ts'
import { type ReadTrunk, readTrunkSettings } from './trunk-settings.ts'

interface Known {
  raw: Trunk['settings']
  written: string
  read: ReadTrunk
}

export class KnownTrunks {
  readonly #logger: Logger
  readonly #byId = new Map<number, Known>()

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** The dispatcher reads trunks anew whenever anything changed: what says the same is the same. */
  read({ id, settings }: Pick<Trunk, 'id' | 'settings'>): ReadTrunk {
    const known = this.#byId.get(id)
    if (known?.raw === settings) return known.read
    const written = JSON.stringify(settings)
    if (known?.written === written) {
      known.raw = settings
      return known.read
    }
    const read = readTrunkSettings(settings)
    this.#byId.set(id, { raw: settings, written, read })
    if ('settings' in read && !read.settings.tlsVerify)
      this.#logger.warn({ trunkId: id }, 'certificates of this trunk are not checked (tlsVerify: false)')
    return read
  }
}

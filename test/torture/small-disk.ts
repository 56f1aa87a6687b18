// A real disk of a few megabytes (an ext4 image on a loop device) that a test can fill up, or have fail as disks do.
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'

/** Why tests with disks of their own are left out; false: they are not. In CI they run. */
export const skipWithoutDisks =
  canMount() || process.env.CI === 'true' ? false : 'a disk of its own takes root, Linux and mkfs.ext4'

export class SmallDisk {
  readonly path: string
  readonly #image: string

  /** Makes `folder`/disk and mounts it. */
  constructor(folder: string, mib: number) {
    this.path = join(folder, 'disk')
    this.#image = join(folder, 'disk.img')
    writeFileSync(this.#image, Buffer.alloc(mib * 1024 * 1024))
    execFileSync('mkfs.ext4', ['-q', '-F', '-m', '0', this.#image])
    mkdirSync(this.path)
    this.mount()
  }

  mount(): void {
    // Read-only at the first error, as servers are set up.
    execFileSync('mount', ['-o', 'loop,errors=remount-ro', this.#image, this.path])
    chmodSync(this.path, 0o777)
  }

  unmount(): void {
    execFileSync('umount', ['-l', this.path])
  }

  /** As at boot: repairs what the error left, then mounts it. */
  repair(): void {
    this.unmount()
    try {
      execFileSync('e2fsck', ['-p', '-f', this.#image], { stdio: 'ignore' })
    } catch (error) {
      // 1: errors were corrected.
      if ((error as { status?: number }).status !== 1) throw error
    }
    this.mount()
  }

  /** Until nothing more fits. */
  async fill(): Promise<void> {
    for (let chunk = 1_000_000; chunk >= 1_000; chunk /= 10) while (await this.#append(chunk));
  }

  async free(): Promise<void> {
    await rm(this.#ballast)
  }

  /** The kernel finds an error in the file system: from now on every write is refused with EROFS, open files included. */
  fail(): void {
    const device = execFileSync('findmnt', ['-no', 'SOURCE', this.path], { encoding: 'utf8' }).trim()
    writeFileSync(`/sys/fs/ext4/${basename(device)}/trigger_fs_error`, '1')
  }

  get #ballast(): string {
    return join(this.path, 'ballast')
  }

  async #append(bytes: number): Promise<boolean> {
    try {
      await writeFile(this.#ballast, Buffer.alloc(bytes), { flag: 'a', flush: true })
      return true
    } catch {
      return false
    }
  }
}

function canMount(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false
  try {
    execFileSync('sh', ['-c', 'command -v mkfs.ext4 && losetup -f'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

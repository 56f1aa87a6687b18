// As much of WASI (preview 1) as a program needs that reads its arguments and writes one file: all in memory, no file system.

/** What is used of it here: TypeScript declares WebAssembly only together with the whole browser. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => WasiProgram
  Instance: new (program: WasiProgram, imports: object) => { exports: Record<string, unknown> }
}
declare const compiled: unique symbol
export interface WasiProgram {
  readonly [compiled]: true
}

export function compileProgram(bytes: Uint8Array): WasiProgram {
  return new WebAssembly.Module(bytes)
}

export interface MemoryRun {
  exitCode: number
  /** What the program wrote into the last file that it opened. */
  file: Uint8Array
}

/** WASI errno values. */
const ok = 0
const badDescriptor = 8
const notSeekable = 70
/** Descriptors 0 to 2 are the standard streams, 3 is the root folder, files follow. */
const rootDescriptor = 3
const characterDevice = 2
const directory = 3
const regularFile = 4
const allRights = 0xffff_ffffn

/** Runs `_start` of a WASI program to its end, in this thread. */
export function runInMemory(program: WasiProgram, args: readonly string[]): MemoryRun {
  const files = createFiles()
  const instance = new WebAssembly.Instance(program, {
    wasi_snapshot_preview1: {
      ...argumentCalls(args, view),
      ...fileCalls(files, view),
      ...processCalls(view),
    },
  })
  const memory = instance.exports.memory as { buffer: ArrayBuffer }
  /** Made anew each time: growing the memory detaches what was there. */
  function view(): DataView {
    return new DataView(memory.buffer)
  }
  try {
    const start = instance.exports._start as () => void
    start()
    return { exitCode: 0, file: files.last() }
  } catch (error) {
    if (error instanceof ProgramExit) return { exitCode: error.code, file: files.last() }
    throw error
  }
}

class ProgramExit extends Error {
  readonly code: number

  constructor(code: number) {
    super('the program ended')
    this.code = code
  }
}

type View = () => DataView

function argumentCalls(args: readonly string[], view: View) {
  const encoded = args.map(text => new TextEncoder().encode(`${text.replaceAll('\0', '')}\0`))
  return {
    args_sizes_get(countAt: number, sizeAt: number) {
      view().setUint32(countAt, encoded.length, true)
      view().setUint32(
        sizeAt,
        encoded.reduce((sum, { length }) => sum + length, 0),
        true,
      )
      return ok
    },
    args_get(pointersAt: number, bytesAt: number) {
      for (const [index, bytes] of encoded.entries()) {
        view().setUint32(pointersAt + 4 * index, bytesAt, true)
        new Uint8Array(view().buffer).set(bytes, bytesAt)
        bytesAt += bytes.length
      }
      return ok
    },
  }
}

function processCalls(view: View) {
  return {
    /** Always the same instant, so that the same text gives the same audio. */
    clock_time_get(_id: number, _precision: bigint, resultAt: number) {
      view().setBigUint64(resultAt, 0n, true)
      return ok
    },
    proc_exit(code: number) {
      throw new ProgramExit(code)
    },
  }
}

interface MemoryFile {
  bytes: Uint8Array
  length: number
  at: number
}

function createFiles() {
  const open = new Map<number, MemoryFile>()
  let next = rootDescriptor + 1
  let newest: MemoryFile = { bytes: new Uint8Array(), length: 0, at: 0 }
  return {
    get: (descriptor: number) => open.get(descriptor),
    create(): number {
      newest = { bytes: new Uint8Array(256 * 1024), length: 0, at: 0 }
      open.set(next, newest)
      return next++
    },
    close: (descriptor: number) => open.delete(descriptor),
    last: () => newest.bytes.subarray(0, newest.length),
  }
}

function append(file: MemoryFile, data: Uint8Array): void {
  const end = file.at + data.length
  if (end > file.bytes.length) {
    const larger = new Uint8Array(Math.max(2 * file.bytes.length, end))
    larger.set(file.bytes.subarray(0, file.length))
    file.bytes = larger
  }
  file.bytes.set(data, file.at)
  file.at = end
  file.length = Math.max(file.length, end)
}

function fileCalls(files: ReturnType<typeof createFiles>, view: View) {
  return {
    ...folderCalls(files, view),
    fd_close(descriptor: number) {
      files.close(descriptor)
      return ok
    },
    /** Nothing can be read: every input is empty. */
    fd_read(_descriptor: number, _vectors: number, _count: number, readAt: number) {
      view().setUint32(readAt, 0, true)
      return ok
    },
    fd_seek(descriptor: number, offset: bigint, whence: number, resultAt: number) {
      const file = files.get(descriptor)
      if (file === undefined) return notSeekable
      const from = whence === 0 ? 0 : whence === 1 ? file.at : file.length
      file.at = from + Number(offset)
      view().setBigUint64(resultAt, BigInt(file.at), true)
      return ok
    },
    /** What goes to the standard streams is dropped. */
    fd_write(descriptor: number, vectorsAt: number, count: number, writtenAt: number) {
      const file = files.get(descriptor)
      let written = 0
      for (let index = 0; index < count; index++) {
        const at = view().getUint32(vectorsAt + 8 * index, true)
        const length = view().getUint32(vectorsAt + 8 * index + 4, true)
        if (file !== undefined) append(file, new Uint8Array(view().buffer, at, length))
        written += length
      }
      view().setUint32(writtenAt, written, true)
      return ok
    },
  }
}

function folderCalls(files: ReturnType<typeof createFiles>, view: View) {
  return {
    fd_fdstat_get(descriptor: number, statAt: number) {
      const type =
        descriptor < rootDescriptor
          ? characterDevice
          : descriptor === rootDescriptor
            ? directory
            : regularFile
      new Uint8Array(view().buffer).fill(0, statAt, statAt + 24)
      view().setUint8(statAt, type)
      view().setBigUint64(statAt + 8, allRights, true)
      view().setBigUint64(statAt + 16, allRights, true)
      return ok
    },
    fd_fdstat_set_flags: () => ok,
    fd_prestat_get(descriptor: number, resultAt: number) {
      if (descriptor !== rootDescriptor) return badDescriptor
      view().setUint32(resultAt, 0, true)
      view().setUint32(resultAt + 4, 1, true)
      return ok
    },
    fd_prestat_dir_name(_descriptor: number, nameAt: number) {
      view().setUint8(nameAt, '/'.charCodeAt(0))
      return ok
    },
    /** Whatever is opened is a new, empty file. */
    path_open(
      _folder: number,
      _lookup: number,
      _path: number,
      _pathBytes: number,
      _open: number,
      _rights: bigint,
      _inheriting: bigint,
      _flags: number,
      descriptorAt: number,
    ) {
      view().setUint32(descriptorAt, files.create(), true)
      return ok
    },
  }
}

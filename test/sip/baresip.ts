// Baresip as a telephone of the tests: answers at once, plays a file or echoes, records what it hears, and is steered.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { sampleRateHz } from '../../src/media/g711.ts'
import { readWav, wavHeader } from '../../src/media/wav.ts'
import { endAfter, freePort, tempFolder, untilBound } from './peers.ts'

export interface Baresip {
  port: number
  /** An event of the kind, past or to come, e.g. `CALL_RTPESTAB`. */
  event(type: string): Promise<void>
  /** A command of its menu, e.g. `sndcode 1`. */
  command(text: string): void
  /** What it heard in the only call so far, as it decoded it. */
  heard(): Int16Array
}

/** @param number the only one that it answers to. @param source what it plays, and hangs up at the end; 'echo': what it hears. */
export async function startBaresip(
  t: TestContext,
  number: string,
  source: Int16Array | 'echo',
): Promise<Baresip> {
  const folder = tempFolder(t)
  const [port, control, rtp] = [await freePort(), await freeTcpPort(), await freePort()]
  const fill: Record<string, string> = {
    DIR: folder,
    SIP: String(port),
    CONTROL: String(control),
    // Some even port and the next ones: with a call or two at a time that is enough.
    RTP: `${rtp & ~1}-${(rtp & ~1) + 20}`,
    // A device of the bridge by the same name is joined; a player without a source swallows.
    PLAYER: source === 'echo' ? 'aubridge,loop' : 'aubridge,sink',
    SOURCE: source === 'echo' ? 'aubridge,loop' : `aufile,${writeSound(folder, source)}`,
    MODULES: dirname(globSync('/usr/lib/{,*/}baresip/modules/ctrl_tcp.so')[0]!),
  }
  const template = readFileSync(join(import.meta.dirname, 'baresip/config'), 'utf8')
  writeFileSync(
    join(folder, 'config'),
    template.replace(/@([A-Z]+)@/g, (_, name: string) => fill[name]!),
  )
  const account = `<sip:${number}@127.0.0.1>;regint=0;answermode=auto;audio_codecs=PCMU,PCMA\n`
  writeFileSync(join(folder, 'accounts'), account)
  const child = spawn('baresip', ['-f', folder], { cwd: folder, stdio: 'ignore' })
  endAfter(t, child)
  // SIP comes first, the modules after it.
  await untilBound('tcp', control, child)
  const controller = await steer(t, control)
  return {
    port,
    ...controller,
    heard: () => readWav(readFileSync(globSync(join(folder, '*-dec.wav'))[0]!)).samples,
  }
}

function writeSound(folder: string, samples: Int16Array): string {
  const path = join(folder, 'said.wav')
  const header = wavHeader({ encoding: 'pcm16', channels: 1, sampleRateHz }, samples.byteLength)
  writeFileSync(path, Buffer.concat([header, Buffer.from(samples.buffer)]))
  return path
}

/** JSON in netstrings both ways: commands there, answers and events back. */
async function steer(t: TestContext, port: number): Promise<Pick<Baresip, 'event' | 'command'>> {
  const socket: Socket = connect(port, '127.0.0.1')
  t.after(() => socket.destroy())
  await once(socket, 'connect')
  const events: string[] = []
  const watchers: (() => void)[] = []
  let rest = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk])
    for (let colon = rest.indexOf(':'); colon > 0; colon = rest.indexOf(':')) {
      const length = Number(rest.toString('latin1', 0, colon))
      if (rest.length < colon + length + 2) break
      const message = JSON.parse(rest.toString('utf8', colon + 1, colon + 1 + length)) as Record<
        string,
        unknown
      >
      rest = rest.subarray(colon + length + 2)
      if (typeof message.type === 'string') events.push(message.type)
    }
    for (const watcher of watchers.splice(0)) watcher()
  })
  return {
    async event(type) {
      while (!events.includes(type)) await new Promise<void>(resolve => watchers.push(resolve))
    },
    command(text) {
      const [command, ...params] = text.split(' ')
      const json = JSON.stringify({ command, params: params.join(' '), token: text })
      socket.write(`${Buffer.byteLength(json)}:${json},`)
    },
  }
}

async function freeTcpPort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  await new Promise(resolve => server.close(resolve))
  return port
}

// The worker thread's side of media: owns the sockets, the pacer and the agents of its calls, so that audio never crosses threads.
import { type MessagePort, parentPort } from 'node:worker_threads'
import { connectAgent } from '../../agent/connect-agent.ts'
import { realClock } from '../../runtime/clock.ts'
import { plainDatagrams } from './datagrams.ts'
import { type Line, type LineDeps, openLine } from './line.ts'
import { createPacer } from './pacer.ts'
import { type FromWorker, pulseMs, type ToWorker } from './worker-messages.ts'

const port = parentPort as MessagePort
const clock = realClock
const pacer = createPacer({ clock, afterSlot: plainDatagrams.flush })
const deps: LineDeps = { clock, pacer, datagrams: plainDatagrams, connectAgent }
/** A line that is still being opened is there already: what is asked of it meanwhile waits for it. */
const lines = new Map<number, Promise<Line>>()

port.on('message', (message: ToWorker) => {
  if (message.kind === 'open') open(message)
  else void lines.get(message.line)?.then(line => obey(line, message))
})
pulse()
say({ kind: 'ready' })

function open({ line: number, port, request }: ToWorker & { kind: 'open' }): void {
  const opening = openLine(request, port, deps, event => say({ kind: 'event', line: number, event }))
  lines.set(number, opening)
  opening.then(
    line => say({ kind: 'opened', line: number, srtpKey: line.srtpKey }),
    (error: NodeJS.ErrnoException) => {
      lines.delete(number)
      const code = error.code === 'EADDRINUSE' ? 'port-taken' : 'failed'
      say({ kind: 'refused', line: number, code, reason: error.message })
    },
  )
  // What waits for the line must not make an error of its own of the refusal.
  opening.catch(() => {})
}

async function obey(line: Line, message: Exclude<ToWorker, { kind: 'open' }>): Promise<void> {
  if (message.kind === 'connect') return line.connect(message.remote)
  if (message.kind === 'answered') return line.answered()
  const report = await line.close()
  lines.delete(message.line)
  say({ kind: 'closed', line: message.line, report })
}

function pulse(): void {
  say({ kind: 'pulse', latenessMs: pacer.latenessMs() })
  clock.at(clock.now() + pulseMs, pulse)
}

function say(message: FromWorker): void {
  port.postMessage(message)
}

// The commands, their arguments and their help; each is loaded only when it is run, so that `--help` answers at once.
import { Command, Option } from 'commander'
import { machinePolicies } from '../domain/conversation.ts'
import { nodeRoles } from '../store/node-records.ts'
import { clientOf, onServer, outputOption, serverOptions } from './command-options.ts'
import { addHousekeepingCommands } from './housekeeping-commands.ts'
import { ownAddress, portRange, positiveNumber, shareOfOne, wholeNumber } from './option-values.ts'
import type { Terminal } from './terminal.ts'

export interface OutputOption {
  output: 'text' | 'json'
}

const helpColumns = 100

/** Builds the whole command line; nothing runs before it is parsed. */
export function createProgram(terminal: Terminal): Command {
  const program = new Command('outdial')
    .description('Calls lists of people by telephone with AI voice agents.')
    .exitOverride()
    .showHelpAfterError('(outdial --help shows what there is)')
    .configureOutput({ getOutHelpWidth: () => helpColumns, getErrHelpWidth: () => helpColumns })
    // `doctor` has options and a command with the same ones: what stands behind the command is the command's.
    .enablePositionalOptions()
    .addHelpText(
      'after',
      '\nExit codes: 0 done · 1 failed · 2 wrong usage or configuration · 3 no server answers · 4 the server said no · 130 interrupted',
    )
  addServerCommands(program, terminal)
  addBatchCommands(program, terminal)
  addTrunkCommands(program, terminal)
  addEventCommand(program, terminal)
  addStopCommands(program, terminal)
  addHousekeepingCommands(program, terminal)
  addCheckingCommands(program, terminal)
  return program
}

function addServerCommands(program: Command, terminal: Terminal): void {
  program
    .command('serve')
    .description('start the server; its settings come from the environment (docs/guide/configuration.md)')
    .addOption(
      new Option(
        '--role <role>',
        'what this node does among several on one database (default: OUTDIAL_ROLE, else all)',
      ).choices([...nodeRoles]),
    )
    .action(async options => (await import('./serve.ts')).serve(options, terminal))
  program
    .command('demo')
    .description(
      'start the server, call the 25 people of examples/first-batch/contacts.csv, and go on serving',
    )
    .option('--sip', 'over real SIP and audio to telephones on this machine, with recordings', false)
    .action(async options => (await import('./demo.ts')).demo(options, terminal))
  program
    .command('carrier')
    .description('run the simulated carrier as a process of its own; trunks reach it by its address')
    .requiredOption('--log <file>', 'where each dial is written, and flushed to disk, before it is answered')
    .option('--port <port>', 'port on 127.0.0.1; 0 takes any free one', wholeNumber(0, 65_535), 7070)
    .option('--seed <n>', 'the same seed, the same calls', wholeNumber(0, 2 ** 32 - 1), 1)
    .action(async options => (await import('./carrier.ts')).carrier(options, terminal))
  program
    .command('phones')
    .description(
      'telephones on this machine that a SIP trunk can ring: people who talk, machines, busy lines',
    )
    .option('--host <ip>', 'address to listen on, for SIP and audio', ownAddress, '127.0.0.1')
    .option('--port <port>', 'SIP port, UDP and TCP; 0 takes any free one', wholeNumber(0, 65_535), 5070)
    .addOption(
      new Option('--rtp-ports <range>', 'ports for audio, two a call')
        .argParser(portRange)
        .default({ first: 12_000, last: 12_798 }, '12000-12798'),
    )
    .option('--seed <n>', 'the same seed, the same people', wholeNumber(0, 2 ** 32 - 1), 1)
    .option('-q, --quiet', 'no line for each call', false)
    .action(async options => (await import('./phones.ts')).phones(options, terminal))
}

function addBatchCommands(program: Command, terminal: Terminal): void {
  onServer(program.command('call <file>'))
    .description('call everybody in a CSV, XLSX, XLS or JSON file')
    .requiredOption('--agent <ref>', 'who talks: an agent’s id or alias')
    .option(
      '--from <ref>',
      'a phone number to call from: id, alias or number; say it again to call from several in turns (default: the agent’s)',
      (ref: string, refs: string[] = []) => [...refs, ref],
    )
    .option('--from-trunk <id>', 'call from all numbers of this trunk in turns')
    .option('--name <name>', 'what the batch is called (default: the file’s name)')
    .option('--concurrency <n>', 'calls at the same time', wholeNumber(1, 100_000))
    .option('--calls-per-second <n>', 'new calls a second', positiveNumber)
    .option('--at <time>', 'when to start, e.g. 2027-03-01T09:00 (default: at once)')
    .option('--timezone <zone>', 'IANA zone of --at, and of numbers whose zone is unknown', 'UTC')
    .option('--max-attempts <n>', 'calls to one person at most', wholeNumber(1, 10))
    .option('--retry-delay <seconds>', 'before a busy or silent person is called again', positiveNumber)
    .option('--record', 'record the conversations of real calls', false)
    .addOption(
      new Option('--answering-machine <policy>', 'what to do when a machine answers a real call').choices([
        ...machinePolicies,
      ]),
    )
    .option('--draft', 'create it, start it later', false)
    .option('--idempotency-key <key>', 'makes it safe to send the same command again')
    .option('-w, --watch', 'stay and show the progress until the batch has ended', false)
    .action(async (file, options) => {
      await (await import('./call.ts')).call(file, options, clientOf(options), terminal)
    })
  onServer(program.command('ring <number>'))
    .description('call one person')
    .requiredOption('--agent <ref>', 'who talks: an agent’s id or alias')
    .option('--from <ref>', 'the phone number to call from: id, alias or number (default: the agent’s)')
    .option('--variable <name=value...>', 'what the agent may speak of')
    .option('--record', 'record the conversation of a real call', false)
    .action(async (number, options) => {
      await (await import('./ring.ts')).ring(number, options, clientOf(options), terminal)
    })
  const batches = program.command('batches').description('look at batches and steer them')
  onServer(batches.command('list'))
    .description('the newest batches first')
    .option('--status <status>', 'only those that are scheduled, running, paused, completed, cancelled …')
    .option('-n, --limit <n>', 'how many at most', wholeNumber(1, 100_000), 20)
    .action(async options => (await import('./batches.ts')).listBatches(options, clientOf(options), terminal))
  onServer(batches.command('show <id>'))
    .description('where a batch stands')
    .option('-w, --watch', 'stay and show the progress until the batch has ended', false)
    .action(async (id, options) => {
      await (await import('./batches.ts')).showBatch(id, options, clientOf(options), terminal)
    })
  for (const [verb, says] of batchMoves) {
    onServer(batches.command(`${verb} <id>`))
      .description(says)
      .action(async (id, options) => {
        await (await import('./batches.ts')).moveBatch(verb, id, options, clientOf(options), terminal)
      })
  }
  onServer(batches.command('export <id>'), 'no output option')
    .description('every person of a batch and what became of them, as CSV')
    .addOption(
      new Option('--filter <which>', 'whom to export')
        .choices(['all', 'reached', 'unreached'])
        .default('all'),
    )
    .action(async (id, options) => {
      await (await import('./export-batch.ts')).exportBatch(id, options, clientOf(options), terminal)
    })
}

const batchMoves = [
  ['start', 'start a draft, or a scheduled batch before its time'],
  ['pause', 'place no more calls of this batch; calls under way end normally'],
  ['resume', 'go on where it was paused'],
  ['cancel', 'drop everybody who is not being called; calls under way end normally'],
] as const
export type BatchMove = (typeof batchMoves)[number][0]

function addTrunkCommands(program: Command, terminal: Terminal): void {
  const trunk = program.command('trunk').description('routes to the telephone network')
  onServer(trunk.command('list'))
    .description('which there are')
    .action(async options => (await import('./trunks.ts')).listTrunks(options, clientOf(options), terminal))
  trunkOptions(
    onServer(trunk.command('add <name>'))
      .description('ring real telephones over a SIP trunk')
      .requiredOption(
        '--gateway <address...>',
        'where it is, e.g. sip.example.com, tcp:192.0.2.1:5070, tls:sip.example.com; several in order',
      ),
  )
    .option('--no-plus', 'numbers are written without +')
    .option('--no-tls-verify', 'take any certificate of a tls: gateway')
    .option('--caller-id <number>', 'add this number of yours to call from, e.g. +12025550100')
    .option('--agent <ref>', 'who talks when that number calls: id or alias')
    .action(async (name, options) => {
      // A trunk checks certificates unless it says otherwise: only that is worth storing.
      const { tlsVerify, ...rest } = options
      const settings = tlsVerify === false ? options : rest
      await (await import('./trunks.ts')).addTrunk(name, settings, clientOf(options), terminal)
    })
  trunkOptions(
    onServer(trunk.command('set <trunk>'))
      .description('change what is named, by the trunk’s name or id; the rest stays as it is')
      .option('--name <name>', 'what it is called')
      .option('--gateway <address...>', 'where it is; all of them, in order'),
  )
    .option('--plus', 'numbers are written with +')
    .option('--no-plus', 'numbers are written without +')
    .option('--no-srtp', 'plain audio')
    .option('--tls-verify', 'check the certificates of tls: gateways')
    .option('--no-tls-verify', 'take any certificate of a tls: gateway')
    .option('--no-trace', 'keep no SIP messages')
    .action(async (ref, options) => {
      await (await import('./trunks.ts')).changeTrunk(ref, options, clientOf(options), terminal)
    })
}

function trunkOptions(command: Command): Command {
  return command
    .option('--domain <host>', 'host of the SIP addresses (default: the first gateway’s)')
    .option('--username <name>', 'for digest authentication; without it the carrier knows us by our address')
    .option('--password-file <file>', 'holds the password')
    .option('--channels <n>', 'calls at the same time', wholeNumber(1, 100_000))
    .option('--calls-per-second <n>', 'new calls a second', positiveNumber)
    .option('--public-address <ip>', 'our address as this carrier sees it')
    .option('--prefix <digits>', 'put before each number')
    .option('--strip <digits>', 'taken from the front of each number')
    .option('--codecs <names...>', 'PCMU, PCMA, or both in order')
    .option('--srtp', 'encrypt the audio (SDES)')
    .option('--trace', 'keep the SIP messages of its calls')
}

function addEventCommand(program: Command, terminal: Terminal): void {
  onServer(program.command('events'))
    .description('what happened in the workspace, oldest first')
    .option('-f, --follow', 'stay, and show what happens from now on', false)
    .option('--after <id>', 'begin behind this event; 0 begins at the first', wholeNumber(0, 2 ** 53 - 1))
    .option('--batch <id>', 'only what happened to this batch', wholeNumber(1, 2 ** 53 - 1))
    .option('--type <types>', 'only these, e.g. attempt.ended,batch.completed')
    .action(async options => (await import('./events.ts')).events(options, clientOf(options), terminal))
}

function addStopCommands(program: Command, terminal: Terminal): void {
  onServer(program.command('halt'))
    .description('emergency stop: nothing is dialled in the whole workspace until `outdial go`')
    .action(async options => (await import('./halt.ts')).halt(options, clientOf(options), terminal))
  onServer(program.command('go'))
    .description('lift the emergency stop')
    .action(async options => (await import('./halt.ts')).go(options, clientOf(options), terminal))
}

function addCheckingCommands(program: Command, terminal: Terminal): void {
  onServer(program.command('nodes'))
    .description('the processes that share the store, and how much each is doing')
    .action(async options => (await import('./nodes.ts')).listNodes(options, clientOf(options), terminal))
  outputOption(program.command('simulate <file>'))
    .description(
      'when would this batch finish, how would the calls end, what would it cost: hours in seconds',
    )
    .option('--seed <n>', 'the same seed, the same day', wholeNumber(0, 2 ** 32 - 1), 1)
    .option('--concurrency <n>', 'calls at the same time', wholeNumber(1, 10_000), 20)
    .option('--calls-per-second <n>', 'new calls a second', positiveNumber)
    .option('--max-attempts <n>', 'calls to one person at most', wholeNumber(1, 10), 3)
    .option('--answer-rate <share>', 'share of calls that a person answers, 0 to 1', shareOfOne, 0.45)
    .option('--talk <seconds>', 'how long a talk lasts on average', positiveNumber, 120)
    .addOption(
      new Option('--agent-arch <architecture>', 'decides the price of a call')
        .choices(['pipeline', 'realtime'])
        .default('pipeline'),
    )
    .option('--start <time>', 'when the day begins, e.g. 2027-03-01T09:00Z', '2027-03-01T09:00:00Z')
    .option('--region <country>', 'where numbers without a plus are, e.g. US')
    .option(
      '--window <from-to>',
      'calling hours in each person’s own zone, e.g. 09:00-21:00 (default: always)',
    )
    .action(async (file, options) => (await import('./simulate.ts')).simulate(file, options, terminal))
  addDoctorCommands(program, terminal)
}

function addDoctorCommands(program: Command, terminal: Terminal): void {
  const doctor = onServer(program.command('doctor'))
    .description('check this machine, the configuration and the running server')
    .action(async options => (await import('./doctor.ts')).doctor(options, serverOptions(options), terminal))
  onServer(doctor.command('trunk <name>'))
    .description('look at a SIP trunk, or ring a number of yours over it, and say what is wrong')
    .option('--to <number>', 'ring this number of yours, once; without it no call is made')
    .option('--from <ref>', 'the phone number to call from: id, alias or number (default: the trunk’s first)')
    .option('--agent <ref>', 'who talks: id or alias (default: a test voice that asks for a key)')
    .option('--ring-seconds <n>', 'how long it may ring (default: 25)', wholeNumber(1, 30))
    .option('-y, --yes', 'ring without asking first', false)
    .action(async (name, options) => {
      await (await import('./doctor-trunk.ts')).doctorTrunk(name, options, clientOf(options), terminal)
    })
}

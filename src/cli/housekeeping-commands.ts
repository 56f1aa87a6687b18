// The commands that keep house: backups, people who want to be forgotten, how long things are kept, API keys.
import { type Command, InvalidArgumentError } from 'commander'
import { clientOf, onServer, outputOption } from './command-options.ts'
import type { Terminal } from './terminal.ts'

export function addHousekeepingCommands(program: Command, terminal: Terminal): void {
  addCopyCommands(program, terminal)
  addForgettingCommands(program, terminal)
  addKeyCommands(program, terminal)
}

function addCopyCommands(program: Command, terminal: Terminal): void {
  onServer(program.command('backup <file>'))
    .description('copy the whole store of the running server into a new file; calls go on meanwhile')
    .option('--recordings', 'the recordings as well, into FILE-recordings/', false)
    .action(async (file, options) =>
      (await import('./backup.ts')).backup(file, options, clientOf(options), terminal),
    )
  outputOption(program.command('restore <file>'))
    .description('make a data directory from a backup; its server dials nobody until `accept-restore`')
    .option('--data-dir <dir>', 'empty, or not there yet (default: OUTDIAL_DATA_DIR)')
    .option('--recordings <dir>', 'folder of recordings (default: FILE-recordings/, where that is there)')
    .action(async (file, options) => (await import('./restore.ts')).restore(file, options, terminal))
  onServer(program.command('accept-restore'))
    .description('show what a restored or copied store would dial, and let it')
    .option('--yes', 'let it', false)
    .action(async options =>
      (await import('./restore.ts')).acceptRestore(options, clientOf(options), terminal),
    )
  outputOption(program.command('migrate-store'))
    .description('move the store of a data directory into an empty PostgreSQL; no server runs meanwhile')
    .option('--from <dir>', 'the data directory (default: OUTDIAL_DATA_DIR)')
    .option('--to <url>', 'the database (default: DATABASE_URL)')
    .action(async options => (await import('./migrate-store.ts')).migrateStore(options, terminal))
}

function addForgettingCommands(program: Command, terminal: Terminal): void {
  onServer(program.command('erase <number>'))
    .description('forget a person: number, variables, transcripts and recordings, in every batch')
    .option('--yes', 'it cannot be undone', false)
    .action(async (number, options) =>
      (await import('./erase.ts')).erase(number, options, clientOf(options), terminal),
    )
  onServer(program.command('retention'))
    .description('show, or set, for how many days things are kept; `forever` keeps them')
    .option('--recordings <days>', 'after the call', daysOrForever)
    .option('--transcripts <days>', 'with the results, after the call', daysOrForever)
    .option('--events <days>', 'after they happened', daysOrForever)
    .option('--batches <days>', 'with their people, after the batch has ended', daysOrForever)
    .action(async options => (await import('./retention.ts')).retention(options, clientOf(options), terminal))
}

function addKeyCommands(program: Command, terminal: Terminal): void {
  const keys = program.command('keys').description('who may enter the workspace')
  onServer(keys.command('list'))
    .description('which keys there are; the keys themselves are never shown again')
    .action(async options => (await import('./keys.ts')).listKeys(options, clientOf(options), terminal))
  onServer(keys.command('create <name>'))
    .description('make a key, and show it this once')
    .action(async (name, options) =>
      (await import('./keys.ts')).createKey(name, options, clientOf(options), terminal),
    )
  onServer(keys.command('revoke <id>'))
    .description('from the next request on this key opens nothing')
    .action(async (id, options) =>
      (await import('./keys.ts')).revokeKey(id, options, clientOf(options), terminal),
    )
}

function daysOrForever(text: string): number | 'forever' {
  if (text === 'forever') return text
  const days = Number(text)
  if (!Number.isInteger(days) || days < 1)
    throw new InvalidArgumentError('It must be a whole number of days, or `forever`.')
  return days
}

// Options that many commands share: where the server is, and what stdout gets.
import { type Command, Option } from 'commander'
import { type ClientConfig, readClientConfig } from '../config.ts'

interface ServerOptions {
  url?: string
  key?: string
}

export function onServer(
  command: Command,
  output: 'output option' | 'no output option' = 'output option',
): Command {
  command
    .option('--url <url>', 'where the server is (default: OUTDIAL_URL, else this machine at PORT)')
    .option('--key <key>', 'API key (default: OUTDIAL_API_KEY)')
  return output === 'output option' ? outputOption(command) : command
}

export function outputOption(command: Command): Command {
  return command.addOption(
    new Option('-o, --output <format>', 'what stdout gets').choices(['text', 'json']).default('text'),
  )
}

export function clientOf(options: ServerOptions): ClientConfig {
  return serverOptions(options)
}

/** What was given on the command line wins over the environment. */
export function serverOptions({ url, key }: ServerOptions): ClientConfig {
  const configured = readClientConfig()
  return { url: url ?? configured.url, apiKey: key ?? configured.apiKey }
}

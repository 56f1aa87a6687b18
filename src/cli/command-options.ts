// Options that many commands share: where the server is, what stdout gets, and how numbers are read.
import { type Command, InvalidArgumentError, Option } from 'commander'
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

export function wholeNumber(min: number, max: number): (text: string) => number {
  return text => {
    const value = Number(text)
    if (!Number.isInteger(value) || value < min || value > max) {
      throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`)
    }
    return value
  }
}

export function positiveNumber(text: string): number {
  const value = Number(text)
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('It must be a number above 0.')
  return value
}

export function shareOfOne(text: string): number {
  const value = Number(text)
  if (!(value >= 0 && value <= 1)) throw new InvalidArgumentError('It must be a number from 0 to 1.')
  return value
}

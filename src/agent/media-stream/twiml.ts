// The TwiML that an agent's webhook answers with: where its stream is, and what the stream is to be told.

export interface StreamTarget {
  url: string
  parameters: Record<string, string>
}

/** A webhook's answer is a few lines; this bounds the search in a hostile one. */
const maxTwimlChars = 64 * 1024

const stream = /<Connect\b[^<>]*>\s*<Stream\b([^<>]*?)(\/>|>([\s\S]*?)<\/Stream\s*>)/
const parameter = /<Parameter\b([^<>]*?)\/?>/g
const attribute = /([A-Za-z][\w.-]*)\s*=\s*(?:"([^"]*)"|'([^']*)')/g
const entity = /&(?:#(\d{1,7})|#x([0-9a-fA-F]{1,6})|(amp|lt|gt|quot|apos));/g
const namedEntities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

/**
 * Finds `<Response><Connect><Stream url>` with its `<Parameter name value>`s. Other verbs are not carried out.
 * @throws Error with one sentence when there is no such stream
 */
export function readTwiml(text: string): StreamTarget {
  if (text.length > maxTwimlChars)
    throw new Error(`The agent's TwiML is longer than ${maxTwimlChars} characters.`)
  const xml = text.replace(/<!--[\s\S]*?-->/g, '')
  const found = stream.exec(xml)
  const url = found === null ? undefined : attributesOf(found[1]!).url
  if (url === undefined) throw new Error("The agent's TwiML has no <Connect><Stream url>.")
  if (!/^wss?:\/\//.test(url) || !URL.canParse(url)) {
    throw new Error("The stream in the agent's TwiML is no ws:// or wss:// URL.")
  }
  return { url, parameters: parametersOf(found?.[3] ?? '') }
}

function parametersOf(xml: string): Record<string, string> {
  const entries = [...xml.matchAll(parameter)].flatMap(([, text]) => {
    const { name, value } = attributesOf(text!)
    return name === undefined || value === undefined ? [] : [[name, value]]
  })
  return Object.fromEntries(entries)
}

function attributesOf(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(attribute)].map(([, name, double, single]) => [name, decode(double ?? single ?? '')]),
  )
}

function decode(text: string): string {
  return text.replace(entity, (whole, decimal?: string, hex?: string, name?: string) => {
    if (name !== undefined) return namedEntities[name]!
    const code = decimal !== undefined ? Number(decimal) : Number.parseInt(hex!, 16)
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole
  })
}

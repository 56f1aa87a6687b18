// How clients call a thing: by its id, by its id as dialects print it (`agt_12`), by an alias.

/** Things with aliases: their table, and how dialects print their ids. */
export const kinds = {
  agent: { table: 'agents', prefix: 'agt_' },
  'phone-number': { table: 'phone_numbers', prefix: 'phone_' },
} as const
export type Kind = keyof typeof kinds

export const isId = (ref: string): boolean => /^[1-9]\d{0,14}$/.test(ref)

/** Every way in which an id is written; an alias that is one of them would be ambiguous. */
export const spellingsOf = (kind: Kind, id: number): [string, string] => [
  String(id),
  `${kinds[kind].prefix}${id}`,
]

/** The id that an alias spells; null: none. */
export function idSpelt(kind: Kind, alias: string): number | null {
  const { prefix } = kinds[kind]
  const digits = alias.startsWith(prefix) ? alias.slice(prefix.length) : alias
  return isId(digits) ? Number(digits) : null
}

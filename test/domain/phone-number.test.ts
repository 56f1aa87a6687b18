// Reading numbers as people write them, and the proof that the fast reading says what Google's library says.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type CountryCode,
  getCountries,
  getCountryCallingCode,
  getExampleNumber,
  parsePhoneNumberFromString,
} from 'libphonenumber-js/max'
import examples from 'libphonenumber-js/mobile/examples'
import { readPhoneNumber, refuseDestination } from '../../src/domain/phone-number.ts'

const inIndia = { region: 'IN', rule: 'readable' } as const
const nowhere = { region: null, rule: 'readable' } as const
const strict = { region: 'IN', rule: 'e164' } as const
const seed = Number(process.env.FC_SEED ?? Date.now() % 2 ** 31)

const read = (text: string | number, rules: Parameters<typeof readPhoneNumber>[1] = inIndia) => {
  const number = readPhoneNumber(text, rules)
  return number.ok ? number.e164 : number.code
}

test('a number is read however a person writes it', () => {
  const written: [string | number, string][] = [
    ['+919876543210', '+919876543210'],
    [' +91 98765 43210 ', '+919876543210'],
    ['9876543210', '+919876543210'],
    ['09876543210', '+919876543210'],
    ['98765-43210', '+919876543210'],
    ['919876543210', '+919876543210'],
    ['00919876543210', '+919876543210'],
    ['0044 20 7183 8750', '+442071838750'],
    ['+44 (0)20 7183 8750', '+442071838750'],
    ["'+919876543210", '+919876543210'],
    ['’9876543210', '+919876543210'],
    ['="+919876543210"', '+919876543210'],
    ['tel:+442071838750', '+442071838750'],
    ['\u202a+91 98765 43210\u202c', '+919876543210'],
    ['+1\u00a0202\u00a0555\u00a00101', '+12025550101'],
    ['+1 (202) 555-0101', '+12025550101'],
    ['٩٨٧٦٥٤٣٢١٠', '+919876543210'],
    [9876543210, '+919876543210'],
    [919876543210, '+919876543210'],
  ]
  for (const [text, e164] of written) assert.equal(read(text), e164, JSON.stringify(text))
})

test('digits that are lost are never guessed', () => {
  for (const text of [
    '9.19877E+11',
    '9,19877E+11',
    '9E+11',
    '98765',
    '98765xxxxx',
    'n/a',
    '+',
    '-',
    '0',
    '+1 202 555',
  ])
    assert.equal(read(text), 'invalid_phone', text)
  for (const cell of [9.5, -9876543210, Number.NaN, Number.POSITIVE_INFINITY, 1e21, 0])
    assert.equal(read(cell), 'invalid_phone', String(cell))
})

test('an empty cell is a missing number, not an invalid one', () => {
  for (const text of ['', '   ', "'", '\u200b'])
    assert.equal(read(text), 'missing_phone', JSON.stringify(text))
})

test('two numbers in one cell are ambiguous, and so is an ending after a slash', () => {
  for (const text of [
    '9876543210 / 9123456789',
    '9876543210,9123456789',
    '9876543210; 9123456789',
    '9876543210 or 9123456789',
    '9876543210\n9123456789',
    '+919876543210 +919123456789',
    '9876543210 9123456789',
    '+49 30 1234567/8',
  ])
    assert.equal(read(text), 'ambiguous_phone', text)
  assert.equal(read('030/12345678', { region: 'DE', rule: 'readable' }), '+493012345678')
})

test('an extension cannot be dialled, so it makes a number invalid', () => {
  assert.equal(read('+1 202 555 0101 ext. 12'), 'invalid_phone')
})

test('a numeric cell may have lost its plus; text may not', () => {
  assert.equal(read(14155552671), '+14155552671')
  assert.equal(read('14155552671'), 'invalid_phone')
  assert.equal(read(14155552671, nowhere), '+14155552671')
  assert.equal(read(9876543210, nowhere), 'invalid_phone')
  assert.equal(read('9876543210', nowhere), 'invalid_phone')
})

test('the strict rule takes a plus and digits and nothing else', () => {
  assert.equal(read('+12025550101', strict), '+12025550101')
  assert.equal(read(' +12025550101 ', strict), '+12025550101')
  for (const text of [
    '12025550101',
    '+1 2025550101',
    '+1-202-555-0101',
    '0012025550101',
    "'+12025550101",
    '+15551234567',
  ])
    assert.equal(read(text, strict), 'invalid_phone', text)
  assert.equal(read(919876543210, strict), 'invalid_phone')
})

test('a destination must be enabled, and under its prefixes if it has any', () => {
  const india = [{ country: 'IN', prefixes: ['+9198', '+9197'] }, { country: 'GB' }]
  assert.equal(refuseDestination('+919876543210', 'IN', null), null)
  assert.equal(refuseDestination('+919876543210', 'IN', []), 'no_enabled_countries')
  assert.equal(refuseDestination('+919876543210', 'IN', india), null)
  assert.equal(refuseDestination('+918123456789', 'IN', india), 'unsupported_prefix')
  assert.equal(refuseDestination('+442071838750', 'GB', india), null)
  assert.equal(refuseDestination('+12025550101', 'US', india), 'unsupported_country')
  assert.equal(refuseDestination('+80012345678', null, india), 'unsupported_country')
})

const library = (text: string, region?: CountryCode) => {
  const number = parsePhoneNumberFromString(text, {
    extract: false,
    ...(region ? { defaultCountry: region } : {}),
  })
  return number?.isValid() && number.number.length <= 16
    ? { e164: number.number, country: number.country ?? null }
    : 'invalid'
}
const ours = (text: string, region: string | null) => {
  const number = readPhoneNumber(text, { region, rule: 'readable' })
  return number.ok ? { e164: number.e164, country: number.country } : 'invalid'
}

const countries = getCountries()
const country = fc.constantFrom(...countries)
/** A real number of the country with some of its last digits changed, so that about half of them are valid. */
const nearNumber = country.chain(code =>
  fc.tuple(fc.integer({ min: 0, max: 10 }), fc.bigInt({ min: 0n, max: 10n ** 12n })).map(([kept, noise]) => {
    const example = getExampleNumber(code, examples)?.nationalNumber ?? '2025550100'
    const changed = String(noise).padStart(12, '7')
    return { code, national: example.slice(0, kept) + changed.slice(0, Math.max(0, example.length - kept)) }
  }),
)

test('an international number is valid, and belongs to a country, exactly when the library says so', () => {
  const anyDigits = fc.stringMatching(/^[1-9]\d{6,14}$/)
  const near = nearNumber.map(({ code, national }) => `${getCountryCallingCode(code)}${national}`)
  const digits = fc.oneof({ weight: 3, arbitrary: near }, { weight: 1, arbitrary: anyDigits })
  fc.assert(
    fc.property(digits, text => {
      if (text.length >= 7 && text.length <= 15) assert.deepEqual(ours(`+${text}`, null), library(`+${text}`))
    }),
    { seed, numRuns: 4_000 },
  )
})

test('a national number is valid in a region exactly when the library says so', () => {
  const start = fc.constantFrom('', '', 'code', '0', '1', '8')
  fc.assert(
    fc.property(
      nearNumber,
      country,
      fc.boolean(),
      start,
      ({ code, national: digits }, other, home, start) => {
        const region = home ? code : other
        const national = `${start === 'code' ? getCountryCallingCode(code) : start}${digits}`
        if (!national.startsWith('00')) assert.deepEqual(ours(national, region), library(national, region))
      },
    ),
    { seed, numRuns: 4_000 },
  )
})

test('punctuation between the digits changes nothing, here as in the library', () => {
  const between = fc.array(fc.constantFrom(' ', '-', '.', ') ', ' (', '', '', ''), {
    minLength: 15,
    maxLength: 15,
  })
  fc.assert(
    fc.property(nearNumber, between, fc.boolean(), ({ code, national }, marks, international) => {
      const digits = international ? `+${getCountryCallingCode(code)}${national}` : national
      const text = digits.replace(/\d(?=\d)/g, (digit, at) => `${digit}${marks[at % marks.length]}`)
      const said = readPhoneNumber(text, { region: code, rule: 'readable' })
      if (national.startsWith('0') || (!said.ok && said.code === 'ambiguous_phone')) return
      assert.deepEqual(ours(text, code), library(text, code))
    }),
    { seed, numRuns: 3_000 },
  )
})

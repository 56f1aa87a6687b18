// The words that several of our requests share, as zod schemas.
import { isSupportedCountry } from 'libphonenumber-js/max'
import { z } from 'zod'
import { type CallingWindow, windowError } from '../../domain/calling-window.ts'

const maxNameLength = 200
const maxAliasLength = 100
const maxAliases = 100
const maxCalls = 100_000
const maxCps = 10_000

export const nameText = z.string().trim().min(1, 'must not be empty').max(maxNameLength)

/** An id in digits, or an alias. */
export const ref = z
  .union([z.int().positive(), z.string().trim().min(1).max(maxAliasLength)], {
    error: 'must be an id or an alias',
  })
  .transform(String)

export const aliases = z
  .array(
    z
      .string()
      .max(maxAliasLength)
      .regex(/^[\x21-\x7e]+$/, 'must be visible ASCII without spaces'),
  )
  .max(maxAliases)
  .default([])

export const maxConcurrentCalls = z.int().min(1).max(maxCalls)

/** Of an agent's connection or a trunk: whoever reads them checks them. */
export const settings = z.record(z.string(), z.json())

export const callsPerSecond = z.number().positive().max(maxCps)

/** ISO 3166-1 alpha-2, as libphonenumber knows them. */
export const region = z
  .string()
  .transform(text => text.toUpperCase())
  .refine(text => isSupportedCountry(text), 'must be a country code such as US')

export const callingWindow = z.unknown().transform((value, context): CallingWindow => {
  const wrong = windowError(value)
  if (wrong !== null) context.addIssue({ code: 'custom', message: wrong })
  return value as CallingWindow
})

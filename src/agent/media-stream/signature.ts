// X-Twilio-Signature: by it an agent knows that a request comes from whoever holds its auth token.
import { createHmac } from 'node:crypto'

/**
 * HMAC-SHA1 in base64 over the URL as it was configured, followed by each form field's name and value in order of the
 * names (Twilio, "Validating requests"). A WebSocket handshake has no fields.
 */
export function signRequest(
  authToken: string,
  url: string,
  fields: Readonly<Record<string, string>> = {},
): string {
  const names = Object.keys(fields).sort()
  const signed = url + names.map(name => name + fields[name]).join('')
  return createHmac('sha1', authToken).update(signed).digest('base64')
}

// An agent that is asked over HTTP where its stream is, as Twilio asks for TwiML when a call is answered.
import type { Clock } from '../../runtime/clock.ts'
import type { CallLeg } from '../agent.ts'
import { signRequest } from './signature.ts'
import { callSidOf } from './twilio-ids.ts'
import { readTwiml, type StreamTarget } from './twiml.ts'

export interface WebhookRequest {
  url: string
  accountSid: string
  authToken: string | null
  timeoutMs: number
}

/**
 * POSTs Twilio's form fields for the call and reads the stream from the answer.
 * @throws Error with one sentence when there is no usable answer within the time-out
 */
export async function askForStream(
  { url, accountSid, authToken, timeoutMs }: WebhookRequest,
  leg: CallLeg,
  clock: Clock,
): Promise<StreamTarget> {
  const fields = formFields(leg, accountSid)
  const timeout = new AbortController()
  const timer = clock.at(clock.now() + timeoutMs, () => timeout.abort())
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: authToken === null ? {} : { 'X-Twilio-Signature': signRequest(authToken, url, fields) },
      body: new URLSearchParams(fields),
      signal: timeout.signal,
    })
    if (!response.ok) throw new WebhookError(`answered with status ${response.status}`)
    return readTwiml(await response.text())
  } catch (error) {
    if (timeout.signal.aborted) throw new Error(`The agent's webhook did not answer within ${timeoutMs} ms.`)
    if (error instanceof WebhookError) throw new Error(`The agent's webhook ${error.message}.`)
    if (error instanceof TypeError)
      throw new Error(`The agent's webhook cannot be reached: ${causeOf(error)}.`)
    throw error
  } finally {
    timer.cancel()
  }
}

class WebhookError extends Error {}

/** The fields of Twilio's request for an outbound call that has been answered. */
function formFields(leg: CallLeg, accountSid: string): Record<string, string> {
  return {
    AccountSid: accountSid,
    ApiVersion: '2010-04-01',
    CallSid: callSidOf(leg.callId),
    CallStatus: 'in-progress',
    Called: leg.to,
    Caller: leg.from,
    Direction: 'outbound-api',
    From: leg.from,
    To: leg.to,
  }
}

/** `fetch` hides what happened behind "fetch failed". */
function causeOf(error: TypeError): string {
  const { cause } = error
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code
  return cause instanceof Error ? cause.message : error.message
}
